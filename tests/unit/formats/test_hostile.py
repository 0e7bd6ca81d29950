"""Hostile files: bounded memory and time, and one clear message or exact rejects."""

import gzip
import io
import random
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator

import pytest

from loader.formats import BatchSplitter, FilePlan, LoadOptions, detect_format, inspect_format
from loader.formats.containers.decompress import zstd
from shared.platform.errors import FileFormatError
from tests.unit.formats.loading import load_bytes

HEAD = b"region,origin,destination,started_at,note\n"
GOOD = b"Turin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-28 09:03:40,fine\n"


def refuse(data: bytes, *, options: LoadOptions | None = None) -> FileFormatError:
    """Load a file that can't be loaded; gives the error, which must be one sentence or two on one line."""
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data, options=options)
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 700
    return caught.value


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\n\r\n  \n", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"\xff\xfe", "empty_file"),
        (bytes(1000), "empty_file"),
        (b"a\nb\nc\n", "one_column"),
        (b"x" * 5_000_000, "one_column"),
        (random.Random(1).randbytes(100_000), "not_a_table"),
        (bytes(range(256)) * 100, "not_a_table"),
        (b"%PDF-1.7 ...", "not_a_table"),
        (b"<!DOCTYPE html><html>", "not_a_table"),
        (b"a,b,c\n1,2,3\n", "missing_roles"),
        (b"origin,destination\nPOINT (1 2),POINT (3 4)\n", "missing_roles"),
        (b"started_at,lat,lon\n2018-05-28 09:03:40,45.0,7.6\n", "missing_roles"),
        (gzip.compress(b"", mtime=0), "empty_file"),
        (gzip.compress(HEAD + GOOD * 1000, mtime=0)[:-20], "truncated_archive"),
        (gzip.compress(HEAD + GOOD * 1000, mtime=0)[:60], "truncated_archive"),
        (gzip.compress(HEAD + GOOD, mtime=0)[:12] + b"junkjunkjunk", "damaged_archive"),
        (zstd.compress(HEAD + GOOD * 1000)[:-5], "truncated_archive"),
        (zstd.compress(HEAD + GOOD * 99)[:20] + b"junkjunkjunk" * 20, "damaged_archive"),
        (b"PK\x03\x04" + bytes(10), "truncated_archive"),
        (b"PAR1" + bytes(100) + b"PAR1", "damaged_archive"),
        (b"PAR1" + bytes(100), "truncated_archive"),
        (b"PAR1" + bytes(100) + (50).to_bytes(4, "little") + b"PAR1", "damaged_archive"),
    ],
)
def test_files_that_are_no_tables(data: bytes, code: str) -> None:
    assert refuse(data).error_code == code


