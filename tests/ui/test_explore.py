"""Explore without a browser: what it answers, for which address, and how box, filters and address follow each other."""

from typing import Any

import pytest
import shapely
from streamlit.testing.v1 import AppTest

from loader.pipeline.context import Context
from shared.places.geometry import make_place
from shared.places.model import NewPlaceSet
from shared.places.reading import list_places
from shared.places.storing import add_place_set
from tests.shared_data import read_challenge_expected
from tests.ui.conftest import OpenPage, metrics, texts

pytestmark = pytest.mark.usefixtures("challenge")

AVERAGE = "Trips a week, on average"
BOXES = {"prague_14.0_49.9_14.7_50.2": "14,49.9,14.7,50.2", "turin_7.5_45.0_7.7_45.1": "7.5,45,7.7,45.1"}


def expected_boxes() -> list[Any]:
    boxes = read_challenge_expected()["bbox"]
    return [
        pytest.param(BOXES[box], end, answer, id=f"{box}-{end}") for box, ends in boxes.items() for end, answer in ends.items()
    ]


def find_key(app: AppTest, name: str) -> str:
    """The key of a control or chart now; see ui/session/widget_keys.py."""
    turn = f"{name}_turn"
    return f"turn_{name}_{app.session_state[turn] if turn in app.session_state else 0}"  # noqa: SIM401 - it has no get


def draw_box(app: AppTest, edges: list[float] | None, seq: int = 1) -> AppTest:
    app.session_state["map"] = {"bbox": {"v": edges, "seq": seq}}
    app.run()
    assert not app.exception
    return app


def test_all_trips(open_page: OpenPage) -> None:
    app = open_page()
    assert metrics(app) == {AVERAGE: "20.0", "Trips": "100", "Weeks": "5"}
    assert "100 trips over 5 weeks, 30 Apr – 3 Jun 2018; first and last week partial." in texts(app)  # noqa: RUF001


@pytest.mark.parametrize(("region", "average"), [("Turin", "7.6"), ("Prague", "6.8"), ("Hamburg", "5.6")])
def test_choosing_a_region(open_page: OpenPage, region: str, average: str) -> None:
    app = open_page()
    app.selectbox(key=find_key(app, "region")).set_value(region).run()
    assert metrics(app)[AVERAGE] == average
    assert app.query_params["region"] == region


@pytest.mark.parametrize(("bbox", "end", "answer"), expected_boxes())
def test_a_box_in_the_address(open_page: OpenPage, bbox: str, end: str, answer: dict[str, Any]) -> None:
    app = open_page(bbox=bbox, end=end)
    assert metrics(app)["Trips"] == str(answer["trips"])
    assert metrics(app)[AVERAGE] == f"{answer['trips'] / 5:.1f}"


def test_a_drawn_box_and_each_end(open_page: OpenPage) -> None:
    app = draw_box(open_page(), [7.5, 45.0, 7.7, 45.1])
    seen = {}
    for end in ("origin", "destination", "both", "either"):
        app.segmented_control(key=find_key(app, "end")).set_value(end).run()
        seen[end] = metrics(app)["Trips"]
    assert seen == {"origin": "20", "destination": "14", "both": "7", "either": "27"}
    assert app.query_params["bbox"] == "7.5,45,7.7,45.1"
    assert [app.number_input(key=find_key(app, f"box_{edge}")).value for edge in ("west", "south", "east", "north")] == [
        7.5,
        45.0,
        7.7,
        45.1,
    ]


def test_a_box_is_cleared_on_the_map_and_on_the_page(open_page: OpenPage) -> None:
    app = draw_box(open_page(bbox="7.5,45,7.7,45.1"), None)
    assert metrics(app)["Trips"] == "100"
    assert "bbox" not in app.query_params
    draw_box(app, [7.5, 45.0, 7.7, 45.1], seq=2)
    app.button(key="clear_box").click().run()
    assert metrics(app)["Trips"] == "100"


