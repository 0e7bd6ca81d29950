"""Hostile Parquet files: bounded memory and time, and one clear message, in inspection as in loads."""

import decimal
import io
import resource
import time
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loader.formats import LoadOptions, inspect_format
from loader.formats.parquet.limits import (
    BATCH_VALUES_LIMIT_BYTES,
    COLUMN_LIMIT,
    FOOTER_LIMIT_BYTES,
    GROUP_ROWS_LIMIT,
    NESTING_LIMIT,
    RATIO_FREE_BYTES,
)
from shared.platform.errors import FileFormatError
from tests.unit.formats.loading import load_bytes

BEGAN = datetime.fromisoformat("2026-03-02T08:00:00")
# Without limits these files take two or three gigabytes, and a minute.
MEMORY_LIMIT_MIB, SECONDS_LIMIT = 700, 30


def write(table: pa.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def make_trips(rows: int, **columns: Any) -> pa.Table:
    """Make trips in Turin, one a minute, with more columns or other ones."""
    trips: dict[str, Any] = {
        "started_at": [BEGAN + timedelta(minutes=row % 10_000) for row in range(rows)],
        "start_lng": [7.6 + row % 100 / 1000 for row in range(rows)],
        "start_lat": [45.0] * rows,
        "end_lng": [7.7] * rows,
        "end_lat": [45.1] * rows,
    }
    return pa.table({**trips, **columns})


def repeat(text: str | bytes, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))


def take(data: bytes, work: str) -> tuple[str | None, float]:
    """Inspect or load a file; gives the error's code, and by how many MiB the process has grown beyond its largest so far."""
    before, code = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, None
    begin = time.process_time()
    try:
        if work == "inspect":
            inspect_format(data, file_name="file", options=LoadOptions(), is_whole=True)
        else:
            load_bytes(data)
    except FileFormatError as error:
        code = error.error_code
    assert time.process_time() - begin < SECONDS_LIMIT
    return code, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def refuse(data: bytes, **roles: str) -> FileFormatError:
    """Inspect and load a file that neither takes; gives the error, which must be the same one sentence or two."""
    options = LoadOptions(roles=roles)
    with pytest.raises(FileFormatError) as inspected:
        inspect_format(data, file_name="file", options=options, is_whole=True)
    with pytest.raises(FileFormatError) as loaded:
        load_bytes(data, options=options)
    assert inspected.value.message == loaded.value.message
    assert "\n" not in loaded.value.message
    assert len(loaded.value.message) < 500
    return loaded.value


@pytest.mark.parametrize("work", ["inspect", "load"])
@pytest.mark.parametrize(
    "table",
    [
        make_trips(65_536, region=repeat("x" * 32_768, 65_536)),
        make_trips(65_536, started_at=repeat("2026-03-02 08:00:00" + " " * 32_768, 65_536)),
        make_trips(65_536, region=repeat(b"x" * 32_768, 65_536)),
        make_trips(300_000, region=repeat("x" * 4_096, 300_000)),
    ],
    ids=["region", "start", "binary region", "shorter and more"],
)
def test_a_long_text_of_a_dictionary_is_not_repeated(table: pa.Table, work: str) -> None:
    data = write(table, compression="zstd")
    assert len(data) < 500_000
    code, grown_mib = take(data, work)
    assert code == "decompression_bomb"
    assert grown_mib < MEMORY_LIMIT_MIB


def test_texts_that_repeat_the_beginning_of_the_one_before() -> None:
    length, rows = 64_000, BATCH_VALUES_LIMIT_BYTES // 64_000 + 100
    table = make_trips(rows, region=pa.array(["x" * length] * rows))
    options = {"use_dictionary": False, "column_encoding": {"region": "DELTA_BYTE_ARRAY"}}
    code, grown_mib = take(write(table, **options), "load")
    assert code == "decompression_bomb"
    assert grown_mib < MEMORY_LIMIT_MIB


