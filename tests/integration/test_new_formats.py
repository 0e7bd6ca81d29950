"""Workbooks and JSON through the running product: every row is a trip or a reject, and questions are answered."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli_fixtures import tripdeck
from tests.command_line import CommandLine
from tests.hub_fixtures import hub, hub_settings
from tests.workbook_maker import make_xlsx

__all__ = ["hub", "hub_settings", "tripdeck"]

ROWS = 5_000
BAD = {7: "destination_out_of_range", 2_500: "started_at_missing", 4_999: "origin_missing"}
START = datetime.fromisoformat("2024-03-18 00:00")


def make_records(region: str) -> list[dict[str, Any]]:
    """Trips of one week in order; those of BAD can't be loaded."""
    records = [
        {
            "started_at": START + timedelta(seconds=120 * number),
            "start_lat": 45.0 + number / 100_000,
            "start_lng": 7.6,
            "end_lat": 45.1,
            "end_lng": 7.7 - number / 100_000,
            "region": region,
        }
        for number in range(ROWS)
    ]
    records[7]["end_lat"] = 95
    records[2_500]["started_at"] = None
    records[4_999]["start_lng"] = None
    return records


def write_json(records: list[dict[str, Any]]) -> bytes:
    return json.dumps({"data": {"trips": records}}, default=str).encode()


def write_lines(records: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(record, default=str) + "\n" for record in records).encode()


def write_workbook(records: list[dict[str, Any]]) -> bytes:
    title = [["Trips of a week"], []]
    table = [list(records[0]), *(list(record.values()) for record in records)]
    return make_xlsx({"About": [["made for a test"]], "Trips": [*title, *table]})


@pytest.mark.parametrize(
    ("name", "write", "lines_before", "kind"),
    [
        ("trips.json", write_json, 0, "JSON"),
        ("trips.ndjson", write_lines, 0, "JSON"),
        ("trips.xlsx", write_workbook, 3, "Workbook, sheet 'Trips'"),
    ],
)
def test_every_row_is_accounted_for(
    tripdeck: CommandLine, tmp_path: Path, name: str, write: Any, lines_before: int, kind: str
) -> None:
    region = f"Region of {name}"
    path = tmp_path / name
    path.write_bytes(write(make_records(region)))
    inspection = tripdeck.run("inspect", str(path))
    assert inspection.status == 0, inspection
    assert kind in inspection.output
    load = tripdeck.run("load", str(path), "--json").json
    assert (load["state"], load["rows_read"], load["rows_loaded"]) == ("succeeded", ROWS, ROWS - len(BAD))
    rejects = tripdeck.run("rejects", str(load["load_id"]), "--json").json["rejects"]
    assert {(reject["record"], reject["line"]): reject["reason"] for reject in rejects} == {
        (number + 1, number + 1 + lines_before): reason for number, reason in BAD.items()
    }
    weekly = tripdeck.run("weekly", "--region", region, "--json").json
    assert sum(week["trips"] for week in weekly["weeks"]) == ROWS - len(BAD)
    assert weekly["weeks"][0]["week"] == "2024-03-18"
    again = tripdeck.run("load", str(path), "--json").json
    assert again["already_loaded_as"] == load["load_id"]
    rows = tmp_path / "rows.csv"
    assert tripdeck.run("rejects", str(load["load_id"]), "--rows", str(rows)).status == 0
    assert rows.read_text(encoding="utf-8").splitlines()[0] == "started_at,start_lat,start_lng,end_lat,end_lng,region"


def test_a_sheet_is_chosen(tripdeck: CommandLine, tmp_path: Path) -> None:
    records = make_records("Sheet")[:7]
    table = [list(records[0]), *(list(record.values()) for record in records)]
    path = tmp_path / "months.xlsx"
    path.write_bytes(make_xlsx({"March": table, "April": [table[0], *table[3:]]}))
    assert tripdeck.run("load", str(path), "--region", "Sheets", "--json").json["rows_loaded"] == 7
    load = tripdeck.run("load", str(path), "--region", "Sheets", "--sheet", "April", "--no-last-time", "--json").json
    assert load["rows_loaded"] == 5
    refused = tripdeck.run("load", str(path), "--sheet", "May", "--json").json
    assert refused["error"]["code"] == "no_such_sheet"


def test_json_that_breaks_off_loads_nothing(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    path.write_bytes(write_json(make_records("Cut off") * 3)[:-40])
    load = tripdeck.run("load", str(path), "--json").json
    assert (load["state"], load["rows_loaded"], load["error"]["code"]) == ("failed", 0, "damaged_json")
