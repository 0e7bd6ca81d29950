"""Names that steer, hide or inject, at every door: command line, REST, feed, exports, logs, object keys."""

import csv
import io
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine

from shared.services.database import transaction
from tests.cli_fixtures import tripdeck
from tests.command_line import CommandLine
from tests.hostile_names import HOSTILE_NAMES, LOADABLE_NAMES, assert_safe, write_hostile_csv
from tests.hub import HubServer
from tests.hub_fixtures import hub, hub_engine, hub_settings

__all__ = ["hub", "hub_engine", "hub_settings", "tripdeck"]

FORMULAS = ("=", "@", "\t", "\r", "\n")


@pytest.fixture(scope="module")
def loads(tripdeck: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """A load of regions and datasources with such names, and one whose rows are all rejects; their files are named so, too."""
    folder = tmp_path_factory.mktemp("files")
    found = []
    for is_good, name in ((True, "good\x1b[31m\u202e.csv"), (False, "bad\x9b\n.csv")):
        (folder / name).write_bytes(write_hostile_csv(is_good=is_good))
        answer = tripdeck.run("load", str(folder / name), "--json")
        assert_safe(answer.output + answer.errors)
        found.append(answer.json)
    return found


def test_every_row_is_accounted_for(loads: list[Any]) -> None:
    good, bad = loads
    assert (good["state"], good["rows_loaded"], good["rows_rejected"]) == ("succeeded", len(LOADABLE_NAMES), 0)
    assert (bad["rows_loaded"], bad["rows_rejected"]) == (0, len(LOADABLE_NAMES))
    assert good["file_name"] == "good_x1b[31m_u202e.csv"


@pytest.mark.usefixtures("loads")
@pytest.mark.parametrize("command", ["regions", "datasources", "loads", "rejects", "watch", "groups", "weekly", "questions"])
def test_what_commands_print_is_safe(command: str, tripdeck: CommandLine, loads: list[Any]) -> None:
    words = {
        "rejects": [str(loads[1]["load_id"])],
        "watch": [str(loads[1]["load_id"])],
        "weekly": ["--region", HOSTILE_NAMES["escape"]],
        "questions": ["trips_per_region"],
    }
    answer = tripdeck.run(command, *words.get(command, []))
    assert_safe(answer.output + answer.errors)
    assert answer.output
    as_json = tripdeck.run(command, *words.get(command, []), "--json")
    assert_safe(as_json.output)


@pytest.mark.usefixtures("loads")
@pytest.mark.parametrize("kind", LOADABLE_NAMES)
def test_each_name_can_be_asked_for_in_a_url(kind: str, hub: HubServer) -> None:
    name = LOADABLE_NAMES[kind]
    answer = hub.get("/api/v1/weekly-average", region=name, datasource=name)
    assert (answer.status, answer.json()["trips"]) == (200, 1)
    assert name in {row["name"] for row in hub.get("/api/v1/regions").json()["regions"]}


@pytest.mark.usefixtures("loads")
def test_tables_are_csv_without_formulas(hub: HubServer) -> None:
    answer = hub.get("/api/v1/regions", format="csv")
    rows = list(csv.reader(io.StringIO(answer.data.decode(), newline="")))
    assert [row[0] for row in rows if row[0].startswith(FORMULAS)] == []
    assert {row[0].removeprefix("'") for row in rows[1:]} >= set(LOADABLE_NAMES.values())


def test_rejects_come_in_a_file_with_a_name_of_ours(hub: HubServer, loads: list[Any]) -> None:
    load_id = loads[1]["load_id"]
    answer = hub.get(f"/api/v1/loads/{load_id}/rejects", format="csv")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="rejects-of-load-{load_id}.csv"'
    rows = list(csv.reader(io.StringIO(answer.data.decode(), newline="")))
    assert [cell for row in rows for cell in row if cell.startswith(FORMULAS)] == []
    assert len(rows) == 1 + len(LOADABLE_NAMES)


@pytest.mark.parametrize("kind", HOSTILE_NAMES)
def test_file_names_are_taken_or_refused_without_harm(kind: str, hub: HubServer, hub_engine: Engine) -> None:
    name = HOSTILE_NAMES[kind]
    answer = hub.put_file(quote(name, safe=""), write_hostile_csv()[:200])
    assert answer.status in (201, 202, 400)
    assert not any("Set-Cookie" in header for header in answer.headers)
    for header, value in answer.headers.items():
        assert_safe(f"{header}: {value}")
    assert answer.json()
    with transaction(hub_engine) as connection:
        keys = list(connection.exec_driver_sql("select object_key from load").scalars())
    assert all(key.isascii() and not set(key) & set("\\%<>'\" $`:") and ".." not in key for key in keys)


def test_the_feed_carries_names_as_json(hub: HubServer, loads: list[Any]) -> None:
    with hub.follow() as feed:
        text = feed.connection.recv()
    assert "good_x1b[31m_u202e.csv" in text
    assert_safe(text if isinstance(text, str) else text.decode())
    assert loads


@pytest.mark.usefixtures("loads")
def test_no_line_of_the_log_is_theirs(hub: HubServer, tmp_path: Path) -> None:
    for name in HOSTILE_NAMES.values():
        hub.get(f"/api/v1/{quote(name, safe='')}")
        hub.get("/api/v1/weekly-average", region=name, headers={"Origin": quote(name)})
    assert_safe(hub.log())
    assert not any(line.startswith("INFO fake") for line in hub.log().splitlines())
