"""The command line against a real hub and a real worker: what it prints, and its exit status."""

import csv
import io
import os
import pty
import shlex
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from infra.embedded import find_free_ports
from loader.sample.generate import Tally, write_trips
from shared.platform.settings import Settings
from tests.cli_fixtures import big_load, tripdeck
from tests.command_line import CommandLine, assert_one_line, assert_question, finish, make_file
from tests.hub_fixtures import hub, hub_settings
from tests.large_parquet import write_large_parquet

__all__ = ["big_load", "hub", "hub_settings", "tripdeck"]


# Loads


def test_load_counts_what_the_file_holds(big_load: tuple[dict[str, Any], Tally], tripdeck: CommandLine) -> None:
    load, tally = big_load
    assert load["state"] == "succeeded"
    assert (load["rows_read"], load["rows_loaded"], load["rows_rejected"]) == (4_000, tally.rows_loaded, len(tally.rejects))
    assert load["rejects"] == tally.to_json()["rejects"]
    assert load["error"] is None
    weekly = tripdeck.run("weekly", "--region", "Turin", "--from", "2026-01-05", "--to", "2026-07-05", "--json").json
    assert {week["week"]: week["trips"] for week in weekly["weeks"]}.items() >= {
        day.isoformat(): trips for day, trips in tally.region_weeks("Turin").items()
    }.items()


def test_rejects_are_the_planted_ones(big_load: tuple[dict[str, Any], Tally], tripdeck: CommandLine) -> None:
    load, tally = big_load
    number = str(load["load_id"])
    found = tripdeck.run("rejects", number, "--json").json["rejects"]
    assert [(reject["line"], reject["record"], reject["reason"]) for reject in found] == [
        (reject.line, reject.record, reject.reason) for reject in tally.rejects
    ]
    few = tripdeck.run("rejects", number, "--limit", "3", "--after", str(found[4]["record"]), "--json").json["rejects"]
    assert few == found[5:8]
    one_kind = tripdeck.run("rejects", number, "--reason", "field_count", "--json").json["rejects"]
    assert one_kind == [reject for reject in found if reject["reason"] == "field_count"] != []
    rows = list(csv.DictReader(io.StringIO(tripdeck.run("rejects", number, "--csv", "-").output)))
    assert [int(row["record"]) for row in rows] == [reject["record"] for reject in found]
    assert str(found[0]["line"]) in tripdeck.run("rejects", number).output


def test_rejected_rows_are_saved_and_load_again(
    big_load: tuple[dict[str, Any], Tally], tripdeck: CommandLine, tmp_path: Path
) -> None:
    load, tally = big_load
    rows, reasons = tmp_path / "rows.csv", tmp_path / "reasons.csv"
    saved = tripdeck.run("rejects", str(load["load_id"]), "--rows", str(rows), "--csv", str(reasons))
    assert (saved.status, saved.output) == (0, "")
    assert len(list(csv.DictReader(io.StringIO(reasons.read_bytes().decode(), newline="")))) == len(tally.rejects)
    again = tripdeck.run("load", str(rows), "--json").json
    assert (again["rows_read"], again["rows_loaded"], again["rejects"]) == (len(tally.rejects), 0, load["rejects"])
    assert_one_line(tripdeck.run("rejects", str(load["load_id"]), "--csv", str(tmp_path)), 2, "can't be written")
    strict = tripdeck.run("load", str(rows), "--max-rejects", "1", "--max-reject-share", "0.5", "--region", "Nowhere", "--json")
    assert (strict.status, strict.json["error"]["code"]) == (1, "too_many_rejects")


def test_human_output_of_a_load(tripdeck: CommandLine, tmp_path: Path) -> None:
    answer = tripdeck.run("load", str(make_file(tmp_path, seed=21)))
    assert answer.status == 0
    assert "trips-21.csv: load " in answer.output
    assert "succeeded: 50 rows read, 50 loaded, 0 rejected in " in answer.output
    history = tripdeck.run("loads").output
    assert "trips-21.csv" in history
    assert "succeeded" in history


def test_json_is_all_there_is_on_standard_output(tripdeck: CommandLine, tmp_path: Path) -> None:
    answer = finish(tripdeck.start("load", str(make_file(tmp_path, seed=22)), "--json"))
    assert (answer.status, answer.errors) == (0, "")
    assert answer.json["rows_loaded"] == 50


def test_standard_input_is_a_file_with_a_name(tripdeck: CommandLine) -> None:
    stream = io.BytesIO()
    write_trips(stream, rows=5_000, seed=23)
    process = tripdeck.start("load", "-", "--name", "piped.csv", "--json", stdin=subprocess.PIPE)
    answer = finish(process, stream.getvalue())
    assert answer.status == 0, answer
    assert (answer.json["file_name"], answer.json["rows_loaded"]) == ("piped.csv", 5_000)


