"""Every question that a file leaves open can be answered: each choice is a command, an option that is taken, and leads on."""

from typing import Any

import pytest
from typer import main as typer_main

from infra.cli import app
from loader.cli.answering import list_answers, make_flags
from loader.formats import SAMPLE_BYTES, LoadOptions, inspect_format
from shared.platform.errors import FileFormatError
from tests.shared_data import HAS_SHARED, SHARED_DIR, read_expected, requires_shared
from tests.unit.formats.kinds import FOLDER, read_options

# A question may lead to another one, such as which column is the start and then the order of its dates.
MOST_QUESTIONS = 4


def ask(case: dict[str, Any], options: dict[str, Any]) -> FileFormatError | None:
    """The question, or the refusal, that a file of the kinds ends with under these options."""
    data = (SHARED_DIR / FOLDER / case["file"]).read_bytes()
    given = read_options(case["args"]).to_json()
    roles = {**given["roles"], **options.get("roles", {})}
    chosen = LoadOptions.from_json({**given, **options, "roles": roles})
    try:
        is_whole = len(data) <= SAMPLE_BYTES
        inspect_format(data[:SAMPLE_BYTES], file_name=case["file"], options=chosen, is_whole=is_whole)
    except FileFormatError as error:
        return error
    return None


def list_options(command: str) -> set[str]:
    group: Any = typer_main.get_command(app)
    return {flag for parameter in group.commands[command].params for flag in [*parameter.opts, *parameter.secondary_opts]}


def list_keys() -> list[str]:
    """Text files that may be refused; types of Parquet columns have tests of their own."""
    cases = read_expected(FOLDER) if HAS_SHARED else {}
    return [key for key, case in cases.items() if case["refuse"] and "parquet" not in case["file"]]


@requires_shared
@pytest.mark.parametrize("key", list_keys())
def test_every_choice_is_taken_and_leads_on(key: str) -> None:
    case = read_expected(FOLDER)[key]
    error = ask(case, {})
    if error is None:
        return
    assert error.message
    assert "\n" not in error.message
    if error.facts.get("parameter") not in (None, "member", "sheet"):  # those are refusals, worded for all
        statement = error.facts.get("statement") or error.message
        assert "--" not in str(statement)
    for choice in error.facts.get("choices") or ():  # type: ignore[attr-defined]
        assert choice["label"]
        flags = [word for word in make_flags(choice["options"]) if word.startswith("--")]
        assert set(flags) <= list_options("load")
        next_error = ask(case, choice["options"])
        assert next_error is None or (next_error.error_code, next_error.message) != (error.error_code, error.message), choice
    if error.facts.get("choices"):
        assert list(list_answers(error, ["load", case["file"]]))


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("start_lat,start_lng,end_lat,end_lng,a\n40.74,-73.99,40.69,-73.98,x\n", 4),
        ("started_at,start_lat,start_lng,fare,tip\n2024-03-19 08:12,40.74,-73.99,x,y\n", 3),
        ("started_at,start_lat,start_lng,end_lat,end_lng\n03/04/2024 08:12,40.74,-73.99,40.69,-73.98\n", None),
        ("started_at,start_lat,start_lng,end_lat,end_lng\n1403190812,40.74,-73.99,40.69,-73.98\n", None),
        ("started_at,start_lat,start_lng,end_lat,end_lng\n2024-03-19 08:12 EDT,40.74,-73.99,40.69,-73.98\n", None),
        ("date,minutes,start_lat,start_lng,end_lat,end_lng\n2024-03-19,5,40.74,-73.99,40.69,-73.98\n", None),
    ],
)
def test_a_question_carries_its_statement_apart_from_flags(text: str, roles: int | None) -> None:
    text += text.splitlines()[1].replace(",5,", ",905,") + "\n"
    with pytest.raises(FileFormatError) as caught:
        inspect_format(text.encode(), file_name="trips.csv", options=LoadOptions(), is_whole=True)
    facts = caught.value.facts
    assert "--" in caught.value.message
    assert "--" not in str(facts["statement"])
    assert caught.value.message.startswith(str(facts["statement"]))
    known = facts.get("roles")
    assert (len(known) if isinstance(known, dict) else None) == roles
