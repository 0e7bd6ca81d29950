"""Every figure of the challenge's file through `tripdeck … --json`."""

from typing import Any

import pytest

from tests.cli_fixtures import tripdeck
from tests.command_line import CommandLine
from tests.hub_fixtures import hub, hub_settings
from tests.shared_data import CHALLENGE_FILE, read_challenge_expected

__all__ = ["hub", "hub_settings", "tripdeck"]

ENDS = ("origin", "destination", "both", "either")
EXPECTED: dict[str, Any] = read_challenge_expected()
BOXES = {name: ",".join(name.split("_")[1:]) for name in EXPECTED["bbox"]}


@pytest.fixture(scope="module")
def load(tripdeck: CommandLine) -> dict[str, Any]:
    """The challenge's file, loaded."""
    answer = tripdeck.run("load", str(CHALLENGE_FILE), "--json")
    assert answer.status == 0, answer
    document: dict[str, Any] = answer.json
    return document


@pytest.fixture
def loaded(tripdeck: CommandLine, load: dict[str, Any]) -> CommandLine:
    assert load["rows_loaded"] == EXPECTED["rows"]
    return tripdeck


def test_load_accounts_for_every_row(load: dict[str, Any]) -> None:
    assert {name: load[name] for name in ("state", "rows_read", "rows_loaded", "rows_rejected", "rejects", "error")} == {
        "state": "succeeded",
        "rows_read": 100,
        "rows_loaded": 100,
        "rows_rejected": 0,
        "rejects": {},
        "error": None,
    }


def test_loading_it_again_names_the_first_load(loaded: CommandLine, load: dict[str, Any]) -> None:
    answer = loaded.run("load", str(CHALLENGE_FILE), "--json")
    assert answer.status == 0
    assert answer.json == {**load, "already_loaded_as": load["load_id"]}
    said = loaded.run("load", str(CHALLENGE_FILE))
    assert said.status == 0
    assert f"Already loaded as load {load['load_id']}." in said.output
    assert sum(region["trips"] for region in loaded.run("regions", "--json").json["regions"]) == 100


def test_weekly_average_of_all_regions(loaded: CommandLine) -> None:
    answer = loaded.run("weekly", "--bbox=-180,-90,180,90", "--json").json
    assert list_weeks(answer) == EXPECTED["weeks"]
    assert (answer["trips"], answer["weeks_counted"], answer["weekly_average"]) == (100, 5, EXPECTED["weekly_average_all"])


@pytest.mark.parametrize("region", EXPECTED["by_region"])
def test_weekly_average_of_a_region(region: str, loaded: CommandLine) -> None:
    expected = EXPECTED["by_region"][region]
    answer = loaded.run("weekly", "--region", region, "--json").json
    assert list_weeks(answer) == expected["weeks"]
    assert answer["trips"] == EXPECTED["regions"][region]
    assert answer["weeks_counted"] == 5
    assert answer["weekly_average"] == expected["weekly_average_over_weeks_with_trips"]  # no week without trips


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("box", BOXES)
def test_weekly_average_in_a_box(box: str, end: str, loaded: CommandLine) -> None:
    expected = EXPECTED["bbox"][box][end]
    answer = loaded.run("weekly", "--bbox", BOXES[box], "--end", end, "--json").json
    assert {week: trips for week, trips in list_weeks(answer).items() if trips} == expected["weeks"]
    assert answer["trips"] == expected["trips"]
    assert answer["weeks_counted"] == 5
    assert answer["weekly_average"] == pytest.approx(expected["trips"] / 5)
    assert answer["weeks_with_trips"] == len(expected["weeks"])
    assert answer["average_over_weeks_with_trips"] == pytest.approx(expected["weekly_average_over_weeks_with_trips"])


@pytest.mark.parametrize("region", EXPECTED.get("origin_bbox_by_region", {}))
def test_smallest_box_around_a_region_holds_it_whole(region: str, loaded: CommandLine) -> None:
    west, south, east, north = EXPECTED["origin_bbox_by_region"][region]
    answer = loaded.run("weekly", "--region", region, "--bbox", f"{west},{south},{east},{north}", "--json").json
    assert answer["trips"] == EXPECTED["regions"][region]


def test_regions_and_datasources(loaded: CommandLine) -> None:
    for noun in ("regions", "datasources"):
        answer = loaded.run(noun, "--json").json
        assert {row["name"]: row["trips"] for row in answer[noun]} == EXPECTED[noun]
    times = [row[name] for row in loaded.run("regions", "--json").json["regions"] for name in ("first_at", "last_at")]
    assert (min(times), max(times)) == (EXPECTED["min_datetime"], EXPECTED["max_datetime"])


def test_no_two_trips_of_the_file_are_similar(loaded: CommandLine) -> None:
    groups = loaded.run("groups", "--limit", "200", "--json").json["groups"]
    assert len(groups) == EXPECTED["groups_rounded_coords_same_hour"]["2_decimals"]["groups"]
    assert {group["trips"] for group in groups} == {1}


def test_latest_datasource_of_the_two_most_common_regions(loaded: CommandLine) -> None:
    answer = loaded.run("questions", "latest_datasource_of_top_regions", "--json").json
    assert answer["rows"] == [EXPECTED["bonus_latest_datasource_in_top2"]]
    answer = loaded.run("questions", "latest_datasource_per_top_region", "--json").json
    rows = [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]
    assert [row["region"] for row in rows] == EXPECTED["bonus_top2_regions"]
    assert {row["region"]: row["datasource"] for row in rows} == EXPECTED["bonus_latest_datasource_per_top2_region"]


def test_regions_of_a_datasource(loaded: CommandLine) -> None:
    answer = loaded.run("questions", "regions_of_datasource", "--json").json
    assert [row[0] for row in answer["rows"]] == EXPECTED["bonus_cheap_mobile_regions"]
    named = loaded.run("questions", "regions_of_datasource", "--param", "datasource=cheap_mobile", "--json").json
    assert named == answer


def list_weeks(answer: dict[str, Any]) -> dict[str, int]:
    return {week["week"]: week["trips"] for week in answer["weeks"]}
