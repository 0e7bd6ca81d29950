"""Detection: names and content to roles, files without names, overrides, and what an inspection shows."""

import io
import json
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loader.formats import BatchSlice, FilePlan, LoadOptions, detect_format, inspect_format
from loader.formats.vocabulary.column_names import read_name
from shared.platform.errors import FileFormatError, RequestError
from tests.shared_data import CHALLENGE_FILE, SHARED_DIR, requires_shared
from tests.unit.formats.loading import load_bytes

ORIGIN, DESTINATION = ("7.6", "45.0"), ("7.7", "45.1")
CELLS = {
    "olon": ORIGIN[0],
    "olat": ORIGIN[1],
    "dlon": DESTINATION[0],
    "dlat": DESTINATION[1],
    "o": "POINT (7.6 45.0)",
    "d": "POINT (7.7 45.1)",
    "line": '"LINESTRING (7.6 45.0, 7.65 45.05, 7.7 45.1)"',
    "t": "2018-05-28 09:03:40",
    "e": "2018-05-28 09:33:40",
    "date": "2018-05-28",
    "clock": "09:03:40",
    "epoch": "1527498220",
    "id": "1527498",
    "x": "some words",
    "num": "12.5",
    "": "",
}
TRIP = (datetime(2018, 5, 28, 9, 3, 40), 7.6, 45.0, 7.7, 45.1)  # noqa: DTZ001


def make(*columns: str, rows: int = 3, header: bool = True) -> bytes:
    """Make a file; each column is `name=kind of cell`."""
    named = [column.split("=") for column in columns]
    lines = [",".join(name for name, _ in named)] if header else []
    return "\n".join(lines + [",".join(CELLS[kind] for _, kind in named)] * rows).encode() + b"\n"


def first_trip(data: bytes, **options: Any) -> tuple[Any, ...]:
    loaded = load_bytes(data, options=LoadOptions(**options))
    assert loaded.rejects.height == 0, loaded.rejects.to_dicts()
    return loaded.trips.row(0)[:5]


VOCABULARIES = [
    ("pickup_longitude=olon", "pickup_latitude=olat", "dropoff_longitude=dlon", "dropoff_latitude=dlat", "pickup_datetime=t"),
    ("Start_Lon=olon", "Start_Lat=olat", "End_Lon=dlon", "End_Lat=dlat", "Trip_Pickup_DateTime=t", "Trip_Dropoff_DateTime=e"),
    (
        " Pickup_longitude=olon",
        " Pickup_latitude=olat",
        " Dropoff_longitude=dlon",
        " Dropoff_latitude=dlat",
        " lpep_pickup_datetime=t",
    ),
    ("fromLng=olon", "fromLat=olat", "toLng=dlon", "toLat=dlat", "departureTime=t", "arrivalTime=e"),
    (
        "start station latitude=olat",
        "start station longitude=olon",
        "end station latitude=dlat",
        "end station longitude=dlon",
        "starttime=t",
    ),
    ("o_lat=olat", "o_lon=olon", "d_lat=dlat", "d_lon=dlon", "timestamp=t"),
    ("start_x=olon", "start_y=olat", "end_x=dlon", "end_y=dlat", "begin_time=t"),
    ("lon1=olon", "lat1=olat", "lon2=dlon", "lat2=dlat", "time=t"),
    ("lat=olat", "lon=olon", "dest_lat=dlat", "dest_lon=dlon", "date=t"),
    ("lat=olat", "lon=olon", "lat=dlat", "lon=dlon", "datetime=t"),
    ("startlatitude=olat", "startlongitude=olon", "stoplatitude=dlat", "stoplongitude=dlon", "startdatetime=t"),
    (
        "driver_start_lat=num",
        "driver_start_lon=num",
        "start_lat=olat",
        "start_lon=olon",
        "end_lat=dlat",
        "end_lon=dlon",
        "start_at=t",
    ),
    ("Pickup Centroid Location=o", "Dropoff Centroid  Location=d", "Trip Start Timestamp=t", "Trip End Timestamp=e"),
    ("origin=o", "destination=d", "when=t"),
    ("start_geom=o", "end_geom=d", "started=t"),
    ("pickup=o", "dropoff=d", "pickup_time=t"),
    ("id=id", "geometry=line", "start_time=t", "end_time=e"),
    ("start_time=t", "start_lat=olat", "start_lng=olon", "end_lat=dlat", "end_lng=dlon", "route=line"),
    (
        "pickup_location=x",
        "dropoff_location=x",
        "pickup_lat=olat",
        "pickup_lng=olon",
        "dropoff_lat=dlat",
        "dropoff_lng=dlon",
        "pickup_time=t",
    ),
    (
        "TripID=id",
        "StartDate=date",
        "StartTime=clock",
        "StartLatitude=olat",
        "StartLongitude=olon",
        "EndLatitude=dlat",
        "EndLongitude=dlon",
    ),
    ("start_ts=epoch", "start_lat=olat", "start_lng=olon", "end_lat=dlat", "end_lng=dlon"),
    ("=id", "start_hour=num", "duration=num", "pickup_at=t", "from_point=o", "to_point=d"),
]


