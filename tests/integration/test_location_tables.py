"""Location tables: a file whose ends are ids or names, loaded by the worker's own steps, is the file with their coordinates."""

import gzip
import io
import json
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
import shapely
import xlsxwriter

from loader.pipeline.context import Context
from shared.areas.named_area import find_area
from shared.areas.shape import parse_shape
from shared.domain.area import Box
from shared.places.geometry import make_place
from shared.places.model import NewPlaceSet, PlaceSet
from shared.places.precision import describe_precision
from shared.places.storing import add_place_set, delete_place_set
from shared.platform.errors import ConflictError
from shared.services.database import transaction
from tests.loading import load_bytes

STATIONS = {str(number): (7.6 + number / 1000, 45.0 + number / 700) for number in range(100, 140)}
NAMES = {key: f"Via {chr(65 + int(key) % 26)} {key}" for key in STATIONS}
ROWS = 4_000


def add_stations(context: Context, name: str = "stations", keys: list[str] | None = None) -> PlaceSet:
    places = [make_place(key, NAMES[key], shapely.Point(*STATIONS[key])) for key in keys or STATIONS]
    return add_place_set(context.engine, NewPlaceSet(name, "points"), places)


def add_zones(context: Context) -> PlaceSet:
    places = [make_place(key, NAMES[key], shapely.Point(*point).buffer(0.0004)) for key, point in STATIONS.items()]
    return add_place_set(context.engine, NewPlaceSet("zones", "zones"), places)