def test_a_drawn_shape_counts_as_a_box_does_and_is_replaced_by_one(open_page: OpenPage) -> None:
    rings = [[[7.5, 45.0], [7.7, 45.0], [7.7, 45.1], [7.5, 45.1]]]
    app = open_page()
    app.session_state["map"] = {"bbox": {"v": {"rings": rings}, "seq": 1}}
    app.run()
    assert metrics(app)["Trips"] == "20"
    assert "start in the shape" in texts(app)
    assert metrics(open_page(shape=app.query_params["shape"]))["Trips"] == "20"
    draw_box(app, [-180.0, -90.0, 180.0, 90.0], seq=2)
    assert metrics(app)["Trips"] == "100"
    assert "shape" not in app.query_params
    app.button(key="undo").click().run()
    assert metrics(app)["Trips"] == "20"
    app.button(key="clear_box").click().run()
    assert app.query_params == {}


def test_a_named_area_in_the_address(open_page: OpenPage, context: Context) -> None:
    turin = make_place("core", "Core of Turin", shapely.box(7.5, 45.0, 7.7, 45.1))
    added = add_place_set(context.engine, NewPlaceSet("areas", "drawn"), [turin])
    with context.engine.connect() as connection:
        [place] = list_places(connection, added.place_set_id)
    app = open_page(area=str(place.place_id))
    assert metrics(app)["Trips"] == "20"
    assert "start in Core of Turin" in texts(app)
    assert app.query_params["area"] == str(place.place_id)
    app = open_page(area=str(place.place_id + 1))
    assert metrics(app)["Trips"] == "100"
    assert f"no place {place.place_id + 1}" in texts(app)


def test_numbers_make_a_box_when_all_four_are_there(open_page: OpenPage) -> None:
    app = open_page()
    for edge, value in (("west", 7.5), ("south", 45.0), ("east", 7.7)):
        app.number_input(key=find_key(app, f"box_{edge}")).set_value(value)
    app.run()
    assert metrics(app)["Trips"] == "100"
    for edge, value in (("west", 7.5), ("south", 45.0), ("east", 7.7), ("north", 45.1)):
        app.number_input(key=find_key(app, f"box_{edge}")).set_value(value)
    app.run()
    assert metrics(app)["Trips"] == "20"


def test_a_period_and_its_undo(open_page: OpenPage) -> None:
    app = open_page(from_="2018-05-07", to="2018-05-20")
    assert metrics(app) == {AVERAGE: "19.5", "Trips": "39", "Weeks": "2"}
    app.button(key="undo").click().run()
    assert metrics(app)["Trips"] == "100"
    assert app.query_params == {}


def test_a_brush_along_the_weeks_is_a_period_of_whole_weeks(open_page: OpenPage) -> None:
    app = open_page()
    # 9 May 2018 to 16 May 2018, UTC, in milliseconds: touches the weeks of 7 and 14 May.
    app.session_state[find_key(app, "weekly_chart")] = {"selection": {"period": {"start": [1525824000000, 1526428800000]}}}
    app.run()
    assert metrics(app)["Trips"] == "39"
    assert (app.query_params["from"], app.query_params["to"]) == ("2018-05-07", "2018-05-20")


def test_a_chart_that_comes_anew_says_nothing(open_page: OpenPage) -> None:
    app = open_page(from_="2018-05-07", to="2018-05-20")
    app.button(key="all_weeks").click().run()
    app.run()
    app.button(key="undo").click().run()
    app.run()
    app.run()
    assert metrics(app)["Trips"] == "39"


def test_a_click_on_a_week_chooses_it(open_page: OpenPage) -> None:
    app = open_page()
    app.session_state[find_key(app, "weekly_chart")] = {"selection": {"period": {}, "click": [{"bin": "2018-05-14"}]}}
    app.run()
    assert (app.query_params["from"], app.query_params["to"]) == ("2018-05-14", "2018-05-20")