@pytest.mark.parametrize("columns", VOCABULARIES, ids=lambda columns: columns[0])
def test_the_vocabulary_of_the_field(columns: tuple[str, ...]) -> None:
    assert first_trip(make(*columns)) == TRIP


@pytest.mark.parametrize("columns", VOCABULARIES[:8], ids=lambda columns: columns[0])
def test_the_vocabulary_without_rows(columns: tuple[str, ...]) -> None:
    assert load_bytes(make(*columns, rows=0)).rows == 0


def test_coordinates_win_over_points_and_points_over_lines() -> None:
    wkt = ("pickup_point=d", "dropoff_point=o")  # the other way round, so that the choice shows
    pairs = ("pickup_lon=olon", "pickup_lat=olat", "dropoff_lon=dlon", "dropoff_lat=dlat")
    assert first_trip(make("pickup_time=t", *wkt, *pairs, "geometry=line")) == TRIP
    assert first_trip(make("pickup_time=t", "pickup_point=o", "dropoff_point=d", "geometry=line")) == TRIP
    # One end has numbers only, the other a point only.
    assert first_trip(make("pickup_time=t", "pickup_lon=olon", "pickup_lat=olat", "dropoff_point=d")) == TRIP


@pytest.mark.parametrize(
    "columns",
    [
        ("1=o", "2=d", "3=t"),
        ("1=id", "2=t", "3=o", "4=d", "5=e"),
        ("1=line", "2=t"),
        ("1=id", "2=t", "3=olon", "4=olat", "5=dlon", "6=dlat"),
        ("1=olat", "2=olon", "3=dlat", "4=dlon", "5=t", "6=x"),
    ],
)
def test_files_without_a_header_are_mapped_by_content(columns: tuple[str, ...]) -> None:
    data = make(*columns, header=False)
    loaded = load_bytes(data)
    assert (loaded.rows, loaded.plan.dialect.has_header, loaded.plan.dialect.header_lines) == (3, False, 0)
    assert first_trip(data) == TRIP


def test_row_names_without_a_name_move_the_header() -> None:
    row = b",45.0,7.6,45.1,7.7,2018-05-28 09:03:40\n"
    data = b"start_lat,start_lon,end_lat,end_lon,start_time\n" + b"1" + row + b"2" + row
    assert first_trip(data) == TRIP


def test_lines_as_arrays_of_pairs() -> None:
    cell = '"[[7.6, 45.0], [7.65, 45.05], [7.7, 45.1]]"'
    data = f"TRIP_ID,TIMESTAMP,POLYLINE\n1,1527498220,{cell}\n2,1527498220,{cell}\n3,1527498220,[]\n".encode()
    loaded = load_bytes(data)
    assert loaded.trips.row(0)[:5] == TRIP
    assert loaded.rejects["reason"].to_list() == ["origin_missing"]
    geojson = '{""type"": ""LineString"", ""coordinates"": [[7.6, 45.0], [7.7, 45.1]]}'
    assert first_trip(f'start_time,geometry\n2018-05-28 09:03:40,"{geojson}"\n'.encode()) == TRIP


def test_numbers_that_count_seconds_in_a_file_without_a_header() -> None:
    data = b"17592880231474,1527498220,1527498820,7.6,45.0,7.7,45.1\n" * 3
    assert first_trip(data) == TRIP


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            b"region,origin_coord,destination_coord,datetime\nTurin,POINT (x y),POINT (7 45),2018-05-28 09:03:40\n",
            "origin_unreadable",
        ),
        (b"region,origin_coord,destination_coord,datetime\nTurin,POINT (7 45)\n", "field_count"),
        (b"start_lat,start_lng,end_lat,end_lng,started_at\nx,y,z,w,2018-05-28 09:03:40\n", "origin_unreadable"),
        (b"start_lat,start_lng,end_lat,end_lng,started_at\n45.0,7.6,45.1,7.7,soon\n", "started_at_unreadable"),
    ],
)
def test_a_file_of_one_bad_row_is_one_reject(data: bytes, reason: str) -> None:
    loaded = load_bytes(data)
    assert (loaded.trips.height, loaded.rejects["reason"].to_list()) == (0, [reason])


