"""What commands print when something is wrong, and how they end: without a hub."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from infra.cli import app
from loader.cli.answering import list_answers, quote_command
from loader.cli.files import find_file
from loader.cli.session import print_json
from loader.cli.tables import Column, format_value, print_line, print_table
from shared.platform.errors import FileFormatError, RequestError
from tests.hostile_names import HOSTILE_NAMES, assert_safe

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = {"TRIPDECK_API_URL": "http://127.0.0.1:9"}


def run(*words: str, **environment: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words), env=NOWHERE | environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def start(*words: str, **streams: Any) -> "subprocess.Popen[bytes]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIPDECK_")}
    environment |= NOWHERE | streams.pop("env", {})
    return subprocess.Popen([sys.executable, "-m", "infra.cli", *words], cwd=ROOT, env=environment, **streams)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["load"], ["FILE", "tripdeck load --help"]),
        (["load", "x", "--regoin", "y"], ["--regoin", "--region"]),
        (["lod", "x"], ["lod", "load"]),
        (["weekly", "--end", "middle"], ["middle", "origin"]),
        (["loads", "--limit", "0"], ["--limit", "1"]),
        (["loads", "--limit", "many"], ["--limit", "integer"]),
        (["watch"], ["LOAD", "tripdeck watch --help"]),
        (["watch", "soon"], ["LOAD"]),
        (["status", "too", "much"], ["much"]),
        (["load", "/nowhere/at.csv"], ["/nowhere/at.csv"]),
        (["load", "-"], ["--name"]),
        (["load", "a", "b", "--name", "c"], ["--name"]),
        (["weekly"], ["--region", "--bbox"]),
        (["groups", "--hours", "8"], ["A-B"]),
        (["group", "u0", "u1", "--at", "8"], ["HH:MM"]),
        (["questions", "why", "--param", "x"], ["NAME=VALUE"]),
        (["generate", "/nowhere/at.csv", "--rows", "1"], ["/nowhere/at.csv"]),
        (["generate", "x", "--rows", "1", "--from", "soon"], ["YYYY-MM-DD"]),
        (["loads"], ["127.0.0.1:9", "make up"]),
        (["inspect", str(ROOT / "README.md")], ["127.0.0.1:9", "make up"]),
    ],
)
def test_first_line_says_what_is_wrong_and_what_to_do(words: Sequence[str], expected: Sequence[str]) -> None:
    status, output, errors = run(*words)
    assert status in (1, 2)
    assert output == ""
    assert errors.startswith("tripdeck: ")
    assert errors.count("\n") == 1
    for word in expected:
        assert word in errors


def test_settings_that_are_wrong_are_named() -> None:
    assert "TRIPDECK_COLOUR" in run("loads", TRIPDECK_COLOUR="red")[2]
    assert "TRIPDECK_HUB_PORT" in run("loads", TRIPDECK_HUB_PORT="none")[2]
    assert "http://" in run("loads", TRIPDECK_API_URL="ftp://x")[2]


def test_without_words_there_is_help() -> None:
    status, _, errors = run()
    assert status == 2
    assert errors.startswith("Usage: ")


def test_errors_are_json_where_that_was_asked_for() -> None:
    status, output, errors = run("loads", "--json")
    assert (status, json.loads(output)["error"]["code"]) == (1, "hub_unavailable")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("kind", HOSTILE_NAMES)
def test_names_on_the_command_line_come_back_safely(kind: str) -> None:
    name = HOSTILE_NAMES[kind].replace("\x00", "")
    for words in (["load", name], ["inspect", f"/nowhere/{name}"], ["weekly", "--hours", name], [name], ["load", f"--{name}"]):
        status, output, errors = run(*words)
        assert status in (1, 2)
        assert errors.count("\n") == 1
        assert_safe(output + errors)


@pytest.mark.parametrize("kind", HOSTILE_NAMES)
def test_tables_lines_and_json_are_safe(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = HOSTILE_NAMES[kind]
    print_table([Column("name"), Column(name)], [[name, [name, name]]])
    print_line(f"{name}: done")
    assert "\n" not in format_value(name)
    print_json({"name": name})
    output = capsys.readouterr().out
    assert_safe(output)
    assert json.loads(output[output.index("{\n") :])["name"] == name


def test_a_file_name_that_is_no_utf8_can_be_sent(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\x1b.csv"
    with open(path, "wb") as file:  # noqa: PTH123 - a name in bytes
        file.write(b"x")
    assert find_file(os.fsdecode(path)).name == "_xff_x1b.csv"


def test_misspelt_files_and_folders_are_answered_with_names(tmp_path: Path) -> None:
    (tmp_path / "trips.csv").write_text("x", encoding="utf-8")
    for argument, expected in (
        (tmp_path / "tripz.csv", "trips.csv"),
        (tmp_path, "trips.csv"),
        (tmp_path / "trips.csv" / "x", "can't be"),
    ):
        with pytest.raises(RequestError) as refused:
            find_file(str(argument))
        assert expected in refused.value.message


# Questions


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({"date_order": "dmy"}, "--date-order dmy"),
        ({"has_header": False}, "--no-header"),
        ({"delimiter": "\t"}, "--delimiter tab"),
        ({"decimal": ","}, "--decimal ,"),
        ({"roles": {"origin": "start place", "destination": "-"}}, "--map 'origin=start place' --map destination=-"),
        ({"roles": {"origin": "a\x1b[1m"}}, "--map $'origin=a\\x1b[1m'"),
    ],
)
def test_each_choice_is_a_command_to_run(options: dict[str, Any], flags: str) -> None:
    error = FileFormatError("?", choices=[{"label": "Red\x1b[31m", "options": options}])
    lines = list(list_answers(error, ["load", "my trips.csv"]))
    assert lines[1] == f"  tripdeck load 'my trips.csv' {flags}    # Red\\x1b[31m"


def test_commands_mean_the_same_to_a_shell() -> None:
    words = ["load", "it's", "a b", "$HOME", "-x", "\x1b[31m'\\", "tab\there", "line\nfeed"]
    script = quote_command(words).replace("tripdeck ", "printf '%s\\0' ", 1)
    assert subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout.decode().split("\0")[:-1] == words


def test_columns_are_listed_where_there_are_no_choices() -> None:
    error = FileFormatError("?", columns=[*(f"c{n}" for n in range(50)), "\x1b"])
    [line] = list_answers(error, ["load", "x"])
    assert line.endswith("c38, c39 and 11 more.")
    assert not list(list_answers(FileFormatError("?"), []))
    assert not list(list_answers(FileFormatError("Columns: a, b.", columns=["a", "b"]), []))


# Pipes and terminals


def test_a_reader_that_goes_away_is_no_error() -> None:
    with start("generate", "-", "--rows", "50000", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_said() -> None:
    with Path("/dev/full").open("wb") as full:
        process = start("--help", stdout=full, stderr=subprocess.PIPE)
        errors = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 1
    assert errors.startswith("tripdeck: Standard output can't be written: No space left on device.")


def test_interruption_ends_with_its_status(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    process = start("generate", str(fifo), "--rows", "100000000", stderr=subprocess.PIPE)
    with fifo.open("rb") as reader:
        reader.read(1)  # it has begun
        process.send_signal(2)
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert errors.decode().splitlines()[-1] == "tripdeck: Interrupted."


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_terminals_that_are_not_utf8_get_escapes(encoding: str) -> None:
    script = (
        "from loader.cli.tables import *; from loader.cli.border import accept_all_characters as a; a(); print_line('█ Žižkov …')"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, check=True)
    expected = "█ Žižkov …\n".encode(encoding, errors="backslashreplace")
    assert answer.stdout == expected


@pytest.mark.parametrize(("environment", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colour_only_where_it_is_wanted(environment: dict[str, str], is_coloured: bool) -> None:
    ours, theirs = pty.openpty()
    script = "from loader.cli.progress import *\nwith LoadProgress(is_shown=True) as p: p.watch_upload('x', 10)(5)"
    given = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    given |= {"TERM": "xterm-256color"} | environment
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=given, stderr=theirs, check=True)
    os.write(theirs, b".")  # a dumb terminal may be shown nothing
    os.close(theirs)
    output = os.read(ours, 65_536).decode()
    os.close(ours)
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", output)) == is_coloured


@pytest.mark.parametrize("columns", ["1", "10", "40"])
def test_narrow_terminals_get_everything(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", columns)
    print_table([Column("file"), Column("rows", is_number=True)], [["a-long-name.csv", 12_345_678]])
    print_line("a line that is longer than the terminal is wide")
    output = capsys.readouterr().out
    assert "a line that is longer than the terminal is wide" in output
    if columns == "40":
        assert "12,345,678" in output


def test_the_apps_group_is_the_border() -> None:
    assert typer.main.get_command(app).__class__.__name__ == "CommandGroup"
