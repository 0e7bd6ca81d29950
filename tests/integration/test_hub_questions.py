"""Questions over REST: the challenge's figures, the forms of tables, and copies that are asked for again."""

import csv
import io
import json
from typing import Any

import polars as pl
import pytest
import shapely
from jsonschema import Draft202012Validator
from sqlalchemy import Engine

from shared.domain.trip_end import ENDS
from shared.events import record_event
from shared.places.geometry import make_place
from shared.places.model import NewPlaceSet
from shared.places.reading import find_place
from shared.places.storing import add_place_set
from shared.services.database import execute, transaction
from tests.hub import HubServer
from tests.hub_fixtures import hub, hub_engine, hub_settings
from tests.shared_data import CHALLENGE_FILE, read_challenge_expected
from tests.trip_maker import insert_trips, read_challenge

__all__ = ["hub", "hub_engine", "hub_settings"]

CSV = "text/csv"


@pytest.fixture(scope="module", autouse=True)
def load_id(hub_engine: Engine) -> int:
    with transaction(hub_engine) as connection:
        made = insert_trips(connection, read_challenge(CHALLENGE_FILE))
        record_event(connection, made, "succeeded")
    return made


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return read_challenge_expected()


@pytest.fixture(scope="module")
def description(hub: HubServer) -> dict[str, Any]:
    document: dict[str, Any] = hub.get("/openapi.json").json()
    return document


def test_expected_figures(hub: HubServer, expected: dict[str, Any]) -> None:
    answer = hub.get("/api/v1/weekly-average").json()
    assert [week["trips"] for week in answer["weeks"]] == [23, 20, 19, 26, 12]
    assert (answer["trips"], answer["weeks_counted"], answer["weekly_average"]) == (100, 5, 20.0)
    averages = {
        region: hub.get("/api/v1/weekly-average", region=region).json()["weekly_average"]
        for region in ("Turin", "Prague", "Hamburg")
    }
    assert averages == {"Turin": 7.6, "Prague": 6.8, "Hamburg": 5.6}


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/weekly-average",
        "/api/v1/trip-groups",
        "/api/v1/trip-groups/detail?origin_cell=u0&destination_cell=u0",
        "/api/v1/flows",
        "/api/v1/hours",
        "/api/v1/histograms",
        "/api/v1/regions",
        "/api/v1/datasources",
        "/api/v1/questions",
        "/api/v1/questions/regions_of_datasource",
        "/api/v1/loads",
        "/api/v1/loads/1",
        "/api/v1/loads/1/rejects",
        "/api/v1/loads/77",
        "/healthz",
        "/readyz",
    ],
)
def test_answers_are_what_the_description_says(hub: HubServer, description: dict[str, Any], path: str) -> None:
    template = (
        path.partition("?")[0]
        .replace("loads/1", "loads/{load_id}")
        .replace("loads/77", "loads/{load_id}")
        .replace("regions_of_datasource", "{name}")
    )
    answer = hub.get(path)
    described = description["paths"][template]["get"]["responses"][str(answer.status)]
    if "$ref" in described:
        described = description["components"]["responses"][str(answer.status)]
    content = described["content"][answer.headers["Content-Type"].partition(";")[0]]
    schema = {**content["schema"], "components": description["components"]}
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(answer.json())
    assert not Draft202012Validator(schema).is_valid({"surprise": 1})


def test_the_bonus_questions(hub: HubServer) -> None:
    names = [question["name"] for question in hub.get("/api/v1/questions").json()["questions"]]
    assert "regions_of_datasource" in names
    answer = hub.get("/api/v1/questions/regions_of_datasource", datasource="cheap_mobile").json()
    assert answer == {"columns": ["region"], "rows": [["Hamburg"], ["Prague"], ["Turin"]]}


@pytest.mark.parametrize(
    ("path", "columns"),
    [
        ("/api/v1/weekly-average", ["week", "trips", "is_partial"]),
        ("/api/v1/trip-groups", ["region", "origin_cell", "origin_name", "destination_cell", "destination_name"]),
        ("/api/v1/flows", ["origin", "destination", "trips"]),
        ("/api/v1/hours", ["hour", "trips"]),
        ("/api/v1/histograms", ["bin", "label", "trips"]),
        ("/api/v1/regions", ["name", "trips", "first_at", "last_at"]),
        ("/api/v1/datasources", ["name", "trips", "first_at", "last_at"]),
        ("/api/v1/questions/regions_of_datasource", ["region"]),
    ],
)
def test_tables_come_in_every_form(hub: HubServer, path: str, columns: list[str]) -> None:
    by_form = {form: hub.get(path, format=form) for form in ("csv", "parquet", "arrow")}
    rows = list(csv.DictReader(io.StringIO(by_form["csv"].data.decode())))
    parquet = pl.read_parquet(io.BytesIO(by_form["parquet"].data))
    arrow = pl.read_ipc_stream(io.BytesIO(by_form["arrow"].data))
    assert list(rows[0])[: len(columns)] == parquet.columns[: len(columns)] == columns
    assert arrow.equals(parquet)
    assert len(rows) == parquet.height > 0
    assert "attachment" in by_form["csv"].headers["Content-Disposition"]
    assert hub.get(path, headers={"Accept": f"{CSV}, */*;q=0.1"}).data == by_form["csv"].data


