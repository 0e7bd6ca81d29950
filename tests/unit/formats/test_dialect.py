"""Any dialect, written by Python's csv module, comes back as the rows that were written."""

import codecs
import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.formats import LoadOptions
from loader.formats.containers.decompress import zstd
from shared.platform.errors import FileFormatError
from tests.unit.formats.loading import load_bytes

FIRST = datetime(2018, 5, 1)  # noqa: DTZ001 - a wall clock


@dataclass
class Trip:
    started_at: datetime
    origin: tuple[float, float]
    destination: tuple[float, float]
    region: str


def near(longitude: float, latitude: float) -> st.SearchStrategy[tuple[float, float]]:
    return st.tuples(
        st.integers(-90_000, 90_000).map(lambda step: round(longitude + step / 1e6, 6)),
        st.integers(-90_000, 90_000).map(lambda step: round(latitude + step / 1e6, 6)),
    )


NAMES = st.text(st.characters(codec="cp1252", exclude_categories=["Cc", "Cf", "Zs"]), min_size=1, max_size=8).filter(
    lambda name: name.lower() not in ("null", "none", "nan", "na", "n/a", "#n/a", "nil", "\\n", "-")
)
TRIPS = st.lists(
    st.builds(
        Trip,
        st.integers(0, 40 * 86400).map(lambda seconds: FIRST + timedelta(seconds=seconds)),
        near(14.42, 50.08),
        near(14.42, 50.08),
        st.one_of(NAMES, st.sampled_from(['a"b', "a,b;c|d\te", "two\nlines", "\r\nodd", '"', 'x""'])),
    ),
    min_size=3,
    max_size=12,
)

POINTS: dict[str, Callable[[tuple[float, float]], str]] = {
    "wkt": lambda end: f"POINT ({end[0]} {end[1]})",
    "tight wkt": lambda end: f"POINT({end[0]} {end[1]})",
    "geojson": lambda end: f'{{"type": "Point", "coordinates": [{end[0]}, {end[1]}]}}',
    "pair": lambda end: f"({end[1]}, {end[0]})",
}
TIMES: dict[str, Callable[[datetime], str]] = {
    "iso": str,
    "iso T": lambda at: at.isoformat(),
    "iso fraction": lambda at: f"{at}.000",
    "iso Z": lambda at: f"{at.isoformat()}Z",
    "iso offset": lambda at: f"{at + timedelta(hours=2)}+02:00",
    "iso UTC": lambda at: f"{at} UTC",
    "us": lambda at: f"{at.month}/{at.day}/{at:%y %H:%M:%S}",
    "us am": lambda at: f"{at:%m/%d/%Y %I:%M:%S %p}",
    "european": lambda at: f"{at:%d/%m/%Y %H:%M:%S}",
    "german": lambda at: f"{at:%d.%m.%Y %H:%M:%S}",
    "epoch": lambda at: str(int((at - datetime(1970, 1, 1)).total_seconds())),  # noqa: DTZ001
    "epoch ms": lambda at: str(int((at - datetime(1970, 1, 1)).total_seconds()) * 1000),  # noqa: DTZ001
}
HEADERS: dict[str, list[str]] = {
    "coordinates": ["start_lat", "start_lng", "end_lat", "end_lng", "started_at", "City"],
    "tlc": [
        " Pickup_Latitude",
        " Pickup_Longitude",
        " Dropoff_Latitude",
        " Dropoff_Longitude",
        " tpep_pickup_datetime",
        " Region",
    ],
    "points": ["Pickup Centroid  Location", "dropoff_location", "Trip Start Timestamp", "region"],
    "glued": ["startpoint", "endpoint", "starttime", "region"],
}
DIALECT = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t", "|"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
        "lineterminator": st.sampled_from(["\n", "\r\n", "\r"]),
    }
)


