"""What was said of a file counts for the next one with the same header, unless that file says otherwise."""

from typing import Any

import pytest

from loader.formats import LoadOptions
from loader.formats.containers.byte_ranges import WholeFile
from loader.pipeline.context import Context
from loader.storage.remembered_options import Beginning, forget_options, recall_options
from shared.platform.errors import NotFoundError
from tests.large_parquet import write_large_parquet
from tests.loading import load_bytes

ENDS = {"origin": "Pickup", "destination": "Dropoff"}
HEADER = "ride;Pickup;Dropoff;begun;Half\n"


def make_file(
    day: str, *, header: str = HEADER, points: str = "POINT (-77.04 -12.04);POINT (-77.05 -12.05)", rows: int = 3
) -> bytes:
    return (header + "".join(f"{row};{points};{day} 10:0{row}:00;half\n" for row in range(rows))).encode()


def recall(context: Context, data: bytes, **options: Any) -> dict[str, Any]:
    _, reading = recall_options(context.engine, Beginning(data, "trips.csv", is_whole=True), LoadOptions(**options))
    return dict(reading.applied) if reading else {}


def start_times(context: Context, load_id: int) -> set[str]:
    with context.engine.connect() as connection:
        rows = connection.exec_driver_sql("select distinct started_at::date::text from trips where load_id = %s", (load_id,))
        return set(rows.scalars())


def test_an_answer_is_asked_for_once(context: Context) -> None:
    asked = load_bytes(context, make_file("01/02/2024"))
    assert (asked["state"], asked["error_code"]) == ("failed", "ambiguous_dates")
    answered = load_bytes(context, make_file("01/02/2024"), date_order="dmy")
    assert (answered["state"], answered["plan"]["as_last_time"]) == ("succeeded", None)
    following = load_bytes(context, make_file("03/04/2024", header=" RIDE;pickup ;Dropoff;Begun;half\n"))
    assert (following["state"], following["options"]["date_order"]) == ("succeeded", "dmy")
    assert following["plan"]["as_last_time"]["options"] == {"date_order": "dmy"}
    assert following["plan"]["as_last_time"]["load_id"] == answered["load_id"]
    assert start_times(context, following["load_id"]) == {"2024-04-03"}


def test_own_words_come_first_and_are_remembered_instead(context: Context) -> None:
    load_bytes(context, make_file("01/02/2024"), date_order="dmy", roles={"region": "Half"})
    own = load_bytes(context, make_file("03/04/2024"), date_order="mdy")
    assert start_times(context, own["load_id"]) == {"2024-03-04"}
    assert own["plan"]["as_last_time"]["options"] == {"roles": {"region": "Half"}}
    assert recall(context, make_file("05/06/2024")) == {"date_order": "mdy", "roles": {"region": "Half"}}
    assert recall(context, make_file("05/06/2024"), roles={"region": "ride"}) == {"date_order": "mdy"}


def test_what_a_file_is_about_is_not_remembered(context: Context) -> None:
    load_bytes(context, make_file("01/02/2024"), date_order="dmy", region="Brno", datasource="tram", timezone="Europe/Prague")
    assert recall(context, make_file("01/02/2024")) == {"date_order": "dmy"}


def test_the_file_itself_comes_first(context: Context) -> None:
    load_bytes(context, make_file("01/02/2024"), date_order="dmy", axis_order="lon_lat")
    assert recall(context, make_file("01/13/2024")) == {"axis_order": "lon_lat"}
    swapped = make_file("01/02/2024", points="POINT (-12.04 -77.04);POINT (-12.05 -77.05)")
    assert recall(context, swapped) == {}
    assert load_bytes(context, swapped, date_order="dmy")["error_code"] == "swapped_coordinates"


