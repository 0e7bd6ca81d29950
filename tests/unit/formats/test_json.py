"""JSON files: lines, arrays, nested records, GeoJSON, and what is broken or hostile in them."""

import gzip
import json
from datetime import datetime
from typing import Any

import pytest

from loader.formats import LoadOptions, inspect_format, list_headers
from shared.platform.errors import FileFormatError
from tests.unit.formats.archives import make_zip
from tests.unit.formats.loading import Loaded, load_bytes

ENDS = (
    ((-73.9919, 40.7407), (-73.9938, 40.6959)),
    ((-73.9776, 40.7516), (-73.9512, 40.7794)),
    ((-74.006, 40.7128), (-73.9855, 40.758)),
)
STARTS = "2024-03-19 08:12:00", "2024-03-20 17:45:10", "2024-03-21 00:05:59"
FLAT = [
    {"started_at": start, "start_lat": origin[1], "start_lng": origin[0], "end_lat": destination[1], "end_lng": destination[0]}
    for start, (origin, destination) in zip(STARTS, ENDS, strict=True)
]
NESTED = [
    {"start": {"time": start, "lat": origin[1], "lon": origin[0]}, "end": {"lat": destination[1], "lon": destination[0]}}
    for start, (origin, destination) in zip(STARTS, ENDS, strict=True)
]
PAIRS = [{"started_at": start, "origin": origin, "destination": end} for start, (origin, end) in zip(STARTS, ENDS, strict=True)]
POINTS = [
    {"started_at": row["started_at"], **{end: {"type": "Point", "coordinates": row[end]} for end in ("origin", "destination")}}
    for row in PAIRS
]
MONGO = [
    {"_id": {"$oid": "5a"}, "started_at": {"$date": f"{start.replace(' ', 'T')}Z"}, "origin": origin, "destination": end}
    for start, (origin, end) in zip(STARTS, ENDS, strict=True)
]
FEATURES = {
    "type": "FeatureCollection",
    "name": "trips",
    "features": [
        {"type": "Feature", "properties": {"started_at": start}, "geometry": {"type": "LineString", "coordinates": ends}}
        for start, ends in zip(STARTS, ENDS, strict=True)
    ],
}
TWO_POINTS = {
    **FEATURES,
    "features": [{**one, "geometry": {**one["geometry"], "type": "MultiPoint"}} for one in FEATURES["features"]],  # type: ignore[dict-item]
}
ROUTES = [
    {
        "trip_id": str(number),
        "start_time": 1710835920000 + number * 86_400_000,
        "route": {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "properties": {"timestamp": time}, "geometry": {"type": "Point", "coordinates": point}}
                for time, point in enumerate(ends)
            ],
        },
    }
    for number, ends in enumerate(ENDS)
]
ROWS = [["started_at", "start_lat", "start_lng", "end_lat", "end_lng"], *(list(row.values()) for row in FLAT)]


def dump_lines(records: list[Any], end: str = "\n") -> str:
    return "".join(json.dumps(record) + end for record in records)


def check_ends(loaded: Loaded) -> None:
    trips = loaded.trips.sort("started_at").rows(named=True)
    got = [
        ((r["origin_longitude"], r["origin_latitude"]), (r["destination_longitude"], r["destination_latitude"])) for r in trips
    ]
    assert got == list(ENDS)
    assert loaded.rows == 3