def test_a_headerless_file_that_can_be_read_both_ways_asks() -> None:
    row = b"9.40,9.33,9.41,9.34,2018-05-28 09:03:40\n"
    with pytest.raises(FileFormatError) as caught:
        load_bytes(row * 5)
    assert caught.value.error_code == "ambiguous_columns"
    roles = {"origin_longitude": "1", "origin_latitude": "2", "destination_longitude": "3", "destination_latitude": "4"}
    assert first_trip(row * 5, roles=roles)[1:] == (9.40, 9.33, 9.41, 9.34)


def test_overrides() -> None:
    data = make("A=o", "B=d", "C=o", "D=d", "T=t", "E=e")
    roles = {"origin": "d", "destination": " C ", "started_at": "6"}
    assert first_trip(data, roles=roles) == (datetime(2018, 5, 28, 9, 33, 40), *TRIP[3:5], *TRIP[1:3])  # noqa: DTZ001
    with pytest.raises(RequestError, match="There is no column 'Z' for origin"):
        load_bytes(data, options=LoadOptions(roles={"origin": "Z"}))
    headerless = make("1=o", "2=d", "3=t", header=False)
    assert load_bytes(headerless, options=LoadOptions(has_header=True)).rows == 2
    semicolons = data.replace(b",", b";")
    assert first_trip(semicolons, roles=roles, delimiter=";")[1] == TRIP[3]