def test_several_files_make_one_document(tripdeck: CommandLine, tmp_path: Path) -> None:
    paths = [str(make_file(tmp_path, seed=seed)) for seed in (24, 25)]
    loads = tripdeck.run("load", *paths, "--json").json["loads"]
    assert [(load["file_name"], load["rows_loaded"]) for load in loads] == [("trips-24.csv", 50), ("trips-25.csv", 50)]


def test_options_reach_the_loader(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "rides.csv"
    path.write_text("a;b;c;d;when\n14,5;50,1;14,4;50,2;03/04/2026 10:00\n", encoding="utf-8")
    columns = {"origin_longitude": "a", "origin_latitude": "b", "destination_longitude": "c", "destination_latitude": "d"}
    maps = [word for role, column in (columns | {"started_at": "when"}).items() for word in ("--map", f"{role}={column}")]
    arguments = ("--region", "Brno", "--datasource", "rides", "--date-order", "dmy", "--decimal", ",", "--delimiter", ";")
    answer = tripdeck.run("load", str(path), *maps, *arguments, "--json")
    assert answer.status == 0, answer
    weekly = tripdeck.run("weekly", "--region", "Brno", "--datasource", "rides", "--json").json
    assert [(week["week"], week["trips"]) for week in weekly["weeks"]] == [("2026-03-30", 1)]  # 3 April, not 4 March


def test_latitude_first_where_it_is_asked_for(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "swapped.csv"
    path.write_text(
        "region,origin_coord,destination_coord,datetime,datasource\n"
        "Graz,POINT (47.07 15.43),POINT (47.08 15.44),2026-05-05 08:00:00,cab\n",
        encoding="utf-8",
    )
    answer = tripdeck.run("load", str(path), "--axis-order", "lat_lon", "--json")
    assert answer.status == 0, answer
    weekly = tripdeck.run("weekly", "--bbox", "15,47,16,48", "--region", "Graz", "--end", "both", "--json")
    assert weekly.json["trips"] == 1


def test_long_gaps_are_one_line_for_people(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "gap.csv"
    row = "Linz,POINT (14.28 48.30),POINT (14.29 48.31),{} 08:00:00,cab\n"
    head = "region,origin_coord,destination_coord,datetime,datasource\n"
    path.write_text(head + row.format("2024-01-03") + row.format("2026-01-07"), encoding="utf-8")
    assert tripdeck.run("load", str(path), "--json").status == 0
    said = tripdeck.run("weekly", "--region", "Linz").output
    assert "104 weeks without trips" in said
    assert "Weekly average 0.02: 2 trips in 106 weeks." in said
    assert "Over the 2 weeks with trips: 1.00." in said
    assert said.count("\n") < 10


def test_a_file_that_is_no_trip_file_fails_with_its_reason(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("name,price\nchair,12\ntable,80\n", encoding="utf-8")
    answer = tripdeck.run("load", str(path), "--json")
    assert answer.status == 1
    assert (answer.json["state"], answer.json["rows_loaded"]) == ("failed", 0)
    assert answer.json["error"]["message"] in tripdeck.run("watch", str(answer.json["load_id"])).output


def test_no_wait_then_watch(tripdeck: CommandLine, tmp_path: Path) -> None:
    answer = tripdeck.run("load", str(make_file(tmp_path, seed=26)), "--no-wait", "--json")
    assert answer.status == 0
    assert answer.json["state"] in ("queued", "planning", "loading", "succeeded")
    watched = tripdeck.run("watch", str(answer.json["load_id"]), "--json")
    assert (watched.status, watched.json["state"], watched.json["rows_loaded"]) == (0, "succeeded", 50)


def test_undo_takes_the_trips_back_and_retry_loads_them_again(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "vienna.csv"
    path.write_bytes(make_file(tmp_path, seed=27).read_bytes().replace(b"Turin", b"Vienna"))
    number = str(tripdeck.run("load", str(path), "--json").json["load_id"])

    def count_trips() -> int:
        regions = tripdeck.run("regions", "--json").json["regions"]
        return sum(region["trips"] for region in regions if region["name"] == "Vienna")

    before = count_trips()
    assert before > 0
    undone = tripdeck.run("undo", number, "--json")
    assert (undone.status, undone.json["state"], count_trips()) == (0, "undone", 0)
    assert_one_line(tripdeck.run("undo", number), 1, f"Load {number} is undone")
    again = tripdeck.run("retry", number, "--json")
    assert (again.status, again.json["state"], count_trips()) == (0, "succeeded", before)


def test_progress_is_drawn_on_a_terminal_and_leaves_standard_output_alone(tripdeck: CommandLine, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = tripdeck.start("load", str(make_file(tmp_path, seed=31, rows=20_000)), stderr=theirs)
    os.close(theirs)
    drawn = b""
    with suppress(OSError):  # the terminal is gone when the process has ended
        while block := os.read(ours, 65_536):
            drawn += block
    os.close(ours)
    assert process.stdout is not None
    output = process.stdout.read().decode()
    process.stdout.close()
    assert process.wait() == 0
    assert "trips-31.csv: sending" in drawn.decode()
    assert "MiB" in drawn.decode()
    assert output.startswith("trips-31.csv: load ")
    assert "\x1b" not in output


# Files


def test_inspect_shows_how_a_file_is_read(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text(
        "region,origin_coord,destination_coord,datetime,datasource\n"
        "Turin,POINT (7.67 45.06),POINT (7.66 45.07),2026-05-05 08:00:00,cab\n"
        "Turin,POINT (7.67 95.06),POINT (7.66 45.07),2026-05-05 08:00:00,cab\n",
        encoding="utf-8",
    )
    answer = tripdeck.run("inspect", str(path), "--json").json
    assert (answer["rows_read"], answer["rows_rejected"], len(answer["trips"])) == (2, 1, 1)
    said = tripdeck.run("inspect", str(path)).output
    assert "2 rows looked at, 1 of them can't be loaded." in said
    assert "origin_out_of_range" in said
    assert "Format: CSV, utf-8, delimiter comma, 5 columns with a header." in said
    assert "Times: year first, such as 2026-05-05 08:00:00; kept as written." in said
    assert "Most of these trips begin in Turin" in said
    assert "datetime" in said
    assert "7.67" in said
    before = tripdeck.run("loads", "--json").json["loads"]
    assert all(load["file_name"] != "two.csv" for load in before)


def test_inspect_shows_the_first_rows_of_a_large_parquet_file(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "large.parquet"
    path.write_bytes(write_large_parquet())
    answer = tripdeck.run("inspect", str(path), "--json").json
    assert (answer["rows_read"], answer["trips"][1]["started_at"]) == (1000, "2026-03-02T08:01:00")
    assert (answer["suggested_region"], answer["notes"], answer["wanted"]) == ("Turin", [], [])


def test_inspect_says_what_counts_as_last_time_and_forgets_it(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "asked.csv"
    path.write_text("cab,from_point,to_point,at\n1,POINT (7.67 45.06),POINT (7.66 45.07),01/02/2026 08:00\n", encoding="utf-8")
    assert_question(tripdeck.run("inspect", str(path)), "--date-order")
    answer = tripdeck.run("load", str(path), "--date-order", "dmy", "--json")
    assert answer.json["state"] == "succeeded"
    assert f"As last time (load {answer.json['load_id']}): date_order 'dmy'." in tripdeck.run("inspect", str(path)).output
    assert_question(tripdeck.run("inspect", str(path), "--no-last-time"), "--date-order")
    assert_question(tripdeck.run("inspect", str(path), "--forget"), "--date-order")
    assert_question(tripdeck.run("inspect", str(path)), "--date-order")


def test_a_load_that_asks_prints_commands_and_one_of_them_answers(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "my asking.csv"
    path.write_text("cab,a_origin,a_destination,at\n1,POINT (7.67 45.06),POINT (7.66 45.07),01/02/2026 08:00\n", encoding="utf-8")
    failed = tripdeck.run("load", str(path), "--no-last-time")
    commands = [line.partition("    # ")[0].strip() for line in failed.errors.splitlines() if line.startswith("  tripdeck ")]
    assert (failed.status, len(commands)) == (1, 2), failed
    assert f"load '{path}' --no-last-time --date-order " in commands[1]
    document = tripdeck.run("load", str(path), "--no-last-time", "--json")
    assert (document.json["error"]["parameter"], len(document.json["error"]["choices"])) == ("date_order", 2)
    assert document.errors == ""
    answered = tripdeck.run(*shlex.split(commands[1])[1:], "--json")
    assert (answered.status, answered.json["rows_loaded"]) == (0, 1)
    watched = tripdeck.run("watch", str(document.json["load_id"]))
    assert "  tripdeck load 'my asking.csv' --date-order mdy    # Month first" in watched.errors


def test_notes_of_a_load_are_printed(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "zoned.csv"
    path.write_text(
        "region,origin_coord,destination_coord,datetime,datasource\n"
        "Turin,POINT (7.67 45.06),POINT (7.66 45.07),2026-05-06T08:00:00Z,zoned\n",
        encoding="utf-8",
    )
    note = "Note: Times in datetime are instants; they are converted to Europe/Rome."
    answer = tripdeck.run("load", str(path), "--timezone", "Europe/Rome")
    assert note in answer.output
    assert note in tripdeck.run("inspect", str(path), "--timezone", "Europe/Rome").output


def test_a_file_without_a_header_is_read_as_the_last_one(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "bare.csv"
    path.write_text("".join(f"0{day}/06/2026 08:00,7.67,45.06{day},7.66,45.07\n" for day in range(1, 6)), encoding="utf-8")
    answer = tripdeck.run("load", str(path), "--json", "--date-order", "dmy").json
    assert answer["state"] == "succeeded"
    found = tripdeck.run("inspect", str(path), "--json").json
    assert (found["as_last_time"]["load_id"], found["trips"][1]["started_at"]) == (answer["load_id"], "2026-06-02T08:00:00")
    assert f"As last time (load {answer['load_id']}): date_order 'dmy'." in tripdeck.run("inspect", str(path)).output


def test_generate_writes_what_it_says(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "made.csv"
    answer = tripdeck.run("generate", str(path), "--rows", "500", "--bad-share", "0.02", "--weeks", "3", "--json").json
    assert (answer["rows"], answer["bytes"]) == (500, path.stat().st_size)
    assert answer["rows_rejected"] > 0
    assert len(answer["weeks"]) == 3
    piped = finish(tripdeck.start("generate", "-", "--rows", "500", "--bad-share", "0.02", "--weeks", "3"))
    assert piped.output.encode() == path.read_bytes()


# Errors


def test_wrong_usage_is_one_line_and_status_2(tripdeck: CommandLine, tmp_path: Path) -> None:
    assert_one_line(tripdeck.run("load", str(tmp_path / "nothing.csv")), 2, "nothing.csv")
    assert_one_line(tripdeck.run("load", str(tmp_path)), 2, "folder")
    assert_one_line(tripdeck.run("load", "-"), 2, "--name")
    assert_one_line(tripdeck.run("weekly"), 2, "--region", "--bbox")
    assert_one_line(tripdeck.run("weekly", "--region", "Atlantis"), 2, "Atlantis")
    assert_one_line(tripdeck.run("weekly", "--bbox", "1,2,3"), 2, "W,S,E,N")
    assert_one_line(tripdeck.run("weekly", "--region", "Turin", "--from", "soon"), 2, "from")
    assert_one_line(tripdeck.run("groups", "--hours", "8"), 2, "A-B")
    assert_one_line(tripdeck.run("watch", "999999"), 2, "999999")
    assert_one_line(tripdeck.run("rejects", "999999"), 2, "999999")
    assert_one_line(tripdeck.run("questions", "why"), 2, "why")
    assert_one_line(tripdeck.run("regions", TRIPDECK_COLOUR="red"), 2, "TRIPDECK_COLOUR")
    file = str(make_file(tmp_path, seed=32))
    assert_one_line(tripdeck.run("load", file, "--timezone", "Mars/Olympus"), 2, "Mars/Olympus")
    assert_one_line(tripdeck.run("load", file, "--map", "started_at"), 2, "role=column")
    assert tripdeck.run("weekly", "--region", "Turin", "--end", "middle").status == 2
    assert tripdeck.run("load").status == 2
    names = {load["file_name"] for load in tripdeck.run("loads", "--limit", "100", "--json").json["loads"]}
    assert "trips-32.csv" not in names


def test_nothing_is_sent_when_one_of_the_files_is_missing(tripdeck: CommandLine, tmp_path: Path) -> None:
    first = make_file(tmp_path, seed=33)
    assert_one_line(tripdeck.run("load", str(first), str(tmp_path / "second.csv")), 2, "second.csv")
    names = {load["file_name"] for load in tripdeck.run("loads", "--limit", "100", "--json").json["loads"]}
    assert first.name not in names


def test_empty_file_fails(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.touch()
    answer = tripdeck.run("load", str(path), "--json")
    assert_one_line(answer, 1, "empty.csv is empty")
    assert answer.json["error"]["code"] == "empty_file"


def test_early_refusal_of_a_large_file_is_told(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(64 * 2**20)
    assert_one_line(tripdeck.run("load", str(path), "--timezone", "Mars/Olympus"), 2, "Mars/Olympus")


def test_hub_that_is_down_is_one_line(hub_settings: Settings, tmp_path: Path) -> None:
    [port] = find_free_ports(1)
    lonely = CommandLine(hub_settings.model_copy(update={"api_url": f"http://127.0.0.1:{port}"}))
    file = str(make_file(tmp_path, seed=34))
    for arguments in (("load", file), ("loads",), ("weekly", "--region", "Turin"), ("watch", "1")):
        assert_one_line(lonely.run(*arguments), 1, f"http://127.0.0.1:{port}", "does not answer")
    answer = lonely.run("loads", "--json")
    assert answer.json["error"]["code"] == "hub_unavailable"