def make_zip(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_zips_without_a_table_or_with_damage() -> None:
    assert refuse(make_zip(**{"readme.md": b"hello"})).error_code == "empty_archive"
    whole = make_zip(**{"trips.csv": HEAD + GOOD * 100})
    assert refuse(whole[:80]).error_code == "truncated_archive"
    damaged = bytearray(whole)
    damaged[60] ^= 0xFF
    assert refuse(bytes(damaged)).error_code == "damaged_archive"
    workbook = make_zip(**{"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"})
    assert refuse(workbook).error_code == "damaged_workbook"


def bomb(size: int) -> Iterator[bytes]:
    """Make a gzip file of blank lines, a thousand times smaller than what it unpacks to."""
    packer = zlib.compressobj(6, wbits=31)
    block = b"\n" * 2**20
    for _ in range(size // len(block)):
        yield packer.compress(block)
    yield packer.flush()


@pytest.mark.slow
def test_bombs_are_stopped_while_they_unpack() -> None:
    packed = b"".join(bomb(2**27))
    plan = FilePlan(compression="gzip")
    tracemalloc.start()
    with pytest.raises(FileFormatError) as caught:
        list(BatchSplitter(plan).split([packed]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.error_code == "decompression_bomb"
    assert peak < 250 * 2**20
    assert refuse(packed).error_code == "empty_file"  # what detection sees of it


def test_a_zstd_bomb_in_one_chunk_is_unpacked_in_small_pieces() -> None:
    packed = zstd.compress(b"\n" * 2**27)
    tracemalloc.start()
    with pytest.raises(FileFormatError) as caught:
        list(BatchSplitter(FilePlan(compression="zstd")).split([packed]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.error_code == "decompression_bomb"
    assert peak < 250 * 2**20


def test_a_ten_megabyte_field_is_one_reject() -> None:
    long = b"Turin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-28 09:03:40," + b"x" * 10_000_000 + b"\n"
    loaded = load_bytes(HEAD + GOOD + long + GOOD, batch_bytes=2**16)
    assert (loaded.rows, loaded.trips.height) == (3, 2)
    assert loaded.rejects.select("line", "record", "reason").rows() == [(3, 2, "record_too_long")]
    assert loaded.rejects["raw"].str.len_chars()[0] == 2**20, "as much as a record may have"
    assert loaded.rejects["raw"][0].endswith("…")


def test_an_endless_record_ends_the_load() -> None:
    plan = detect_format(HEAD + GOOD, file_name="file", options=LoadOptions(), is_whole=False)
    splitter = BatchSplitter(plan)
    with pytest.raises(FileFormatError, match="Line 3 begins a record of more than 32 MiB") as caught:
        list(splitter.split([HEAD + GOOD, *[b"x" * 2**20] * 40]))
    assert caught.value.error_code == "endless_record"


@pytest.mark.parametrize("batch_bytes", [60, 2**20])
def test_a_lost_quote_costs_one_line(batch_bytes: int) -> None:
    lost = b'Turin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-28 09:03:40,"lost\n'
    loaded = load_bytes(HEAD + GOOD + lost + GOOD * 3, batch_bytes=batch_bytes)
    assert loaded.trips.height == 4
    assert loaded.rejects.select("line", "reason", "raw").rows() == [(3, "unclosed_quote", lost.decode().rstrip())]
    # Beyond the limit a quote is not looked for, wherever it may be.
    far = GOOD * 25 + b'Turin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-28 09:03:40,"x"\n'
    loaded = load_bytes(HEAD + lost + far, batch_bytes=batch_bytes, options=LoadOptions(record_limit_bytes=1024))
    assert (loaded.trips.height, loaded.rejects["reason"].to_list()) == (26, ["unclosed_quote"])


def test_nul_bytes_and_missing_and_extra_columns() -> None:
    rows = [
        GOOD,
        b"Tu\0rin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-28 09:03:40,x\n",
        b"Turin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-28 09:03:40\n",
        b"Turin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-28 09:03:40,x,y\n",
        b"Turin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-28 09:03:40,\0\n",
        GOOD,
    ]
    loaded = load_bytes(HEAD + b"".join(rows))
    assert loaded.rejects.select("line", "reason", "value").rows() == [
        (3, "nul_byte", None),
        (4, "field_count", "4"),
        (5, "field_count", "6"),
        (6, "nul_byte", None),
    ]
    assert "\0" not in "".join(loaded.rejects["raw"])


def test_a_header_without_rows_is_a_load_of_no_rows() -> None:
    for head in (HEAD, HEAD.strip(), b"\n" + HEAD, b"\xef\xbb\xbf" + HEAD):
        loaded = load_bytes(head)
        assert (loaded.rows, loaded.trips.height, loaded.rejects.height) == (0, 0, 0)
    inspection = inspect_format(HEAD, file_name="file", options=LoadOptions(), is_whole=True).to_json()
    assert inspection["notes"] == ["The file has a header and no rows."]


def test_ambiguous_dates_are_asked_for_and_never_decided_per_row() -> None:
    head = b"region,origin,destination,started_at\n"
    row = b"Turin,POINT (7.6 45.0),POINT (7.7 45.1),%d/%d/2018 9:03\n"
    open_ = head + b"".join(row % (month, day) for month in (1, 2, 3) for day in (4, 5, 12))
    error = refuse(open_)
    assert error.error_code == "ambiguous_dates"
    assert "started_at" in error.message
    assert "1/4/2018 9:03" in error.message
    for order, first in (("mdy", "2018-01-04"), ("dmy", "2018-04-01")):
        loaded = load_bytes(open_, options=LoadOptions.from_json({"date_order": order}))
        assert str(loaded.trips["started_at"][0].date()) == first
    settled = open_ + row % (3, 13) * 2 + row % (14, 3)
    loaded = load_bytes(settled)
    assert (loaded.plan.time.date_order, loaded.rejects["reason"].to_list()) == ("mdy", ["started_at_unreadable"])
    with pytest.raises(FileFormatError) as caught:
        load_bytes(open_ * 50, sample_bytes=1000)
    assert caught.value.error_code == "ambiguous_dates"


def test_swapped_coordinates_are_noticed() -> None:
    head = b"start_lat,start_lng,end_lat,end_lng,started_at\n"
    row = b"-73.98,40.75,-73.97,40.76,2018-05-28 09:03:40\n"
    assert "exchanged they lie near New York City" in refuse(head + row).message
    error = refuse(head + row * 5)
    assert error.error_code == "swapped_coordinates"
    assert "exchanged they lie near" in error.message
    roles = {
        "origin_latitude": "start_lng",
        "origin_longitude": "start_lat",
        "destination_latitude": "4",
        "destination_longitude": "3",
    }
    loaded = load_bytes(head + row * 5, options=LoadOptions(roles=roles))
    assert loaded.trips.select("origin_longitude", "origin_latitude").row(0) == (-73.98, 40.75)
    points = b"origin,destination,started_at\n" + b"POINT (45.07 7.68),POINT (45.06 7.67),2018-05-28 09:03:40\n" * 3
    assert refuse(points).error_code == "swapped_coordinates"
    loaded = load_bytes(points, options=LoadOptions(axis_order="lat_lon"))
    assert loaded.trips.select("origin_longitude", "origin_latitude").row(0) == (7.68, 45.07)
    # A few swapped rows among many are theirs to keep.
    few = load_bytes(head + row + b"40.75,-73.98,40.76,-73.97,2018-05-28 09:03:40\n" * 400)
    assert (few.trips.height, few.warnings) == (401, {"swapped_pair": 1})
