"""Every option of a load can be given on the command line, by REST and on the page, and is remembered where that makes sense."""

import json
import subprocess
from dataclasses import fields
from typing import Any, Final, Literal, get_args, get_origin

import pytest
import typer

from loader.cli import app
from loader.cli import options as flags
from loader.cli.answering import make_flags
from loader.formats import LoadOptions
from loader.formats.model import options, time_format
from loader.hub.api.params import FileParams, InspectParams, LoadFileParams, LoadOptionsBody
from loader.storage.remembered_options import READING_OPTIONS
from ui.components.build import ROOM, find_node

# A setting of the operator's, and the set that `places` names.
OPTIONS: Final = {field.name for field in fields(LoadOptions)} - {"record_limit_bytes", "place_lookup"}
LIMITS: Final = {"max_rejects", "max_reject_share"}
ABOUT_TRIPS: Final = {"region", "datasource", "timezone"}  # files of many cities share a header
# A value of each option that is no text.
VALUES: Final[dict[str, Any]] = {"roles": {"origin": "a"}, "has_header": True, "as_last_time": True}


def list_flags(command: str) -> set[str]:
    """All spellings of a command's options."""
    group: Any = typer.main.get_command(app)
    return {flag for parameter in group.commands[command].params for flag in [*parameter.opts, *parameter.secondary_opts]}


@pytest.mark.parametrize(("command", "left_out"), [("load", set()), ("inspect", LIMITS)])
def test_the_command_line_takes_every_option(command: str, left_out: set[str]) -> None:
    flags = {name: make_flags({name: VALUES.get(name, "x")})[0] for name in OPTIONS - left_out}
    assert {name: flag for name, flag in flags.items() if flag not in list_flags(command)} == {}


@pytest.mark.parametrize("model", [FileParams, LoadFileParams, InspectParams])
def test_queries_take_every_option(model: type[FileParams]) -> None:
    assert (OPTIONS - {"roles"} | {"map"}) - set(model.model_fields) == set()


def test_bodies_take_every_option() -> None:
    assert set(LoadOptionsBody.model_fields) == OPTIONS


def test_the_page_takes_every_option() -> None:
    node, _ = find_node()
    script = (
        "import('./transfer/src/reading.js').then((m) => console.log(JSON.stringify("
        "[...m.TEXT_OPTIONS, ...m.CHOSEN_OPTIONS, ...m.LIMIT_OPTIONS].map(([name]) => name))))"
    )
    done = subprocess.run([node, "-e", script], capture_output=True, check=True, cwd=ROOM)
    # Roles are fields of their own; what was said last time is set aside by a link beside it.
    assert {*json.loads(done.stdout), "roles", "as_last_time"} == OPTIONS


def test_how_a_file_is_read_is_remembered() -> None:
    assert set(READING_OPTIONS) == OPTIONS - LIMITS - ABOUT_TRIPS - {"as_last_time", "member"}


def list_choices(annotation: Any) -> set[str]:
    """List the texts of every Literal within an annotation."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return {choice for part in get_args(annotation) for choice in list_choices(part)}


@pytest.mark.parametrize(
    ("flag", "option"),
    [
        (flags.TimeForm, time_format.TimeForm),
        (flags.DateOrder, time_format.DateOrder),
        (flags.AxisOrder, options.AxisOrder),
        (flags.CoordinateUnit, options.CoordinateUnit),
    ],
    ids=["time_form", "date_order", "axis_order", "coordinate_unit"],
)
def test_the_command_line_offers_what_an_option_takes(flag: Any, option: Any) -> None:
    # Written twice: a command that imported the formats would start as much as a second later.
    assert list_choices(flag) == list_choices(option) != set()