@pytest.mark.parametrize("path", ["/api/v1/trip-groups", "/api/v1/flows"])
def test_maps_come_as_geojson(hub: HubServer, path: str) -> None:
    answer = hub.get(path, format="geojson")
    features = answer.json()["features"]
    assert answer.headers["Content-Type"] == "application/geo+json"
    assert sum(feature["properties"]["trips"] for feature in features) == 100
    for feature in features:
        for longitude, latitude in feature["geometry"]["coordinates"]:
            assert 7 < longitude < 15
            assert 44 < latitude < 54


@pytest.mark.parametrize(("path", "rows"), [("/api/v1/trip-groups", "groups"), ("/api/v1/flows", "flows")])
def test_pages_follow_each_other(hub: HubServer, path: str, rows: str) -> None:
    whole = hub.get(path, limit=1000, region="Turin").json()
    assert whole["next"] is None
    found, following = [], f"{path}?limit=7&region=Turin"
    while following:
        answer = hub.get(following)
        found += answer.json()[rows]
        following = answer.json()["next"]
        assert answer.headers.get("Link") == (f'<{following}>; rel="next"' if following else None)
    assert found == whole[rows] != []
    error = hub.get(path, after="WzEsMl0").json()
    assert error["parameter"] == "after"


def test_a_group_in_detail(hub: HubServer) -> None:
    group = hub.get("/api/v1/trip-groups", limit=1, precision=3, bucket_minutes=240).json()["groups"][0]
    asked = {name: group[name] for name in ("origin_cell", "destination_cell", "bucket_minute", "region")} | {
        "bucket_minutes": 240
    }
    detail = hub.get("/api/v1/trip-groups/detail", **asked).json()
    assert detail["trips"] == group["trips"] == sum(week["trips"] for week in detail["weeks"])
    geojson = hub.get("/api/v1/trip-groups/detail", **asked, samples=1, format="geojson").json()
    [newest] = geojson["features"]
    assert newest["properties"]["started_at"].startswith(group["last_on"])
    answer = hub.get("/api/v1/trip-groups/detail", origin_cell="ai", destination_cell="u0")
    assert (answer.status, answer.json()["parameter"]) == (400, "origin_cell")


def test_hours_and_weekdays_filter_every_question(hub: HubServer) -> None:
    asked = {"hour_from": 22, "hour_to": 6, "weekdays": "weekend"}
    expected = sum(
        trip.started_at.isoweekday() > 5 and (trip.started_at.hour >= 22 or trip.started_at.hour < 6)
        for trip in read_challenge(CHALLENGE_FILE)
    )
    assert 0 < expected < 100
    assert hub.get("/api/v1/weekly-average", **asked).json()["trips"] == expected
    assert hub.get("/api/v1/flows", **asked).json()["trips"] == expected
    assert sum(group["trips"] for group in hub.get("/api/v1/trip-groups", **asked).json()["groups"]) == expected
    assert hub.get("/api/v1/histograms", by="weekday", **asked).json()["trips"] == expected
    assert sum(hub.get("/api/v1/hours", weekdays="1-5").json()["hours"][7:8]) == sum(
        trip.started_at.isoweekday() < 6 and trip.started_at.hour == 7 for trip in read_challenge(CHALLENGE_FILE)
    )


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"weekdays": "0-3"}, "weekdays"),
        ({"hour_from": 25}, "hour_from"),
        ({"hour_from": 3, "hour_to": 3}, "hour_to"),
        ({"compare_from": "2018-05-20", "compare_to": "2018-05-01"}, "compare_from"),
    ],
)
def test_a_filter_without_sense_is_named(hub: HubServer, asked: dict[str, Any], parameter: str) -> None:
    answer = hub.get("/api/v1/weekly-average", **asked)
    assert (answer.status, answer.json()["parameter"]) == (400, parameter)


BOX = (7.6, 45.0, 7.7, 45.1)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("weekly-average", {}),
        ("histograms", {"by": "duration"}),
        ("hours", {}),
        ("flows", {"precision": 5}),
        ("trip-groups", {"bucket_minutes": 30, "limit": 2}),
    ],
)
def test_a_shape_counts_as_the_same_box_does(hub: HubServer, path: str, asked: dict[str, Any]) -> None:
    west, south, east, north = BOX
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    body = {"shape": {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}}
    for end in ENDS:
        in_box = hub.get(f"/api/v1/{path}", bbox=",".join(map(str, BOX)), end=end, **asked).json()
        in_shape = hub.post(f"/api/v1/{path}", body, end=end, **asked).json()
        following = in_box.pop("next", None), in_shape.pop("next", None)
        assert in_shape == in_box
        if following[1]:
            assert hub.post(following[1], body).json()["groups"] == hub.get(following[0]).json()["groups"]


