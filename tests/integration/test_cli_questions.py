"""Questions on the command line: what it prints, against a real hub and trips that a real worker loaded."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from loader.sample.generate import Tally
from shared.services.database import transaction
from tests.cli_fixtures import big_load, tripdeck
from tests.command_line import CommandLine, assert_one_line
from tests.hub_fixtures import hub, hub_engine, hub_settings

__all__ = ["big_load", "hub", "hub_engine", "hub_settings", "tripdeck"]


@pytest.mark.parametrize("option", [("--bbox", "-74,40,-73,41"), ("--bbox=-74,40,-73,41",)])
def test_boxes_west_of_greenwich(option: tuple[str, ...], tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "york.csv"
    path.write_text(
        "region,origin_coord,destination_coord,datetime,datasource\n"
        "New York,POINT (-73.9857 40.7484),POINT (-73.7781 40.6413),2026-05-05 08:00:00,cab\n",
        encoding="utf-8",
    )
    assert tripdeck.run("load", str(path), "--json").status == 0  # the second time it is there already
    answer = tripdeck.run("weekly", *option, "--end", "both", "--datasource", "cab", "--json")
    assert (answer.status, answer.json["trips"]) == (0, 1)


def test_groups_by_cell_and_time_of_day(big_load: tuple[dict[str, Any], Tally], tripdeck: CommandLine) -> None:
    assert big_load[0]["state"] == "succeeded"
    arguments = ("groups", "--region", "Prague", "--precision", "4", "--bucket-minutes", "240", "--hours", "8-16", "--limit", "5")
    groups = tripdeck.run(*arguments, "--json").json["groups"]
    assert 0 < len(groups) <= 5
    assert {len(group["origin_cell"]) for group in groups} == {4}
    assert {group["bucket_minute"] for group in groups} <= {480, 720}
    assert [group["trips"] for group in groups] == sorted((group["trips"] for group in groups), reverse=True)
    assert groups[0]["origin_cell"] in tripdeck.run(*arguments).output


def test_a_shape_is_an_area(big_load: tuple[dict[str, Any], Tally], tripdeck: CommandLine, tmp_path: Path) -> None:
    west, south, east, north = 7.6, 45.0, 7.7, 45.1
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    path = tmp_path / "box.geojson"
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}), encoding="utf-8")
    for command in (("weekly",), ("histogram",), ("groups", "--precision", "5")):
        in_box = tripdeck.run(*command, f"--bbox={west},{south},{east},{north}", "--end", "either", "--json").json
        in_shape = tripdeck.run(*command, "--shape", str(path), "--end", "either", "--json").json
        assert in_shape.get("trips") != 0
        assert {**in_shape, "next": None} == {**in_box, "next": None}
    feature = {"type": "Feature", "properties": {"id": "b1"}, "geometry": json.loads(path.read_text(encoding="utf-8"))}
    places = tmp_path / "areas.geojson"
    places.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    assert tripdeck.run("places", "add", str(places), "--name", "areas").status == 0
    in_area = tripdeck.run("weekly", "--area", "areas/b1", "--end", "either", "--json").json
    assert in_area == tripdeck.run("weekly", "--shape", str(path), "--end", "either", "--json").json
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [ring[:4]]}), encoding="utf-8")
    assert_one_line(tripdeck.run("weekly", "--shape", str(path)), 2, "not closed")
    path.write_text("nothing", encoding="utf-8")
    assert_one_line(tripdeck.run("weekly", "--shape", str(path)), 2, "no JSON")
    assert_one_line(tripdeck.run("weekly", "--shape", str(tmp_path / "nowhere.json")), 2, "can't be read")


def test_groups_come_in_pages(big_load: tuple[dict[str, Any], Tally], tripdeck: CommandLine) -> None:
    asked = ("groups", "--region", "Turin", "--precision", "5")
    arguments = (*asked, "--json")
    page = tripdeck.run(*arguments, "--limit", "3").json
    token = page["next"].rpartition("after=")[2]
    following = tripdeck.run(*arguments, "--limit", "2", "--after", token).json["groups"]
    assert [*page["groups"], *following] == tripdeck.run(*arguments, "--limit", "5").json["groups"]
    assert_one_line(tripdeck.run(*asked, "--after", "nonsense"), 2, "after")


def test_one_group(big_load: tuple[dict[str, Any], Tally], tripdeck: CommandLine) -> None:
    [group] = tripdeck.run("groups", "--region", "Prague", "--precision", "4", "--limit", "1", "--json").json["groups"]
    at = "{:02}:{:02}".format(*divmod(group["bucket_minute"], 60))
    arguments = ("group", group["origin_cell"], group["destination_cell"], "--at", at, "--region", "Prague")
    detail = tripdeck.run(*arguments, "--json").json
    assert detail["trips"] == group["trips"] == sum(week["trips"] for week in detail["weeks"])
    assert detail["hours"][group["bucket_minute"] // 60] == group["trips"]
    assert detail["samples"][0]["started_at"].startswith(group["last_on"])
    assert f"{group['trips']} trips, the newest:" in tripdeck.run(*arguments).output
    assert tripdeck.run(*arguments[:3], "--region", "Turin").output.strip() == "No trips under these filters."
    assert_one_line(tripdeck.run("group", "u0", "u1", "--at", "8"), 2, "HH:MM")


@pytest.mark.usefixtures("big_load")
def test_a_histogram(tripdeck: CommandLine) -> None:
    answer = tripdeck.run("histogram", "--by", "weekday", "--region", "Turin", "--weekdays", "6,7", "--json").json
    assert [each["trips"] > 0 for each in answer["bins"]] == [False] * 5 + [True] * 2
    whole = tripdeck.run("histogram", "--region", "Turin", "--json").json
    assert whole["trips"] == sum(each["trips"] for each in whole["bins"])
    assert whole["trips"] == tripdeck.run("weekly", "--region", "Turin", "--json").json["trips"] > 1_000
    assert "Sunday" in tripdeck.run("histogram", "--by", "weekday").output
    assert "no file tells the end" in tripdeck.run("histogram", "--by", "duration").output


@pytest.mark.usefixtures("big_load")
def test_check_tells_whether_everything_agrees(tripdeck: CommandLine, hub_engine: Engine) -> None:
    answer = tripdeck.run("check", "--json")
    assert (answer.status, answer.json["is_right"]) == (0, True)
    assert {"check_trips", "check_rollup_week", "check_blocks"} <= {each["check"] for each in answer.json["checks"]}
    with transaction(hub_engine) as connection:
        connection.exec_driver_sql("update rollup_week set trips = trips + 1")
    try:
        wrong = tripdeck.run("check", "--json")
        assert (wrong.status, wrong.json["is_right"]) == (1, False)
        assert {each["check"] for each in wrong.json["checks"] if each["problems"]} == {"check_rollup_week"}
        told = tripdeck.run("check", "--load", "1")
        assert told.status == 1
        assert "check_rollup_week: load 1, rollup_week 2026-" in told.output
    finally:
        with transaction(hub_engine) as connection:
            connection.exec_driver_sql("update rollup_week set trips = trips - 1")


def test_two_periods_compared(big_load: tuple[dict[str, Any], Tally], tripdeck: CommandLine) -> None:
    periods = ("--from", "2026-03-02", "--to", "2026-03-15", "--compare-from", "2026-03-16", "--compare-to", "2026-03-29")
    answer = tripdeck.run("weekly", "--region", "Turin", *periods, "--json").json
    ours, others = answer["weekly_average"], answer["comparison"]["other"]["weekly_average"]
    assert (answer["comparison"]["difference"], answer["comparison"]["ratio"]) == (ours - others, ours / others)
    assert "times as many" in tripdeck.run("weekly", "--region", "Turin", *periods).output


def test_human_output_of_questions(big_load: tuple[dict[str, Any], Tally], tripdeck: CommandLine) -> None:
    assert big_load[0]["state"] == "succeeded"
    weekly = tripdeck.run("weekly", "--region", "Hamburg").output
    assert "Weekly average " in weekly
    assert "█" in weekly
    assert "Hamburg" in tripdeck.run("regions").output
    assert "pt_search_app" in tripdeck.run("datasources").output
    assert "cheap_mobile" in tripdeck.run("questions").output
    assert "Hamburg" in tripdeck.run("questions", "regions_of_datasource", "--param", "datasource=baba_car").output