@pytest.mark.parametrize(
    ("document", "parameter"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"roles": {"driver": "a"}}, "roles"),
        ({"date_order": "dym"}, "date_order"),
        ({"delimiter": "#"}, "delimiter"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_options_that_make_no_sense(document: dict[str, Any], parameter: str) -> None:
    with pytest.raises(RequestError) as caught:
        LoadOptions.from_json(document)
    assert caught.value.parameter == parameter


def test_plans_options_and_slices_pass_through_json() -> None:
    options = LoadOptions(region="Turin", timezone="Europe/Rome", roles={"origin": "A"}, date_order="dmy")
    assert LoadOptions.from_json(json.loads(json.dumps(options.to_json()))) == options
    plan = detect_format(make("origin=o", "destination=d", "when=t"), file_name="file", options=LoadOptions(), is_whole=True)
    assert FilePlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    piece = BatchSlice(1, 2, 3, 4, 5, is_first=True, member="a.csv")
    assert BatchSlice.from_json(json.loads(json.dumps(piece.to_json()))) == piece


def test_a_region_that_is_given_counts_for_every_row_unless_a_column_is_given_too() -> None:
    rows = (
        b"Turin ,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-28 09:03:40\n ,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-28 09:03:40\n"
    )
    data = b"city,origin,destination,started_at\n" + rows
    assert load_bytes(data).trips.select("region", "datasource").rows() == [("Turin", "unknown"), ("unknown", "unknown")]
    named = load_bytes(data, options=LoadOptions(region="Rome", datasource="tram"))
    assert named.trips.select("region", "datasource").rows() == [("Rome", "tram"), ("Rome", "tram")]
    assert "Column city is not used: region 'Rome' is given for every row." in named.plan.notes[0]
    both = load_bytes(data, options=LoadOptions(region="Rome", roles={"region": "city"}))
    assert both.trips["region"].to_list() == ["Turin", "Rome"]
    assert both.plan.notes == ()


@pytest.mark.parametrize(
    ("name", "side", "kind"),
    [
        ("Dropoff Centroid  Location", "destination", "point"),
        ("tpep_pickup_datetime", "origin", "time"),
        ("start station latitude", "origin", "latitude"),
        ("endLng", "destination", "longitude"),
        ("dropoff_latlong", "destination", "point"),
        ("PULocationID", "origin", "point"),
        ("total_amount", None, None),
        ("stations", None, None),
    ],
)
def test_name_ids(name: str, side: str | None, kind: str | None) -> None:
    meaning = read_name(name)
    assert (meaning.side, meaning.kind) == (side, kind)


def test_an_inspection_shows_what_will_be_stored() -> None:
    shown = inspect_format(
        CHALLENGE_FILE.read_bytes()[:6000], file_name="trips.csv", options=LoadOptions(), is_whole=False
    ).to_json()
    assert json.loads(json.dumps(shown)) == shown
    assert {role["role"]: role["column"] for role in shown["roles"]}["origin"] == "origin_coord"
    assert shown["trips"][0]["started_at"] == "2018-05-28T09:03:40"
    assert (shown["rows_rejected"], shown["clock"], shown["notes"]) == (0, "as_written", [])


@requires_shared
def test_an_inspection_of_another_s_file_shows_what_is_odd() -> None:
    lima = (SHARED_DIR / "real" / "lima-uber-peru-2010-excerpt.csv").read_bytes()
    shown = inspect_format(lima, file_name="lima.csv", options=LoadOptions(), is_whole=True).to_json()
    assert shown["suggested_timezone"] == "America/Lima"
    assert shown["plan"]["dialect"]["decimal"] == ","
    assert shown["warnings"] == {"end_before_start": 4, "far_from_others": 1}
    mangled = (SHARED_DIR / "real" / "citibike-jc-202103-excel-mangled.csv").read_bytes()
    shown = inspect_format(mangled, file_name="mangled.csv", options=LoadOptions(), is_whole=True).to_json()
    assert shown["reasons"] == {"started_at_unreadable": 2019}
    assert "Nothing in starttime reads as a date and time" in shown["notes"][0]
    assert shown["suggested_region"] is None or shown["trips"]


def write_parquet(table: pa.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def test_parquet_rows_equal_those_of_the_same_csv() -> None:
    started = [datetime(2023, 1, 1 + day % 28, day % 24) for day in range(1000)]  # noqa: DTZ001
    frame = pl.DataFrame(
        {
            "VendorID": [1] * 1000,
            "tpep_pickup_datetime": started,
            "pickup_longitude": [-74.0 + step / 1e4 for step in range(1000)],
            "pickup_latitude": [40.7] * 997 + [None, 99.0, 0.1],
            "dropoff_longitude": [-73.9] * 1000,
            "dropoff_latitude": [40.8] * 1000,
            "city": ["New York", None] * 500,
        }
    )
    csv = load_bytes(frame.write_csv(datetime_format="%Y-%m-%d %H:%M:%S").encode())
    for sample in (100, 2**20):
        parquet = load_bytes(write_parquet(frame.to_arrow(), row_group_size=300), sample_bytes=sample)
        assert len(parquet.pieces) == 4
        assert parquet.trips.equals(csv.trips)
        assert parquet.rejects.select("record", "column_name", "reason").equals(
            csv.rejects.select("record", "column_name", "reason")
        )


def test_parquet_types() -> None:
    moment = datetime(2023, 6, 1, 12)  # noqa: DTZ001
    table = pa.table(
        {
            "pickup": [{"lon": 7.6, "lat": 45.0}, {"lon": 7.6, "lat": 45.0}, None],
            "dropoff": pa.array([[7.7, 45.1], [7.7], [7.7, 45.1]], pa.list_(pa.float64())),
            "started_at": pa.array([moment] * 3, pa.timestamp("ms", tz="UTC")),
        }
    )
    loaded = load_bytes(write_parquet(table), options=LoadOptions(timezone="Europe/Rome"))
    assert loaded.trips.row(0)[:5] == (moment.replace(hour=14), 7.6, 45.0, 7.7, 45.1)
    assert loaded.rejects["reason"].to_list() == ["destination_unreadable", "origin_missing"]


def test_one_role_can_be_set_otherwise_or_left_empty() -> None:
    head = b"lon,lat,end_lon,end_lat,started_at,region,true_lon\n"
    data = head + b"7.60,45.00,7.70,45.10,2018-05-28 09:03:40,Turin,7.61\n"
    roles = detect_format(
        data, file_name="file", options=LoadOptions(roles={"origin_longitude": "true_lon"}), is_whole=True
    ).roles
    assert (roles["origin_longitude"], roles["origin_latitude"], roles["destination_longitude"]) == (6, 1, 2)
    plan = detect_format(data, file_name="file", options=LoadOptions(roles={"region": "-"}), is_whole=True)
    assert "region" not in plan.roles


def test_the_beginning_of_a_long_parquet_file_is_no_error() -> None:
    data = write_parquet(pa.table({"a": list(range(10))}))
    shown = inspect_format(data[:-20], file_name="a.parquet", options=LoadOptions(), is_whole=False).to_json()
    assert (shown["roles"], shown["trips"], shown["rows_read"]) == ([], [], 0)
    assert "can be loaded as it is" in shown["notes"][0]