def test_a_named_area_is_an_area(hub: HubServer, hub_engine: Engine) -> None:
    places = [make_place("1", "The box", shapely.box(*BOX)), make_place("2", "A point", shapely.Point(7.6, 45.0))]
    add_place_set(hub_engine, NewPlaceSet("areas", "zones"), places)
    with transaction(hub_engine) as connection:
        place_id = find_place(connection, "areas/The box").place_id
    for path, asked in (("weekly-average", {}), ("histograms", {"by": "hour"}), ("flows", {"precision": 5}), ("hours", {})):
        in_box = hub.get(f"/api/v1/{path}", bbox=",".join(map(str, BOX)), end="either", **asked).json()
        for name in (place_id, "The box", "areas/The box"):
            answer = hub.get(f"/api/v1/{path}", area=name, end="either", **asked)
            assert {**answer.json(), "next": None} == {**in_box, "next": None}
        assert (
            hub.get(f"/api/v1/{path}", headers={"If-None-Match": answer.headers["ETag"]}, area=name, end="either", **asked).status
            == 304
        )
    for wrong, status in (("A point", 400), ("nowhere", 404), ("999999999", 404), ("9" * 900, 404)):
        assert hub.get("/api/v1/weekly-average", area=wrong).status == status
    both = hub.get("/api/v1/weekly-average", area="The box", bbox="0,0,1,1")
    assert (both.status, both.json()["parameter"]) == (400, "area")


def test_a_shape_without_sense_is_named(hub: HubServer) -> None:
    ring = [[0, 0], [1, 0], [1, 1]]
    for body, extra in (({"shape": {"type": "Polygon", "coordinates": [ring]}}, {}), ({"shape": 1}, {}), ({}, {})):
        answer = hub.post("/api/v1/weekly-average", body, **extra)
        assert (answer.status, answer.json()["parameter"]) == (400, "shape")
    both = hub.post("/api/v1/weekly-average", {"shape": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}}, bbox="0,0,1,1")
    assert (both.status, both.json()["parameter"]) == (400, "bbox")
    assert hub.post("/api/v1/weekly-average", {"shape": {"type": "Polygon", "coordinates": [[[0, 0]] * 2_000_000]}}).status == 413


def test_two_periods_compared(hub: HubServer) -> None:
    answer = hub.get(
        "/api/v1/weekly-average",
        **{"from": "2018-04-30", "to": "2018-05-13"},
        compare_from="2018-05-14",
        compare_to="2018-05-27",
    ).json()
    assert [week["trips"] for week in answer["weeks"]] == [23, 20]
    assert [week["trips"] for week in answer["comparison"]["other"]["weeks"]] == [19, 26]
    assert answer["comparison"]["difference"] == 21.5 - 22.5
    assert answer["comparison"]["ratio"] == 21.5 / 22.5
    assert hub.get("/api/v1/weekly-average").json()["comparison"] is None


def test_a_browser_gets_json(hub: HubServer) -> None:
    answer = hub.get("/api/v1/weekly-average", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.headers["Content-Type"] == "application/json"


def test_defaults_come_from_the_settings(hub: HubServer) -> None:
    assert hub.get("/api/v1/flows").json() == hub.get("/api/v1/flows", precision=6).json()
    assert hub.get("/api/v1/flows", precision=4).json()["precision"] == 4


def test_a_copy_is_good_until_the_next_commit(hub: HubServer, hub_engine: Engine, load_id: int) -> None:
    path, asked = "/api/v1/weekly-average", {"region": "Turin"}
    tag = hub.get(path, **asked).headers["ETag"]
    again = hub.get(path, headers={"If-None-Match": tag}, **asked)
    assert (again.status, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert hub.get(path, headers={"If-None-Match": f'W/"x", {tag}'}, **asked).status == 304
    assert hub.get(path, headers={"If-None-Match": tag}, region="Prague").status == 200
    assert hub.get(path, headers={"If-None-Match": tag, "Accept": CSV}, **asked).status == 200
    with transaction(hub_engine) as connection:
        record_event(connection, load_id, "batch")
        assert hub.get(path, headers={"If-None-Match": tag}, **asked).status == 304  # not committed yet
    fresh = hub.get(path, headers={"If-None-Match": tag}, **asked)
    assert (fresh.status, fresh.headers["ETag"] != tag) == (200, True)


def test_a_copy_grows_old_when_rows_are_removed_without_an_event(hub: HubServer, hub_engine: Engine, load_id: int) -> None:
    tag = hub.get("/api/v1/hours").headers["ETag"]
    with transaction(hub_engine) as connection:
        execute(connection, "subtract_removed", load_id=load_id, rows=1)
        connection.exec_driver_sql(
            "update rollup_week set trips = trips - 1"
            " where ctid = (select min(ctid) from rollup_week where load_id = %(load_id)s)",
            {"load_id": load_id},
        )
    assert hub.get("/api/v1/hours", headers={"If-None-Match": tag}).status == 200


def test_json_numbers_are_plain(hub: HubServer) -> None:
    group = hub.get("/api/v1/trip-groups", limit=1).json()["groups"][0]
    assert json.loads(json.dumps(group)) == group
    assert isinstance(group["trips"], int)
