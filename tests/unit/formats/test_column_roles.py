"""Roles by name: headers of public trip data in many languages, their columns in any order."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from itertools import product
from typing import Any

import polars as pl
import pytest

from loader.formats import LoadOptions
from loader.formats.detection import column_roles
from loader.formats.detection.column_profile import Profile
from loader.formats.detection.role_finder import RoleFinder
from loader.formats.vocabulary.column_names import read_name
from loader.formats.vocabulary.words import MEANINGS, VOCABULARY, fold
from shared.platform.errors import FileFormatError
from tests.unit.formats.loading import Loaded, load_bytes
from tests.unit.formats.public_headers import HEADERS

# Values of two trips; what a header's columns hold is written after its name.
CELLS: dict[str, tuple[str, str]] = {
    "olon": ("7.60", "7.61"),
    "olat": ("45.00", "45.01"),
    "dlon": ("7.70", "7.71"),
    "dlat": ("45.10", "45.11"),
    "o": ("POINT (7.60 45.00)", "POINT (7.61 45.01)"),
    "d": ("POINT (7.70 45.10)", "POINT (7.71 45.11)"),
    "t": ("2018-05-28 09:03:40", "2018-06-28 19:03:40"),
    "e": ("2018-05-28 09:33:40", "2018-06-28 19:33:40"),
    "before": ("2018-05-28 08:50:00", "2018-06-28 18:50:00"),
    "later": ("2019-01-01 00:00:00", "2019-01-01 00:00:00"),
    "birth": ("1980-01-01", "1991-12-31"),
    "date": ("2018-05-28", "2018-06-28"),
    "midnight": ("2018-05-28 00:00:00", "2018-06-28 00:00:00"),
    "clock": ("09:03:40", "19:03:40"),
    "eclock": ("09:33:40", "19:33:40"),
    "ampm": ("9:03:40 AM", "7:03:40 PM"),
    "access": ("1899-12-30 09:03:40", "1899-12-30 19:03:40"),
    "export": ("2020-01-15 09:03:40", "2020-01-15 19:03:40"),
    "hhmmss": ("90340", "190340"),
    "days": ("0 days 09:03:40", "0 days 19:03:40"),
    "id": ("151", "239"),
    "name": ("Main St", "Park Ave"),
    "num": ("12.5", "30.25"),
    "int": ("9", "19"),
}
TRIPS = [
    (datetime(2018, 5, 28, 9, 3, 40), 7.60, 45.00, 7.70, 45.10),  # noqa: DTZ001
    (datetime(2018, 6, 28, 19, 3, 40), 7.61, 45.01, 7.71, 45.11),  # noqa: DTZ001
]


def write(columns: Sequence[str]) -> bytes:
    """Write a file of two trips; each column is `name=kind of cell`."""
    named = [column.rsplit("=", 1) for column in columns]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([name for name, _ in named])
    writer.writerows([CELLS[kind][row] for _, kind in named] for row in (0, 1))
    return out.getvalue().encode()


def load(columns: Sequence[str], **options: Any) -> Loaded:
    return load_bytes(write(columns), options=LoadOptions(**options))


def read_trips(loaded: Loaded) -> list[tuple[Any, ...]]:
    return [row[:5] for row in loaded.trips.rows()]


@pytest.mark.parametrize("name", HEADERS)
def test_headers_of_the_field_in_any_order(name: str) -> None:
    columns = HEADERS[name].split(",")
    for order in (columns, columns[::-1], columns[len(columns) // 2 :] + columns[: len(columns) // 2]):
        assert read_trips(load(order)) == TRIPS, order


# Words of both ends that no header has together: the one names what the other does not.
_PAIRS = [
    (language, origin, destination)
    for level in ("", " hint", " letter")
    for language, words in VOCABULARY["origin" + level].items()
    for origin, destination in product(words.split(), VOCABULARY["destination" + level].get(language, "").split())
    if {origin, destination} != {"checkin", "checkout"}
]
_SAMPLES = {kind: Profile(pl.Series(cells)) for kind, cells in CELLS.items()}


def find_roles(columns: Sequence[str]) -> dict[str, str]:
    named = [column.rsplit("=", 1) for column in columns]
    finder = RoleFinder(tuple(name for name, _ in named), lambda column: _SAMPLES[named[column][1]])
    column_roles.find_roles(finder, LoadOptions())
    assert finder.question is None, finder.question
    return {role: named[column][1] for role, column in finder.roles.items()}


@pytest.mark.slow
def test_the_order_of_columns_never_changes_the_roles() -> None:
    expected = {
        "origin_longitude": "olon",
        "origin_latitude": "olat",
        "destination_longitude": "dlon",
        "destination_latitude": "dlat",
        "started_at": "t",
        "ended_at": "e",
    }
    assert len(_PAIRS) > 1000
    for _, origin, destination in _PAIRS:
        first = [f"{origin}_lat=olat", f"{origin}_lon=olon", f"{origin} time=t"]
        second = [f"{destination}_lat=dlat", f"{destination}_lon=dlon", f"{destination} time=e"]
        for columns in (first + second, second + first):
            assert find_roles(columns) == expected, columns


@pytest.mark.parametrize("kind", ["longitude", "latitude", "point", "time", "date", "hour"])
def test_every_word_of_a_kind_is_read_beside_a_side(kind: str) -> None:
    for word in (word for words in VOCABULARY[kind].values() for word in words.split()):
        for name in (f"start_{word}", f"{word} start", word.upper()):
            assert read_name(name).kind == kind, name


def test_every_word_is_folded_and_has_one_meaning() -> None:
    meanings: dict[str, set[str]] = {}
    for meaning, languages in VOCABULARY.items():
        for word in (word for words in languages.values() for word in words.split()):
            assert fold(word) == word
            meanings.setdefault(word, set()).add(meaning)
    assert {word: found for word, found in meanings.items() if len(found) > 1} == {}
    assert set(meanings) == set(MEANINGS)


ASKED: dict[str, tuple[str, str]] = {
    "two pairs of unknown names": ("foo_lat=olat,foo_lon=olon,bar_lat=dlat,bar_lon=dlon,time=t", "Which end is the origin"),
    "two points of unknown names": ("foo=o,bar=d,time=t", "Which end is the origin"),
    "four numbers of unknown names": ("p=olon,q=olat,r=dlon,s=dlat,time=t", "Which end is the origin"),
    "three pairs": ("lat1=olat,lon1=olon,lat2=dlat,lon2=dlon,lat3=dlat,lon3=dlon,time=t", "Which end is the origin"),
    "two pairs for one end": (
        "start_lat=olat,start_lon=olon,foo_lat=dlat,foo_lon=dlon,bar_lat=dlat,bar_lon=dlon,time=t",
        "Several",
    ),
    "check in and check out": (
        "start_time=t,checkin_lat=dlat,checkin_lon=dlon,checkout_lat=olat,checkout_lon=olon",
        "Trips may begin",
    ),
    "two unnamed times": (
        "timestamp=t,datetime=e,start_lat=olat,start_lon=olon,end_lat=dlat,end_lon=dlon",
        "Several columns may",
    ),
    "two times of unknown names": ("foo=t,bar=e,start_lat=olat,start_lon=olon,end_lat=dlat,end_lon=dlon", "Several columns may"),
    "names the wrong way round": (
        "start_time=e,end_time=t,start_lat=olat,start_lon=olon,end_lat=dlat,end_lon=dlon",
        "every trip ends",
    ),
    "only the end's clock": ("date=date,end_time=eclock,start_lat=olat,start_lon=olon,end_lat=dlat,end_lon=dlon", "may hold it"),
    "two clocks": (
        "date=date,foo_time=clock,bar_time=eclock,start_lat=olat,start_lon=olon,end_lat=dlat,end_lon=dlon",
        "may hold it",
    ),
    "a time in whole numbers": ("date=date,time=int,start_lat=olat,start_lon=olon,end_lat=dlat,end_lon=dlon", "may hold it"),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_names_leave_open_is_asked_with_choices(name: str) -> None:
    columns, message = ASKED[name]
    with pytest.raises(FileFormatError, match=message) as caught:
        load(columns.split(","))
    assert (caught.value.error_code, caught.value.facts["parameter"]) == ("ambiguous_columns", "roles")
    assert caught.value.facts["columns"] == tuple(column.rsplit("=", 1)[0] for column in columns.split(","))
    assert len(caught.value.facts["choices"]) >= 1
    for choice in caught.value.facts["choices"]:
        assert len(load(columns.split(","), **choice["options"]).trips) == 2


UNSURE: dict[str, str] = {
    "merged tables": "lat_x=olat,lon_x=olon,lat_y=dlat,lon_y=dlon,starttime=t",
    "merged tables with more": "starttime=t,id_x=id,lat_x=olat,lon_x=olon,id_y=id,lat_y=dlat,lon_y=dlon",
    "one name twice": "lat=olat,lon=olon,lat=dlat,lon=dlon,time=t",
    "a creation alone": "created_at=t,start_lat=olat,start_lon=olon,end_lat=dlat,end_lon=dlon",
    "a time of an unknown name": "foo=t,start_lat=olat,start_lon=olon,end_lat=dlat,end_lon=dlon",
}


@pytest.mark.parametrize("name", UNSURE)
def test_what_is_taken_with_doubt_is_said(name: str) -> None:
    from loader.formats import inspect_format

    data = write(UNSURE[name].split(","))
    assert read_trips(load(UNSURE[name].split(","))) == TRIPS
    shown = inspect_format(data, file_name="file", options=LoadOptions(), is_whole=True)
    assert any(note.startswith("Not sure about") for note in shown.notes)


ORDERED: dict[str, str] = {
    "digits": "lat2=dlat,lon2=dlon,lat1=olat,lon1=olon,time=t",
    "digits from 0": "time=t,from=name,lat_1=dlat,lon_1=dlon,to=name,lat_0=olat,lon_0=olon",
    "pandas": "time=t,lat.1=dlat,lon.1=dlon,lat=olat,lon=olon",
    "axes": "x1=dlon,y1=dlat,x0=olon,y0=olat,time=t",
    "points": "point2=d,point1=o,time=t",
    "one end named": "dest_lat=dlat,dest_lon=dlon,lat=olat,lon=olon,time=t",
    "the other end named": "lat=dlat,lon=dlon,start_lat=olat,start_lon=olon,time=t",
    "times with digits": "time2=e,time1=t,start_lat=olat,start_lon=olon,end_lat=dlat,end_lon=dlon",
}


@pytest.mark.parametrize("name", ORDERED)
def test_digits_tell_the_ends_where_no_word_does(name: str) -> None:
    assert read_trips(load(ORDERED[name].split(","))) == TRIPS


IDS: dict[str, str] = {
    "zones": "tpep_pickup_datetime=t,PULocationID=id,DOLocationID=id",
    "station numbers": "Fecha_Retiro=t,Ciclo_Estacion_Retiro=id,Ciclo_EstacionArribo=id",
    "station names": "Departure=t,Return=e,Departure station name=name,Return station name=name",
    "plain names": "origin=id,dest=id,time=t",
    "areas": "Date=t,Pickup Area=name,Dropoff Area=name",
}


@pytest.mark.parametrize("name", IDS)
def test_ids_are_no_positions(name: str) -> None:
    with pytest.raises(FileFormatError, match="these are ids; coordinates are missing") as caught:
        load(IDS[name].split(","))
    assert caught.value.error_code == "missing_roles"
    assert "--map origin" not in caught.value.message


@pytest.mark.parametrize(
    ("columns", "roles", "message"),
    [
        (
            "pickup_time=t,PULocationID=id,DOLocationID=id",
            {"origin": "PULocationID", "destination": "DOLocationID"},
            "are no points",
        ),
        ("pickup_time=t,a=name,b=name", {"origin": "a", "destination": "b"}, "are no points"),
        (
            "pickup_time=t,a=name,b=olat,c=dlon,d=dlat",
            {"origin_longitude": "a", "origin_latitude": "b", "destination_longitude": "c", "destination_latitude": "d"},
            "are no numbers",
        ),
    ],
)
def test_a_column_that_holds_no_position_is_refused_for_one(columns: str, roles: dict[str, str], message: str) -> None:
    with pytest.raises(FileFormatError, match=message):
        load(columns.split(","), roles=roles)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("departure_time=clock", "clock times without a date"),
        ("dropoff_datetime=e", "can't be told to be it"),
        ("updated_at=later,birth_date=birth", "can't be told to be it"),
        ("note=name", "Found no column for start time"),
    ],
)
def test_a_file_without_a_start_is_refused(columns: str, message: str) -> None:
    ends = ["start_lat=olat", "start_lon=olon", "end_lat=dlat", "end_lon=dlon"]
    with pytest.raises(FileFormatError, match=message) as caught:
        load([*columns.split(","), *ends])
    assert caught.value.error_code == "missing_roles"


ENDS = ["start_lat=olat", "start_lon=olon", "end_lat=dlat", "end_lon=dlon"]


@pytest.mark.parametrize(
    ("columns", "note"),
    [
        (["date=date"], "date has dates without a clock time: every trip starts at 00:00."),
        (["start_time=t", "passengers=id"], "Column passengers is not used: a row is one trip, whoever takes part in it."),
        (
            ["departure_time=e", "arrival_time=t"],
            "arrival_time lies before departure_time in every row, and is not used: it seems to be the vehicle's arrival.",
        ),
    ],
)
def test_what_is_passed_over_is_said(columns: list[str], note: str) -> None:
    assert load([*columns, *ENDS]).plan.notes == (note,)


@pytest.mark.parametrize("name", ["count", "number of trips", "viajes", "flow", "trip_count"])
def test_a_table_of_flows_is_refused(name: str) -> None:
    with pytest.raises(FileFormatError, match="may be a table of flows") as caught:
        load(["start_time=t", f"{name}=id", *ENDS])
    assert caught.value.error_code == "flows"
    assert caught.value.facts["choices"] == [{"label": "Every row is one trip", "options": {"roles": {"count": "-"}}}]
    loaded = load(["start_time=t", f"{name}=id", *ENDS], roles={"count": "-"})
    assert loaded.plan.notes == (f"Column {name} is not used: a row is one trip, whatever is counted there.",)
    with pytest.raises(FileFormatError, match="no column says when they began") as caught:
        load([f"{name}=id", *ENDS])
    assert (caught.value.error_code, "choices" in caught.value.facts) == ("flows", False)


@pytest.mark.parametrize("header", ["origin,dest,count", "from_station_id,to_station_id,trips", "start_zone,end_zone,flow"])
def test_flows_between_ids_are_refused(header: str) -> None:
    with pytest.raises(FileFormatError, match="This is a table of flows"):
        load_bytes(f"{header}\n101,102,17\n101,103,1\n104,101,9\n".encode())


def test_a_passenger_count_is_no_count_of_trips() -> None:
    assert load(["start_time=t", "passenger_count=id", *ENDS]).plan.notes == ()


def test_a_header_of_two_rows_is_read_as_one() -> None:
    rows = "".join(
        f"{CELLS['t'][row]},{','.join(CELLS[kind][row] for kind in ('dlon', 'dlat', 'olon', 'olat'))}\n" for row in (0, 1)
    )
    loaded = load_bytes(f"Start time,Destination,,Origin,\n,Lon,Lat,Lon,Lat\n{rows}".encode())
    assert (read_trips(loaded), loaded.rows) == (TRIPS, 2)
    assert loaded.plan.columns == ("Start time", "Destination Lon", "Destination Lat", "Origin Lon", "Origin Lat")


NAMELESS = {"earlier": "2018-05-28 09:03:40", "later": "2018-05-28 09:33:40", "ends": "45.0,7.6,45.1,7.7"}


def test_without_a_header_the_earlier_of_two_times_is_the_start() -> None:
    for times in (("earlier", "later"), ("later", "earlier")):
        row = ",".join([*(NAMELESS[time] for time in times), NAMELESS["ends"]])
        loaded = load_bytes(f"{row}\n{row}\n".encode())
        assert (read_trips(loaded)[0], loaded.trips["duration_s"][0]) == (TRIPS[0], 1800)


def test_without_a_header_a_date_takes_the_only_clock_there_is() -> None:
    row = f"2018-05-28,x,09:03:40,{NAMELESS['ends']}\n"
    assert read_trips(load_bytes(row.encode() * 2))[0] == TRIPS[0]
    with pytest.raises(FileFormatError, match="may hold it"):
        load_bytes(f"2018-05-28,09:33:40,09:03:40,{NAMELESS['ends']}\n".encode() * 2)


def test_without_a_header_three_times_are_asked() -> None:
    row = f"{NAMELESS['later']},{NAMELESS['earlier']},{NAMELESS['later']},{NAMELESS['ends']}\n"
    with pytest.raises(FileFormatError, match="Several columns may be the start") as caught:
        load_bytes(row.encode() * 2)
    choices: Any = caught.value.facts["choices"]
    assert [choice["options"]["roles"] for choice in choices] == [{"started_at": str(number)} for number in (1, 2, 3)]
    assert read_trips(load_bytes(row.encode() * 2, options=LoadOptions(roles={"started_at": "2"})))[0] == TRIPS[0]