def write(trips: list[Trip], header: str, point: str, time: str, decimal: str, dialect: dict[str, Any]) -> str:
    """Write trips with the csv module."""
    if dialect["lineterminator"] == "\r" and dialect["quoting"] == csv.QUOTE_MINIMAL:
        dialect = {**dialect, "lineterminator": "\n"}  # it leaves "\n" unquoted there
    out = io.StringIO(newline="")
    writer = csv.writer(out, **dialect)
    writer.writerow(HEADERS[header])
    for trip in trips:
        if "oint" in HEADERS[header][0] or "Location" in HEADERS[header][0]:
            ends: list[str] = [POINTS[point](trip.origin), POINTS[point](trip.destination)]
        else:
            ends = [str(axis).replace(".", decimal) for end in (trip.origin, trip.destination) for axis in reversed(end)]
        writer.writerow([*ends, TIMES[time](trip.started_at), trip.region])
    return out.getvalue()


def pack(data: bytes, how: str) -> bytes:
    """Compress."""
    if how == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data/trips.csv", data)
        return out.getvalue()
    return {"gzip": gzip.compress, "zstd": zstd.compress, "none": bytes}[how](data)


ENCODINGS = {
    "utf-8": b"",
    "utf-8 bom": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "cp1252": b"",
}


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    trips=TRIPS,
    header=st.sampled_from(sorted(HEADERS)),
    point=st.sampled_from(sorted(POINTS)),
    time=st.sampled_from(sorted(TIMES)),
    decimal=st.sampled_from([".", ","]),
    dialect=DIALECT,
    encoding=st.sampled_from(sorted(ENCODINGS)),
    packing=st.sampled_from(["none", "gzip", "zstd", "zip"]),
    batch_bytes=st.sampled_from([50, 2**20]),
)
def test_rows_come_back_as_written(
    trips: list[Trip],
    header: str,
    point: str,
    time: str,
    decimal: str,
    dialect: dict[str, Any],
    encoding: str,
    packing: str,
    batch_bytes: int,
) -> None:
    text = write(trips, header, point, time, decimal, dialect)
    data = pack(ENCODINGS[encoding] + text.encode(encoding.removesuffix(" bom")), packing)
    day_first = {"european": "dmy", "us": "mdy", "us am": "mdy"}.get(time)
    try:
        # Which letters a few bytes are is a question, where they are names.
        said = LoadOptions(encoding="windows-1252" if encoding == "cp1252" else None)
        loaded = load_bytes(data, batch_bytes=batch_bytes, chunk_bytes=70, options=said)
    except FileFormatError as error:
        if error.error_code != "ambiguous_dates" or any(trip.started_at.day > 12 for trip in trips):
            raise
        loaded = load_bytes(data, batch_bytes=batch_bytes, chunk_bytes=70, options=replace(said, date_order=day_first))
    assert loaded.rejects.height == 0, loaded.rejects.to_dicts()
    found = loaded.trips.select(
        "started_at", "origin_longitude", "origin_latitude", "destination_longitude", "destination_latitude"
    )
    expected = [(trip.started_at, *trip.origin, *trip.destination) for trip in trips]
    assert found.rows() == expected
    if encoding != "cp1252":  # a few letters may fit UTF-8 and Windows-1252 alike
        assert loaded.trips["region"].to_list() == [trip.region.strip(" \t") for trip in trips]


GOOD = "Prague;POINT (14.5 50.0);POINT (14.4 50.1);2018-05-28 09:03:40;x\n"


@pytest.mark.parametrize(
    ("text", "rows", "line"),
    [
        ("\n\nregion;from;to;started_at;datasource\n" + GOOD + "bad\n", 2, 5),
        ("Trips of May\nmade by the city\n\nregion;from;to;started_at;datasource\n\n" + GOOD + "bad\n", 2, 7),
        ("# exported 2018\nregion;from;to;started_at;datasource\n" + GOOD * 3 + "bad\n", 4, 6),
        (GOOD * 3 + "bad\n", 4, 4),
        ("\n" + GOOD * 3 + "\n   \nbad\n", 4, 7),
        ('region;from;to;"started\nat";datasource\n' + GOOD * 3 + "bad\n", 4, 6),
    ],
)
def test_preamble_blank_lines_and_header(text: str, rows: int, line: int) -> None:
    loaded = load_bytes(text.encode())
    assert (loaded.rows, loaded.trips.height) == (rows, rows - 1)
    assert loaded.rejects.select("line", "reason", "raw").rows() == [(line, "field_count", "bad")]