def test_nothing_is_remembered_of_loads_that_brought_nothing(context: Context) -> None:
    load = load_bytes(context, make_file("01/02/2024", points="nowhere;nowhere"), date_order="dmy", roles=ENDS)
    assert (load["state"], load["rows_loaded"]) == ("failed", 0)
    assert recall(context, make_file("01/02/2024")) == {}


def test_a_reading_can_be_passed_over_and_forgotten(context: Context) -> None:
    load_bytes(context, make_file("01/02/2024"), date_order="dmy")
    assert recall(context, make_file("01/02/2024"), as_last_time=False) == {}
    ignored = load_bytes(context, make_file("03/04/2024"), as_last_time=False)
    assert ignored["error_code"] == "ambiguous_dates"
    _, reading = recall_options(context.engine, Beginning(make_file("01/02/2024"), "a.csv", is_whole=True), LoadOptions())
    assert reading
    forget_options(context.engine, reading.header_hash)
    assert recall(context, make_file("01/02/2024")) == {}
    with pytest.raises(NotFoundError):
        forget_options(context.engine, reading.header_hash)


def test_another_header_or_none_is_another_kind_of_file(context: Context) -> None:
    load_bytes(context, make_file("01/02/2024"), date_order="dmy")
    assert recall(context, make_file("01/02/2024", header="ride;pickup;dropoff;began;half\n")) == {}
    assert recall(context, make_file("01/02/2024", header="")) == {}


def make_bare_file(*, first: str = "-12.04,-77.04", fields: int = 5) -> bytes:
    """No header; latitude first, which nothing in these numbers tells."""
    notes = ",shared" * (fields - 5)
    return "".join(f"2024-02-0{day} 10:00:00,{first},12.0{day},13.0{day}{notes}\n" for day in range(1, 6)).encode()


LATITUDE_FIRST = {"origin_latitude": "2", "origin_longitude": "3", "destination_latitude": "4", "destination_longitude": "5"}


def test_a_file_without_a_header_is_known_by_the_kinds_of_its_columns(context: Context) -> None:
    load = load_bytes(context, make_bare_file(), roles=LATITUDE_FIRST)
    assert (load["state"], load["rows_loaded"]) == ("succeeded", 5)
    following = load_bytes(context, make_bare_file(first="-12.05,-77.05"))
    assert (following["state"], following["plan"]["as_last_time"]["options"]) == ("succeeded", {"roles": LATITUDE_FIRST})
    assert recall(context, make_bare_file(fields=6)) == {}
    assert recall(context, make_bare_file().replace(b",12.0", b",x")) == {}, "a column of another kind"


def recall_parquet(context: Context, data: bytes, *, sample_bytes: int) -> dict[str, Any]:
    begun = Beginning(data[:sample_bytes], "trips.parquet", is_whole=sample_bytes >= len(data), ranges=WholeFile(data))
    options, reading = recall_options(context.engine, begun, LoadOptions())
    assert begun.detect(options).columns
    return dict(reading.applied) if reading else {}


def test_a_parquet_file_is_known_by_the_names_and_types_of_its_columns(context: Context) -> None:
    small = write_large_parquet(rows=40, padding=10, is_text=True)
    load = load_bytes(context, small, file_name="small.parquet", date_order="dmy")
    assert (load["state"], load["rows_loaded"]) == ("succeeded", 40)
    assert recall_parquet(context, small, sample_bytes=len(small)) == {"date_order": "dmy"}
    large = write_large_parquet(rows=400, is_text=True)
    assert recall_parquet(context, large, sample_bytes=1000) == {"date_order": "dmy"}
    longer = load_bytes(context, write_large_parquet(rows=4_000, is_text=True), file_name="longer.parquet")
    assert (longer["state"], longer["rows_loaded"]) == ("succeeded", 4_000)
    assert longer["plan"]["as_last_time"]["options"] == {"date_order": "dmy"}
    other_types = write_large_parquet(rows=40, padding=10)
    assert recall_parquet(context, other_types, sample_bytes=len(other_types)) == {}