def make_rows() -> pl.DataFrame:
    """Trips between stations, with ids, names and coordinates of both ends."""
    keys = list(STATIONS)
    rows = []
    for number in range(ROWS):
        origin, destination = (keys[number * factor // 64 % len(keys)] for factor in (40_503, 27_011))
        rows.append(
            {
                "started_at": f"2018-05-{1 + number % 28:02d} {number % 24:02d}:{number % 60:02d}:00",
                "PULocationID": int(origin),
                "DOLocationID": int(destination),
                "from_station_name": NAMES[origin],
                "to_station_name": NAMES[destination],
                "start_lon": STATIONS[origin][0],
                "start_lat": STATIONS[origin][1],
                "end_lon": STATIONS[destination][0],
                "end_lat": STATIONS[destination][1],
            }
        )
    return pl.DataFrame(rows)


IDS, ENDS, COORDINATES = (
    ["started_at", "PULocationID", "DOLocationID"],
    ["started_at", "from_station_name", "to_station_name"],
    ["started_at", "start_lon", "start_lat", "end_lon", "end_lat"],
)


def write(frame: pl.DataFrame, form: str) -> tuple[bytes, str]:
    if form == "csv.gz":
        return gzip.compress(frame.write_csv().encode()), "trips.csv.gz"
    if form == "ndjson":
        return frame.write_ndjson().encode(), "trips.ndjson"
    if form == "xlsx":
        stream = io.BytesIO()
        with xlsxwriter.Workbook(stream) as book:
            sheet = book.add_worksheet()
            for row, values in enumerate([frame.columns, *frame.iter_rows()]):
                sheet.write_row(row, 0, values)
        return stream.getvalue(), "trips.xlsx"
    if form == "parquet":
        stream = io.BytesIO()
        frame.write_parquet(stream, row_group_size=1_500)
        return stream.getvalue(), "trips.parquet"
    return frame.write_csv().encode(), "trips.csv"


def list_trips(context: Context, load_id: int) -> list[tuple[Any, ...]]:
    text = "select started_at, origin, destination from trip where load_id = %(load_id)s order by 1, 2, 3"
    with transaction(context.engine) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(text, {"load_id": load_id})]


@pytest.mark.parametrize("form", ["csv", "csv.gz", "ndjson", "xlsx", "parquet"])
def test_a_file_of_ids_is_the_file_with_their_coordinates(context: Context, form: str) -> None:
    stations = add_stations(context)
    frame = make_rows()
    plain = load_bytes(context, frame.select(COORDINATES).write_csv().encode(), region="Turin")
    for columns, by in ((IDS, "key"), (ENDS, "name")):
        data, file_name = write(frame.select(columns), form)
        load = load_bytes(context, data, file_name=file_name, region="Turin", places="stations")
        assert (load["state"], load["rows_loaded"], load["rows_rejected"]) == ("succeeded", ROWS, 0), load
        assert load["plan"]["places"] == {
            "place_set_id": stations.place_set_id,
            "name": "stations",
            "places": len(STATIONS),
            "is_zones": False,
            "by": {"origin": by, "destination": by},
        }
        assert load["options"]["places"] == str(stations.place_set_id)
        assert list_trips(context, load["load_id"]) == list_trips(context, plain["load_id"])
        assert load["warnings"] == plain["warnings"]


def test_unknown_ids_are_rejected_with_a_reason_of_their_own(context: Context) -> None:
    add_stations(context)
    rows = [
        "2018-05-21 02:54:04,100,101",
        "2018-05-21 02:54:04,999,101",
        "2018-05-21 02:54:04,100,none such",
        "2018-05-21 02:54:04,,101",
        "2018-05-21 02:54:04, 100 ,101.0",
    ]
    load = load_bytes(context, "\n".join(["started_at,from_station_id,to_station_id", *rows, ""]).encode(), places="stations")
    assert (load["rows_loaded"], load["rows_rejected"]) == (2, 3)
    assert load["rejects"] == {"origin_unknown_place": 1, "destination_unknown_place": 1, "origin_missing": 1}


def test_the_same_file_with_another_set_is_another_load(context: Context) -> None:
    add_stations(context, "of 2018")
    add_stations(context, "of 2019", keys=list(STATIONS)[:30])
    data = make_rows().select(IDS).write_csv().encode()
    first, second = (load_bytes(context, data, places=name) for name in ("of 2018", "of 2019"))
    assert (first["state"], second["state"]) == ("succeeded", "succeeded")
    assert first["rows_loaded"] > second["rows_loaded"] > 0
    again = load_bytes(context, data, places=str(first["plan"]["places"]["place_set_id"]))
    assert (again["state"], again["duplicate_of"]) == ("cancelled", first["load_id"])


def test_sets_that_know_the_ids_are_offered_with_their_share(context: Context) -> None:
    data = make_rows().select(IDS).write_csv().encode()
    unknown = load_bytes(context, data)
    assert unknown["error_code"] == "missing_roles"
    assert "PULocationID and DOLocationID" in unknown["error_message"]
    assert unknown["question"]["statement"].endswith("add the publisher's list of stations or zones, and inspect the file again.")
    few = add_stations(context, "few", keys=list(STATIONS)[:10])
    every = add_stations(context, "every")
    asked = load_bytes(context, data)
    assert asked["question"]["parameter"] == "places"
    assert asked["question"]["choices"] == [
        {
            "label": "every: 40 places, knows 100 % of PULocationID and DOLocationID",
            "options": {"places": str(every.place_set_id)},
        },
        {"label": "few: 10 places, knows 25 % of PULocationID and DOLocationID", "options": {"places": str(few.place_set_id)}},
    ]
    assert load_bytes(context, data, **asked["question"]["choices"][0]["options"])["rows_loaded"] == ROWS


def test_zones_mark_the_load(context: Context) -> None:
    add_zones(context)
    load = load_bytes(context, make_rows().select(IDS).write_csv().encode(), places="zones")
    assert load["plan"]["places"]["is_zones"]
    assert any("zone precision" in note for note in load["notes"])
    assert "same_ends" not in load["warnings"]


def test_answers_about_areas_smaller_than_a_zone_say_so(context: Context) -> None:
    add_zones(context)
    load_bytes(context, make_rows().select(IDS).write_csv().encode(), places="zones", region="Turin")
    west, south, _, _ = shapely.Point(*STATIONS["120"]).buffer(0.0004).bounds
    small, large = Box(west, south, west + 0.0002, south + 0.0005), Box(west - 0.01, south - 0.01, west + 0.01, south + 0.01)
    nowhere = Box(0, 0, 0.0001, 0.0001)
    with transaction(context.engine) as connection:
        said = describe_precision(connection, small.extent, region="Turin", datasource=None)
        assert said is not None
        assert "smaller than a zone of zones" in said
        shape = parse_shape(shapely.geometry.mapping(shapely.Point(west, south).buffer(0.0001)))
        assert describe_precision(connection, shape.extent, region="Turin", datasource=None) == said
        zone = find_area(connection, "zones/120")
        for area, region in ((large, "Turin"), (nowhere, "Turin"), (small, "Milan"), (zone, "Turin")):
            assert describe_precision(connection, area.extent, region=region, datasource=None) is None


def test_a_set_in_use_stays(context: Context) -> None:
    stations = add_stations(context)
    load_bytes(context, make_rows().select(IDS).write_csv().encode(), places="stations")
    with pytest.raises(ConflictError, match="Loads use the places of stations"):
        delete_place_set(context.engine, stations.place_set_id)


def test_one_end_may_have_coordinates(context: Context) -> None:
    add_stations(context)
    frame = make_rows().select("started_at", "PULocationID", "end_lon", "end_lat")
    load = load_bytes(context, frame.write_csv().encode(), places="stations")
    assert (load["state"], load["rows_loaded"]) == ("succeeded", ROWS), load["error_message"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"places": "nowhere"}, "no_such_places"),
        ({"places": "few"}, "unknown_places"),
    ],
)
def test_sets_that_do_not_fit_are_refused(context: Context, options: dict[str, Any], code: str) -> None:
    add_stations(context, "few", keys=["100"])
    data = b"started_at,from_station_id,to_station_id\n2018-05-21 02:54:04,700,701\n"
    load = load_bytes(context, data, **options)
    assert (load["state"], load["error_code"]) == ("failed", code)


def test_the_set_is_remembered_for_files_of_the_same_kind(context: Context) -> None:
    stations = add_stations(context)
    first, second = make_rows().select(IDS).head(100), make_rows().select(IDS).tail(100)
    load_bytes(context, first.write_csv().encode(), places="stations")
    load = load_bytes(context, second.write_csv().encode(), as_last_time=True)
    assert load["rows_loaded"] == 100
    assert load["options"]["places"] == str(stations.place_set_id)


def test_early_loads_know_their_set(context: Context) -> None:
    add_stations(context)
    frame = pl.concat([make_rows().select(IDS)] * 20)
    small = context.settings.model_copy(update={"early_bytes": 1, "batch_bytes": 200_000})
    load = load_bytes(replace(context, settings=small), frame.write_csv().encode(), places="stations")
    assert (load["state"], load["rows_loaded"]) == ("succeeded", frame.height)
    assert json.dumps(load["plan"]["places"])
