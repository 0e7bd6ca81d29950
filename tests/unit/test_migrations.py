"""Migration files: the storage of each flavour says the same, and files are cut into statements where they end."""

import re
from pathlib import Path

import pytest

from shared.services.migrations import list_baseline, split_statements
from shared.services.named_queries import SQL_DIR

MIGRATIONS = SQL_DIR / "migrations"
FLAVOURS = ("plain", "timescaledb", "citus")
FILES = sorted(MIGRATIONS.rglob("*.sql"))
BY_FLAVOUR = [str(path.relative_to(MIGRATIONS)).removesuffix("_plain.sql") for path in FILES if path.stem.endswith("_plain")]
_DEFINED = re.compile(
    r"^create (?:or replace )?(function|view|table|statistics) ([^\n$]+?)(?: language\b| as\b|\n| on\b|$)", re.MULTILINE
)


def list_definitions(stem: str, flavour: str) -> list[str]:
    text = (MIGRATIONS / f"{stem}_{flavour}.sql").read_text(encoding="utf-8")
    return sorted(" ".join(found) for found in _DEFINED.findall(text) if found[0] != "statistics")


@pytest.mark.parametrize("stem", BY_FLAVOUR)
def test_every_flavour_defines_the_same_names(stem: str) -> None:
    names = {flavour: list_definitions(stem, flavour) for flavour in FLAVOURS}
    assert names["plain"] == names["timescaledb"] == names["citus"]


def test_what_is_defined_is_seen() -> None:
    assert BY_FLAVOUR == ["baseline/storage"]
    assert list_definitions("baseline/storage", "plain") == [
        "function summarize_trips() returns integer",
        "function trip_bytes() returns bigint",
    ]


def test_the_baseline_is_the_files_of_its_folder() -> None:
    listed = {name for flavour in FLAVOURS for name in list_baseline(flavour)}
    assert listed == {f"baseline/{path.name}" for path in (MIGRATIONS / "baseline").iterdir()}


def test_every_later_file_has_a_revision_that_runs_it() -> None:
    revisions = "".join(path.read_text(encoding="utf-8") for path in (SQL_DIR / "alembic" / "versions").glob("*.py"))
    for path in MIGRATIONS.glob("*.sql"):
        stem, _, flavour = path.stem.rpartition("_")
        assert (f'f"{stem}_{{' if flavour in FLAVOURS else f'"{path.name}"') in revisions, path.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_its_statements(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    statements = list(split_statements(text))
    assert statements
    assert "".join("".join(statements).split()) == "".join(text.split())
    for statement in statements:
        assert statement.count("$$") % 2 == 0
        code = re.sub(r"--[^\n]*|\$\$.*?\$\$|'[^']*'", "", statement, flags=re.DOTALL)
        assert code.count(";") == 1


def test_semicolons_count_outside_of_strings_bodies_and_comments() -> None:
    text = "select ';'; -- a; b\ncreate function f() as $$ begin; end; $$;\n-- the end;\n"
    assert list(split_statements(text)) == ["select ';';", "-- a; b\ncreate function f() as $$ begin; end; $$;"]


def test_a_statement_without_an_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="without a semicolon"):
        list(split_statements("select 1; select 2"))
