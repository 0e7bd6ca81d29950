"""Other people's files: rows, trips, rejects and weeks as counted by others, without any hint."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loader.formats import SAMPLE_BYTES, BatchSplitter, FilePlan, LoadOptions, detect_format, parse_batch
from tests.shared_data import CHALLENGE_FILE, HAS_SHARED, SHARED_DIR, read_challenge_expected, read_expected, requires_shared
from tests.unit.formats.loading import join_trips

FILES = sorted(path.name for path in (SHARED_DIR / "real").glob("*.csv")) if HAS_SHARED else []


def load(
    data: bytes, *, batch_bytes: int, options: LoadOptions | None = None
) -> tuple[FilePlan, pl.DataFrame, pl.DataFrame, int]:
    """Load a file; gives the settled plan, trips, rejects with lines and records of the file, and the rows read."""
    options = options or LoadOptions()
    plan = detect_format(data[:SAMPLE_BYTES], file_name="file", options=options, is_whole=len(data) <= SAMPLE_BYTES)
    splitter = BatchSplitter(plan, batch_bytes=batch_bytes)
    pieces = [piece for piece, _ in splitter.split(data[at : at + 100_000] for at in range(0, len(data), 100_000))]
    trips, rejects, rows = [], [], 0
    for piece in pieces:
        content = data[piece.offset : piece.offset + piece.bytes]
        parsed = parse_batch(content, splitter.plan, piece, options=options)
        trips.append(parsed.trips)
        rejects.append(
            parsed.rejects.with_columns(
                line=pl.col("line_in_batch") + piece.lines_before, record=pl.col("record_in_batch") + piece.records_before
            )
        )
        rows += parsed.rows_read
    return splitter.plan, join_trips(trips), pl.concat(rejects), rows


def count_weeks(trips: pl.DataFrame) -> dict[str, int]:
    days = trips["started_at"].dt.date().to_list()
    weeks: dict[str, int] = {}
    for day in days:
        monday = str(day - timedelta(days=day.weekday()))
        weeks[monday] = weeks.get(monday, 0) + 1
    return weeks


@requires_shared
@pytest.mark.parametrize("batch_bytes", [5_000, 16 * 2**20])
@pytest.mark.parametrize("name", FILES)
def test_counts_equal_those_of_others(name: str, batch_bytes: int) -> None:
    path = SHARED_DIR / "real" / name
    if batch_bytes < 10_000 and path.stat().st_size > 300_000:
        batch_bytes *= 20
    expected = read_expected("real")[name]
    _, trips, rejects, rows = load(path.read_bytes(), batch_bytes=batch_bytes)
    valid = expected.get("valid_rows_excluding_short_rows", expected["valid_rows"])
    assert (rows, trips.height, rejects.height) == (expected["data_rows"], valid, expected["data_rows"] - valid)
    if valid == expected["valid_rows"]:
        assert count_weeks(trips) == expected[expected["main_weeks_key"]]


@requires_shared
@pytest.mark.parametrize("name", FILES)
def test_rejects_name_the_line_that_is_at_fault(name: str) -> None:
    path = SHARED_DIR / "real" / name
    _, _, rejects, _ = load(path.read_bytes(), batch_bytes=2**18)
    lines = read_lines(path)
    for reject in rejects.iter_rows(named=True):
        assert lines[reject["line"] - 1].encode() == reject["raw"].encode()


def read_lines(path: Path) -> list[str]:
    return path.read_bytes().decode().replace("\r\n", "\n").split("\n")


CASES: dict[str, dict[str, Any]] = {
    "nyc-yellow-2009-01-head1k.csv": {"reasons": {"field_count": 1}, "lines": {7}},
    "nyc-yellow-2015-01-head1k.csv": {"reasons": {"field_count": 1}, "lines": {6}},
    "nyc-green-2013-08.csv": {"reasons": {"origin_null_island": 534, "destination_null_island": 6}},
    "nyc-fare-kaggle-10k.csv": {"reasons": {"origin_null_island": 192, "destination_null_island": 3, "origin_out_of_range": 1}},
    "chicago-taxi-wkt.csv": {"reasons": {"origin_missing": 1, "destination_missing": 1}},
    "citibike-jc-202103.csv": {"reasons": {"destination_missing": 77}},
    "citibike-jc-202103-excel-mangled.csv": {"reasons": {"started_at_unreadable": 2019}, "lines": set(range(2, 2021))},
}


@requires_shared
@pytest.mark.parametrize("name", sorted(CASES))
def test_rejects_say_why(name: str) -> None:
    _, _, rejects, _ = load((SHARED_DIR / "real" / name).read_bytes(), batch_bytes=2**18)
    assert dict(rejects["reason"].value_counts().iter_rows()) == CASES[name]["reasons"]
    if "lines" in CASES[name]:
        assert set(rejects["line"].to_list()) == CASES[name]["lines"]


@requires_shared
def test_the_order_of_day_and_month_comes_from_the_whole_column() -> None:
    data = (SHARED_DIR / "real" / "citibike-jc-201701.csv").read_bytes()
    plan = detect_format(data[:100_000], file_name="file", options=LoadOptions(), is_whole=False)
    assert plan.time.date_order is None
    settled, _, _, _ = load(data, batch_bytes=2**18)
    assert settled.time.date_order == "mdy"
    day_first, _, _, _ = load((SHARED_DIR / "real" / "lima-uber-peru-2010-excerpt.csv").read_bytes(), batch_bytes=2**18)
    assert (day_first.time.date_order, day_first.dialect.decimal, day_first.dialect.delimiter) == ("dmy", ",", ";")


def test_challenge_file() -> None:
    expected = read_challenge_expected()
    _, trips, rejects, rows = load(CHALLENGE_FILE.read_bytes(), batch_bytes=1_000)
    assert (rows, rejects.height) == (expected["rows"], 0)
    assert count_weeks(trips) == expected["weeks"]
    for column, counts in (("region", expected["regions"]), ("datasource", expected["datasources"])):
        assert dict(trips[column].value_counts().iter_rows()) == counts


@requires_shared
def test_instants_are_converted_to_the_load_s_time_zone() -> None:
    expected = read_expected("real")["oslo-bike-2019-12.csv"]
    data = (SHARED_DIR / "real" / "oslo-bike-2019-12.csv").read_bytes()
    plan, trips, _, _ = load(data, batch_bytes=2**20, options=LoadOptions(timezone="Europe/Oslo"))
    assert plan.clock == "converted"
    assert count_weeks(trips) == expected["weeks_local"]