SHAPES: dict[str, str] = {
    "array": json.dumps(FLAT),
    "array with blanks": json.dumps(FLAT, indent=2),
    "array after a blank": " \n\t" + json.dumps(FLAT),
    "array, one record a line": "[\n" + ",\n".join(map(json.dumps, FLAT)) + "\n]\n",
    "array without blanks": json.dumps(FLAT, separators=(",", ":")),
    "lines": dump_lines(FLAT),
    "lines with CRLF": dump_lines(FLAT, "\r\n"),
    "lines with blank ones between": dump_lines(FLAT, "\n\n  \n"),
    "lines without a last end": dump_lines(FLAT).rstrip("\n"),
    "lines with commas": dump_lines(FLAT, ",\n"),
    "GeoJSON text sequence": "".join(f"\x1e{json.dumps(record)}\n" for record in FLAT),
    "one after the other": dump_lines(FLAT, ""),
    "one after the other, indented": "".join(json.dumps(record, indent=1) for record in FLAT),
    "under a key": json.dumps({"trips": FLAT}),
    "under keys": json.dumps({"last_updated": 1, "ttl": 0, "data": {"trips": FLAT}, "links": []}),
    "behind other things": json.dumps(
        {"meta": {"columns": ["a", {"b": [1, {"c": None}]}]}, "help": "?", "result": {"records": FLAT}}
    ),
    "beside another array": json.dumps({"stations": [{"id": 1, "name": "a"}], "trips": FLAT}),
    "nested": json.dumps(NESTED),
    "nested lines": dump_lines(NESTED),
    "pairs": json.dumps(PAIRS),
    "points": dump_lines(POINTS),
    "MongoDB": dump_lines(MONGO),
    "GeoJSON": json.dumps(FEATURES),
    "GeoJSON lines": dump_lines(FEATURES["features"]),  # type: ignore[arg-type]
    "GeoJSON of two points": json.dumps(TWO_POINTS),
    "routes of points": json.dumps({"version": "0.3.0", "data": {"trips": ROUTES}}),
    "routes of points, lines": dump_lines(ROUTES),
    "Elasticsearch": dump_lines([{"_index": "trips", "_id": str(i), "_source": row} for i, row in enumerate(FLAT)]),
    "Elasticsearch answer": json.dumps({"took": 3, "hits": {"total": 3, "hits": [{"_id": "1", "_source": row} for row in FLAT]}}),
    "Esri": json.dumps({"fields": [{"name": "OBJECTID", "type": "oid"}], "features": [{"attributes": row} for row in FLAT]}),
    "OpenDataSoft": json.dumps([{"recordid": "a", "fields": row} for row in FLAT]),
    "rows": json.dumps(ROWS),
    "rows apart from their names": json.dumps({"columns": ROWS[0], "data": ROWS[1:]}),
    "lines of rows": dump_lines(ROWS),
    "null and missing keys": json.dumps([*FLAT[:2], {**FLAT[2], "note": None}]),
    "keys in another order": json.dumps([FLAT[0], dict(reversed(FLAT[1].items())), FLAT[2]]),
    "numbers as text": json.dumps([{key: str(value) for key, value in row.items()} for row in FLAT]),
    "NaN": json.dumps([{**row, "fare": float("nan")} for row in FLAT]),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("batch_bytes", [40, 2**20])
def test_shapes(shape: str, batch_bytes: int) -> None:
    check_ends(load_bytes(SHAPES[shape].encode(), batch_bytes=batch_bytes, chunk_bytes=7 if batch_bytes == 40 else 100_000))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("shape", ["array", "lines", "GeoJSON"])
def test_encodings(shape: str, encoding: str) -> None:
    check_ends(load_bytes(SHAPES[shape].encode(encoding), chunk_bytes=11))


def test_letters_of_other_encodings() -> None:
    record = {**FLAT[0], "region": "Plzeň"}
    for data in (json.dumps([record], ensure_ascii=False).encode(), json.dumps([record]).encode()):
        assert load_bytes(data).trips["region"].to_list() == ["Plzeň"]


def test_compressed_lines() -> None:
    check_ends(load_bytes(gzip.compress(SHAPES["lines"].encode())))


@pytest.mark.parametrize("shape", ["lines", "array", "GeoJSON", "under keys"])
def test_archives(shape: str) -> None:
    data = SHAPES[shape].encode()
    check_ends(load_bytes(make_zip({"trips.json": data, "README.md": b"# Trips"})))
    check_ends(load_bytes(gzip.compress(make_zip({"a/trips.json": data}))))


def test_two_files_in_an_archive() -> None:
    data = make_zip({f"{number}.ndjson": dump_lines(FLAT[:1]).encode() for number in range(3)})
    loaded = load_bytes(data)
    assert (loaded.rows, loaded.trips.height) == (3, 3)


def test_times_and_columns() -> None:
    loaded = load_bytes(SHAPES["nested"].encode())
    assert loaded.plan.columns == ("start.time", "start.lat", "start.lon", "end.lat", "end.lon")
    assert loaded.trips["started_at"][0] == datetime.fromisoformat("2024-03-19 08:12")
    assert not loaded.plan.is_seekable


def test_the_wrapper_of_fields_is_no_part_of_their_names() -> None:
    assert load_bytes(SHAPES["GeoJSON"].encode()).plan.columns == ("type", "started_at", "geometry")
    assert "start_lat" in load_bytes(SHAPES["Elasticsearch"].encode()).plan.columns


def test_broken_lines_are_rejects_and_lines_count_as_in_the_file() -> None:
    lines = [json.dumps(row) for row in FLAT]
    data = "\n".join([lines[0], "", lines[1][:40], '{"a": 1}', "[1, 2]", lines[2], '{"started_at": "2024'])
    loaded = load_bytes(data.encode(), batch_bytes=60)
    assert loaded.trips.height == 2
    found = loaded.rejects.select("line", "record", "reason").rows()
    assert found == [(3, 2, "malformed_record"), (4, 3, "origin_missing"), (5, 4, "malformed_record"), (7, 6, "malformed_record")]


def test_rejects_of_an_array_count_records() -> None:
    records = [
        FLAT[0],
        {**FLAT[1], "end_lat": 95},
        "no record",
        {**FLAT[2], "note": "two\nlines\r\n"},
        {**FLAT[0], "started_at": None},
    ]
    for indent in (None, 2):
        loaded = load_bytes(json.dumps(records, indent=indent).encode(), batch_bytes=100)
        found = loaded.rejects.select("line", "record", "reason").rows()
        assert found == [(2, 2, "destination_out_of_range"), (3, 3, "malformed_record"), (5, 5, "started_at_missing")]


def test_values_stay_as_they_are_written() -> None:
    text = (
        '[{"started_at": "2024-03-19 08:12:00", "origin": [7.6000000000000001, 45.00], "destination": [7.7, 95], '
        '"big": 12345678901234567890}]'
    )
    raw = load_bytes(text.encode()).rejects["raw"][0]
    assert "[7.6000000000000001, 45.00]" in raw
    assert "12345678901234567890" in raw


def test_a_surrogate_and_a_nul_are_no_crash() -> None:
    records = [{**FLAT[0], "region": "a\ud800"}, {**FLAT[1], "region": "b\0"}, {**FLAT[2], "region": "c"}]
    loaded = load_bytes(json.dumps(records).encode())
    assert sorted(loaded.rejects["reason"]) == ["nul_byte", "undecodable_text"]


def test_the_array_with_trips_is_chosen_and_others_named() -> None:
    data = SHAPES["beside another array"].encode()
    inspection = inspect_format(data, file_name="f", options=LoadOptions(), is_whole=True)
    assert inspection.plan.table is not None
    assert inspection.plan.table.name == "trips"
    assert "'trips'; it holds besides: stations" in inspection.notes[0]
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data, options=LoadOptions(sheet="stations"))
    assert caught.value.error_code == "missing_roles"
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data, options=LoadOptions(sheet="nothing"))
    assert caught.value.error_code == "no_such_sheet"