def test_weekdays_and_hours_filter_every_number(open_page: OpenPage) -> None:
    app = open_page(region="Turin")
    app.session_state[find_key(app, "weekdays_chart")] = {"selection": {"weekdays": {"bin": [6.0, 8.0]}}}
    app.run()
    assert app.query_params["weekdays"] == "6-7"
    weekend = int(metrics(app)["Trips"])
    assert ", Sat, Sun" in texts(app)
    app.selectbox(key=find_key(app, "days")).set_value(frozenset(range(1, 6))).run()
    assert app.query_params["weekdays"] == "1-5"
    assert weekend + int(metrics(app)["Trips"]) == 38
    app.session_state[find_key(app, "hours_chart")] = {"selection": {"hours": {}, "click": [{"bin": 6}]}}
    app.run()
    assert app.query_params["hours"] == "6-7"
    groups = app.dataframe[0].value
    assert set(groups["Time of day"]) == {"06:00–07:00"}  # noqa: RUF001
    assert sum(groups["Trips"]) == int(metrics(app)["Trips"])


def test_two_periods_compared(open_page: OpenPage) -> None:
    app = open_page(from_="2018-05-14", to="2018-05-20")
    ours = float(metrics(app)[AVERAGE])
    app.button(key="compare_before").click().run()
    assert (app.query_params["compare_from"], app.query_params["compare_to"]) == ("2018-05-07", "2018-05-13")
    shown = metrics(app)
    others = float(shown["In the other period"])
    assert float(shown[AVERAGE]) == ours
    assert float(shown["Difference"].replace("\N{MINUS SIGN}", "-")) == pytest.approx(ours - others)
    assert shown["Ratio"] == f"\N{MULTIPLICATION SIGN} {ours / others:.2f}"
    assert "Compared with 7 May" in texts(app)
    app.button(key="compare_off").click().run()
    assert "Ratio" not in metrics(app)


def test_a_row_opens_its_group(open_page: OpenPage) -> None:
    app = open_page(region="Turin")
    first = app.dataframe[0].value.iloc[0]
    app.session_state["groups"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    assert not app.exception
    assert f"{first['From']} ({first['From cell']}) → {first['To']} ({first['To cell']})" in texts(app)
    samples = app.dataframe[0].value
    assert list(samples.columns) == ["Start", "Duration", "From", "To", "Datasource", "Load"]
    assert len(samples) == int(first["Trips"])


def test_playing_the_day_is_in_the_address_and_off_at_first(open_page: OpenPage) -> None:
    app = open_page(region="Turin")
    assert "play" not in app.query_params
    app.button(key="play").click().run()
    assert not app.exception
    assert app.query_params["play"] == "day"
    assert app.button(key="play").label == "Stop playing the day"


def test_an_empty_box_says_so(open_page: OpenPage) -> None:
    app = open_page(bbox="0,0,1,1")
    assert metrics(app)["Trips"] == "0"
    assert "No trips that start in the box between 30 Apr 2018 and 3 Jun 2018." in texts(app)


def test_an_address_that_makes_no_sense_is_reported_and_the_rest_counts(open_page: OpenPage) -> None:
    app = open_page(region="Turin", end="sideways", bbox="1,2,3")
    assert metrics(app)[AVERAGE] == "7.6"
    assert "end=sideways" in texts(app)
    assert "bbox=1,2,3" in texts(app)


def test_a_region_that_is_not_there(open_page: OpenPage) -> None:
    app = open_page(region="Atlantis")
    assert "There is no region 'Atlantis'" in texts(app)


def test_reset_drops_every_filter(open_page: OpenPage) -> None:
    app = open_page(region="Turin", bbox="7.5,45,7.7,45.1", end="both", hours="7-10")
    app.button(key="reset").click().run()
    assert metrics(app)["Trips"] == "100"
    assert app.query_params == {}


def test_the_table_holds_the_trip_groups_of_the_hours(open_page: OpenPage) -> None:
    groups = open_page(region="Turin", hours="7-10").dataframe[0].value
    assert set(groups["Time of day"]) <= {"07:00–08:00", "08:00–09:00", "09:00–10:00"}  # noqa: RUF001
    assert set(groups["Region"]) == {"Turin"}