def test_a_page_of_nothing_is_not_unpacked() -> None:
    table = make_trips(10, region=pa.array([b"\0" * (RATIO_FREE_BYTES // 10 + 1)] * 10))
    data = write(table, compression="zstd", use_dictionary=False)
    assert refuse(data).error_code == "decompression_bomb"
    honest = pq.read_metadata(io.BytesIO(data)).row_group(0).column(5).total_uncompressed_size
    # The same with a footer that says 100 bytes: the pages' own headers tell.
    lying = data.replace(write_varint(honest), write_padded(100, len(write_varint(honest))))
    assert pq.read_metadata(io.BytesIO(lying)).row_group(0).column(5).total_uncompressed_size == 100
    code, grown_mib = take(lying, "load")
    assert (code, grown_mib < MEMORY_LIMIT_MIB) == ("decompression_bomb", True)


def write_varint(number: int) -> bytes:
    """Write an integer as Thrift does."""
    number *= 2
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def write_padded(number: int, length: int) -> bytes:
    """Write an integer in more bytes than it needs."""
    number *= 2
    return bytes([*((number >> 7 * at) & 127 | 128 for at in range(length - 1)), number >> 7 * (length - 1)])


def test_the_same_bytes_for_many_rows() -> None:
    constant = {name: pa.array([1.5] * 2**20) for name in ("start_lng", "start_lat", "end_lng", "end_lat")}
    table = pa.table({"started_at": pa.array([BEGAN] * 2**20), **constant})
    out = io.BytesIO()
    with pq.ParquetWriter(out, table.schema) as writer:
        for _ in range(4):
            writer.write_table(table)
    assert len(out.getvalue()) < 100_000
    assert refuse(out.getvalue()).error_code == "decompression_bomb"


def test_rows_columns_and_levels() -> None:
    rows = GROUP_ROWS_LIMIT + 1
    names = ("start_lng", "start_lat", "end_lng", "end_lat")
    large = pa.table({"started_at": pa.nulls(rows, pa.date32()), **{name: pa.nulls(rows, pa.int8()) for name in names}})
    assert refuse(write(large, row_group_size=rows)).error_code == "row_group_too_large"
    wide = make_trips(3, **{f"column {number}": [1.0] * 3 for number in range(COLUMN_LIMIT)})
    assert refuse(write(wide)).error_code == "too_many_columns"
    deep = pa.array([1.0] * 3)
    for _ in range(NESTING_LIMIT + 1):
        deep = pa.StructArray.from_arrays([deep], ["a"])
    assert refuse(write(make_trips(3, deep=deep))).error_code == "too_deeply_nested"
    # As deep as pyarrow reads; beyond, it refuses itself.
    for _ in range(100):
        deep = pa.StructArray.from_arrays([deep], ["a"])
    assert refuse(write(make_trips(3, deep=deep))).error_code == "damaged_archive"


def test_a_footer_that_is_too_large_or_lies_about_its_length() -> None:
    data = write(make_trips(3))
    lengths = {0: "damaged_archive", 5: "damaged_archive", len(data): "truncated_archive", 2**32 - 1: "truncated_archive"}
    for length, code in lengths.items():
        assert refuse(data[:-8] + length.to_bytes(4, "little") + b"PAR1").error_code == code
    size = FOOTER_LIMIT_BYTES + 100
    huge = b"PAR1" + bytes(size) + size.to_bytes(4, "little") + b"PAR1"
    assert refuse(huge).error_code == "footer_too_large"


@pytest.mark.slow
def test_every_damaged_byte_is_a_clear_error_or_no_damage() -> None:
    data = write(make_trips(50, region=["Turin"] * 50), compression="zstd")
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    # The histogram of a column's levels lies 19 bytes into the footer: pyarrow ends the process where it is too short.
    for at in [footer + 19, footer + 20, *range(4, footer, 41), *range(footer, len(data), 17)]:
        damaged = bytearray(data)
        damaged[at] ^= 0x55
        try:
            load_bytes(bytes(damaged))
        except FileFormatError as error:
            assert "\n" not in error.message  # noqa: PT017 - most bytes do damage, some don't


def test_records_that_are_too_long_are_rejects() -> None:
    rows = 20
    table = make_trips(rows, region=["Turin"] * 10 + ["x" * 5_000] + ["Milan\0"] + ["Turin"] * (rows - 12))
    loaded = load_bytes(write(table), options=LoadOptions(record_limit_bytes=1_000))
    assert (loaded.rows, loaded.trips.height) == (rows, rows - 2)
    assert loaded.rejects.select("record", "column_name", "reason").rows() == [
        (11, None, "record_too_long"),
        (12, "region", "nul_byte"),
    ]
    assert "\0" not in "".join(loaded.rejects["raw"])


def test_no_rows_are_a_load_of_no_rows() -> None:
    fields = [(name, pa.timestamp("us") if name == "started_at" else pa.float64()) for name in make_trips(0).column_names]
    empty = make_trips(0).cast(pa.schema(fields))
    without_groups = io.BytesIO()
    pq.ParquetWriter(without_groups, empty.schema).close()
    for data in (write(empty), without_groups.getvalue()):
        loaded = load_bytes(data)
        assert (loaded.rows, loaded.trips.height, loaded.rejects.height) == (0, 0, 0)
        assert len(loaded.pieces) == 1
        notes = inspect_format(data, file_name="file", options=LoadOptions(), is_whole=True).notes
        assert notes == ("The file has a header and no rows.",)
    assert refuse(write(pa.table({}))).error_code == "missing_roles"


DECIMALS = [Decimal("-7.5"), Decimal("45.25"), None]


@pytest.mark.parametrize("work", ["inspect", "load"])
@pytest.mark.parametrize(("precision", "scale"), [(39, 2), (76, 0), (76, 76), (40, 10)])
@pytest.mark.parametrize("name", ["end_lng", "region", "fare"])
def test_decimals_of_256_bits_neither_hang_nor_crash(name: str, precision: int, scale: int, work: str) -> None:
    # Polars reads none: it used to end the thread or to wait for ever, whatever the column was for.
    unit = Decimal(1).scaleb(-scale)
    with decimal.localcontext(prec=80):
        values = [None if each is None else (each * unit if scale == 76 else each).quantize(unit) for each in DECIMALS * 4]
        trips = make_trips(12, **{name: pa.array(values, pa.decimal256(precision, scale))})
        code, _ = take(write(trips), work)
    assert code is None


def test_coordinates_may_be_decimals_of_256_bits() -> None:
    longitudes = pa.array([Decimal("7.6912345"), Decimal("-7.5")] * 3, pa.decimal256(50, 7))
    loaded = load_bytes(write(make_trips(6, end_lng=longitudes)))
    destination_longitudes = [row[3] for row in loaded.trips.rows()]
    assert destination_longitudes == pytest.approx([7.6912345, -7.5] * 3, abs=1e-9)