def test_files_of_a_kind_have_the_same_hash() -> None:
    first, second = json.dumps(FLAT[:1]), json.dumps(FLAT[1:])
    assert list_headers(first.encode(), is_whole=True) == list_headers(second.encode(), is_whole=True) != {}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[]", "empty_file"),
        ("{}", "one_column"),
        ("[1, 2, 3]", "not_a_table"),
        ('["a", "b"]', "not_a_table"),
        ('{"a": 1}', "missing_roles"),
        ('{"type": "FeatureCollection", "features": []}', "missing_roles"),
        ('[{"a": 1}, {"a": 2}]', "missing_roles"),
        (SHAPES["array"][:-1], "damaged_json"),
        (SHAPES["array"][:-20], "damaged_json"),
        (SHAPES["array"].replace('"end_lng"', "end_lng", 1), "damaged_json"),
        (SHAPES["under keys"][:-30], "damaged_json"),
        (json.dumps({"start_lat": {"0": 1.5, "1": 2.5}, "start_lng": {"0": 1.5, "1": 2.5}}), "missing_roles"),
    ],
)
def test_what_is_no_table_is_refused(text: str, code: str) -> None:
    with pytest.raises(FileFormatError) as caught:
        load_bytes(text.encode())
    assert caught.value.error_code == code
    assert "\n" not in caught.value.message


def test_an_array_that_breaks_off_behind_the_sample_ends_the_load() -> None:
    data = json.dumps(FLAT * 500).encode()[:-2]
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data, sample_bytes=10_000)
    assert caught.value.error_code == "damaged_json"
    assert load_bytes(data + b"}]", sample_bytes=10_000).trips.height == 1_500


def test_csv_whose_first_field_is_json_stays_csv() -> None:
    point = json.dumps({"type": "Point", "coordinates": [7.6, 45.0]})
    rows = "".join(f"{point};{point.replace('7.6', '7.7')};2018-05-28 09:03:40\n" for _ in range(3))
    assert load_bytes(rows.encode()).trips.height == 3


@pytest.mark.parametrize("shape", ["lines", "array", "values"])
def test_keys_that_first_appear_after_the_sample_are_counted_and_said(shape: str) -> None:
    rows: list[dict[str, Any]] = [*FLAT * 100, {**FLAT[0], "toll": 3, "fare": {"tip": 1, "tax": None}}, {**FLAT[1], "toll": "2"}]
    texts = [json.dumps(row) for row in rows]
    data = {"lines": "\n".join(texts), "array": f"[{','.join(texts)}]", "values": " ".join(texts)}[shape].encode()
    loaded = load_bytes(data, sample_bytes=10_000)
    assert loaded.trips.height == len(rows)
    assert loaded.plan.notes[-1] == (
        "2 records have keys that first appear after the beginning and are not read: toll (2), fare.tip (1)."
    )
    assert load_bytes(data).plan.columns[-3:] == ("toll", "fare.tip", "fare.tax")
    assert not any("not read" in note for note in load_bytes(data).plan.notes)


def test_many_unread_keys_make_a_short_note() -> None:
    rows = [*FLAT * 100, *({**FLAT[0], f"key_{number}": 1} for number in range(50))]
    note = load_bytes("\n".join(map(json.dumps, rows)).encode(), sample_bytes=10_000).plan.notes[-1]
    assert note.startswith("50 records have keys")
    assert note.endswith("key_9 (1) and others.")


def test_the_sample_of_a_longer_file_says_that_other_keys_may_follow() -> None:
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in FLAT)
    notes = {
        is_whole: inspect_format(lines, file_name="trips.json", options=LoadOptions(), is_whole=is_whole).notes
        for is_whole in (True, False)
    }
    assert not any("appear later" in note for note in notes[True])
    assert any("appear later" in note for note in notes[False])