def test_single_quotes() -> None:
    text = (
        "'region','origin','destination','started_at'\n" + "'It''s, far','POINT (1 2)','POINT (3 4)','2018-05-28 09:03:40'\n" * 3
    )
    loaded = load_bytes(text.encode())
    assert (loaded.trips.height, loaded.trips["region"][0]) == (3, "It's, far")


def test_a_space_before_the_quotes() -> None:
    head = '"region", "origin", "destination", "started_at"\n'
    row = '"Turin, North", "POINT (7.6 45.0)", "POINT (7.7 45.1)", "2018-05-28 09:03:40"\n'
    loaded = load_bytes((head + row * 3).encode())
    assert loaded.trips.row(0)[1:6] == (7.6, 45.0, 7.7, 45.1, "Turin, North")
    assert loaded.rejects.height == 0


def test_empty_fields_beyond_the_header_are_dropped_row_by_row() -> None:
    head = "Lpep_pickup_datetime,Pickup_longitude,Pickup_latitude,Dropoff_longitude,Dropoff_latitude,Trip_type \n"
    row = "2013-08-01 08:14:37,-73.9,40.7,-73.8,40.6,,,\n"
    loaded = load_bytes((head + "\r\n" + row * 3 + "2013-08-01 08:14:37,-73.9,40.7,-73.8,40.6,\n").encode())
    assert (loaded.plan.dialect.field_count, loaded.trips.height, loaded.rejects.height) == (6, 4, 0)


def test_members_of_a_zip_are_batches_of_one_load() -> None:
    head = "region,origin,destination,started_at\n"
    row = "Turin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-28 09:03:40\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._a.csv", b"\0\0")
        archive.writestr("readme.md", "about")
        archive.writestr("a.csv", head + row * 3)
        archive.writestr("b.csv", head + row + "bad\n" + row)
    loaded = load_bytes(out.getvalue(), batch_bytes=100)
    assert (loaded.rows, loaded.trips.height) == (6, 5)
    assert loaded.rejects.select("line", "record", "raw").rows() == [(3, 5, "bad")]
    assert {piece.member for piece in loaded.pieces} == {"a.csv", "b.csv"}
    assert [piece.batch_no for piece in loaded.pieces] == list(range(len(loaded.pieces)))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("c.csv", "a,b\n1,2\n")
    with pytest.raises(FileFormatError, match=r"c\.csv in the archive has other columns") as caught:
        load_bytes(out.getvalue())
    assert caught.value.error_code == "members_differ"


def test_windows_1252_that_shows_only_after_the_sample() -> None:
    head = "region,origin,destination,started_at\n"
    row = "Köln,POINT (6.9 50.9),POINT (7.0 50.8),2018-05-28 09:03:40\n"
    data = (head + row.replace("ö", "oe") * 50).encode() + row.encode("cp1252")
    loaded = load_bytes(data, sample_bytes=1000)
    assert loaded.plan.dialect.encoding == "windows-1252"
    assert loaded.trips["region"].to_list()[-1] == "Köln"
    damaged = (head + row * 50).encode() + row.encode("cp1252")
    loaded = load_bytes(damaged, sample_bytes=1000)
    assert (loaded.plan.dialect.encoding, loaded.rejects["reason"].to_list()) == ("utf-8", ["undecodable_text"])


@pytest.mark.parametrize("batch_bytes", [64, 2**20])
def test_backslash_before_a_quote(batch_bytes: int) -> None:
    head = b"note,origin,destination,started_at,region\n"
    texts = [rb'"a \"b\", c"', rb'"C:\\"', rb'"{\"k\": \"v\"}"', b'"\\\n\\"x\\""', rb'"\""']
    points = b',"POINT (7.6 45.0)","POINT (7.7 45.1)",2018-05-28 09:03:40,"\\"Turin\\", it"\n'
    loaded = load_bytes(head + b"".join(text + points for text in texts), batch_bytes=batch_bytes)
    assert (loaded.rows, loaded.trips.height) == (5, 5)
    assert set(loaded.trips["region"]) == {'"Turin", it'}


def test_a_backslash_at_the_end_of_a_field_is_a_letter() -> None:
    row = b'"C:\\trips\\","POINT (7.6 45.0)","POINT (7.7 45.1)",2018-05-28 09:03:40\n'
    assert load_bytes(b"folder,origin,destination,started_at\n" + row * 3).trips.height == 3
