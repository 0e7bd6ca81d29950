"""Named queries: every file is read, names are unique and used words, parameters are typed."""

import re
from pathlib import Path

import pytest

from shared.services.named_queries import SQL_DIR, list_queries, query, read_queries

ROOT = SQL_DIR.parent


def test_every_file_gives_queries_of_its_noun() -> None:
    files = {path.stem for path in (SQL_DIR / "queries").glob("*.sql")} | {"challenge"}
    assert {named.noun for named in list_queries().values()} == files


@pytest.mark.parametrize("name", list_queries())
def test_parameters_are_typed_alike_everywhere(name: str) -> None:
    text = list_queries()[name].text
    types: dict[str, set[str]] = {}
    for parameter, sql_type in re.findall(r"%\((\w+)\)s(?:::([\w\[\]]+))?", text):
        types.setdefault(parameter, set()).add(sql_type)
    assert all(len(found) == 1 and "" not in found for found in types.values()), types
    assert not re.search(r"%(?![(%])", text), "a lone percent sign is no parameter"
    assert text.endswith(";")


def test_queries_say_what_they_return_unless_their_name_does() -> None:
    for named in list_queries().values():
        if named.noun == "challenge":
            assert named.title, named.name
            assert "--" in named.text, named.name


def test_every_query_is_asked_for_somewhere() -> None:
    rooms = [ROOT / room for room in ("shared", "loader", "infra", "ui", "tests")]
    code = [path.read_text(encoding="utf-8") for room in rooms for path in room.rglob("*.py") if "node_modules" not in path.parts]
    names = {name for text in code for name in re.findall(r'"(\w+)"', text)}
    made_names = {template for text in code for template in re.findall(r'f"(\w*\{\w+\}\w*)"', text)}
    patterns = [re.compile(re.sub(r"\{\w+\}", r"\\w+", template)) for template in made_names if template.strip("{}_")]
    unused = [
        name
        for name, named in list_queries().items()
        if named.noun != "challenge" and name not in names and not any(pattern.fullmatch(name) for pattern in patterns)
    ]
    assert unused == []


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        query("no_such_query")


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "one.sql").write_text("-- name: same\nselect 1;\n", encoding="utf-8")
    (tmp_path / "challenge.sql").write_text("-- name: same\nselect 2;\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"same stands in one\.sql and in challenge\.sql"):
        read_queries(tmp_path)


def test_notes_and_defaults_are_read() -> None:
    named = list_queries()["regions_of_datasource"]
    assert named.title.startswith("What regions")
    assert named.defaults == {"datasource": "cheap_mobile"}
    assert named.parameters == {"datasource": "text"}
