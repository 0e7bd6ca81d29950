"""Benchmark of the formats room: detecting, scanning, parsing and the cost of validation. Not collected by pytest.

    python -m tests.benchmarks.bench_formats [MiB]

CPU seconds of one core (POLARS_MAX_THREADS=1), the best of several runs, so that neighbours on the machine matter less.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import numpy as np
import polars as pl

from loader.formats import (
    SAMPLE_BYTES,
    BatchSlice,
    BatchSplitter,
    FilePlan,
    LoadOptions,
    detect_format,
    list_headers,
    parse_batch,
)
from loader.formats.validation.rules import REJECT_SCHEMA

BATCH_BYTES = 16 * 2**20
REGIONS = (("Prague", 14.4, 50.08), ("Turin", 7.68, 45.07), ("Hamburg", 9.99, 53.55))
SOURCES = ("funny_car", "baba_car", "cheap_mobile", "bad_diesel_vehicles", "pt_search_app")


def make_challenge_text(size: int) -> bytes:
    """Make challenge-format rows of about `size` bytes (129 bytes a row)."""
    rng = np.random.default_rng(20180501)
    count = size // 129
    place = rng.integers(0, 3, count)
    frame = pl.DataFrame({"region": np.array([name for name, _, _ in REGIONS])[place]})
    for end in ("origin_coord", "destination_coord"):
        longitude = np.array([x for _, x, _ in REGIONS])[place] + rng.normal(0, 0.08, count)
        latitude = np.array([y for _, _, y in REGIONS])[place] + rng.normal(0, 0.05, count)
        frame = frame.with_columns(
            pl.concat_str(pl.lit("POINT ("), pl.Series(longitude), pl.lit(" "), pl.Series(latitude), pl.lit(")")).alias(end)
        )
    moments = pl.Series(1525132800 + rng.integers(0, 31 * 86400, count)).cast(pl.Int64) * 1_000_000
    frame = frame.with_columns(
        datetime=moments.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d %H:%M:%S"),
        datasource=pl.Series(np.array(SOURCES)[rng.integers(0, 5, count)]),
    )
    return frame.write_csv().encode()


def quote_all(text: bytes) -> bytes:
    """Quote every field."""
    return b"\n".join(b'"' + line.replace(b",", b'","') + b'"' for line in text.splitlines()) + b"\n"


def measure(work: Callable[[], object], *, runs: int = 9) -> float:
    """Measure CPU seconds: the best of several runs after one to warm up."""
    work()
    best = float("inf")
    for _ in range(runs):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return best


def split(data: bytes, plan: FilePlan) -> list[BatchSlice]:
    """Cut the whole file, in chunks of 8 MiB as they come from the object store."""
    splitter = BatchSplitter(plan, batch_bytes=BATCH_BYTES)
    return [piece for piece, _ in splitter.split(data[at : at + 2**23] for at in range(0, len(data), 2**23))]


def look(sample: bytes, name: str) -> FilePlan:
    """Do what the planner does before it scans: hash the header for what was said last time, and detect the format."""
    list_headers(sample, is_whole=False)
    return detect_format(sample, file_name=name, options=LoadOptions(), is_whole=False)


def report(name: str, data: bytes) -> None:
    """Measure one text and print its figures."""
    options = LoadOptions()
    plan = detect_format(data[:SAMPLE_BYTES], file_name=name, options=options, is_whole=False)
    pieces = split(data, plan)
    piece = pieces[1]
    batch = data[piece.offset : piece.offset + piece.bytes]
    first = parse_batch(batch, plan, piece, options=options)
    rows, trips = first.rows_read, first.trips.height
    sample = data[:SAMPLE_BYTES]
    detected = measure(lambda: look(sample, name), runs=5)
    scanned = measure(lambda: split(data, plan))
    parsed, trusting = measure_validation(
        lambda: parse_batch(batch, plan, piece, options=options), rows, has_rejects=trips < rows
    )
    print(
        f"{name:36} detect {1000 * detected:4.0f} ms   scan {len(data) / scanned / 1e9:5.2f} GB/s"
        f"   parse {rows / parsed / 1e6:5.2f} M rows/s"
        f"  ({len(batch) / parsed / 1e6:4.0f} MB/s)   validation {100 * (parsed / trusting - 1):+5.1f} %"
    )


def measure_validation(work: Callable[[], object], rows: int, *, has_rejects: bool) -> tuple[float, float]:
    """Measure parsing, and parsing that believes every row: no field counts, NUL bytes, ranges, years, warnings, rejects.

    By turns, so that both meet the same neighbours.
    """
    nothing = np.ones(rows, np.bool_), pl.DataFrame()
    checked = trusting = float("inf")
    for _ in range(15):
        checked = min(checked, measure(work, runs=1))
        with (
            mock.patch("loader.formats.batch_parser._find_broken", return_value=nothing),
            mock.patch("loader.formats.batch_parser._make_rejects", return_value=pl.DataFrame(schema=dict(REJECT_SCHEMA))),
            mock.patch("loader.formats.validation.validate.find_good", return_value=np.ones(rows, np.bool_)),
            mock.patch("loader.formats.validation.validate.count_warnings", return_value={}),
        ):
            trusting = checked if has_rejects else min(trusting, measure(work, runs=1))
    return checked, trusting


def main() -> None:
    """Print the figures."""
    size = int(sys.argv[1]) * 2**20 if len(sys.argv) > 1 else 64 * 2**20
    text = make_challenge_text(size)
    report("challenge", text)
    report("challenge, all quoted", quote_all(text[: text.rindex(b"\n", 0, size // 2) + 1]))
    for path in map(Path, sys.argv[2:]):
        head, body = (path.read_bytes().rstrip(b"\r\n") + b"\r\n").split(b"\n", 1)
        report(path.name, head + b"\n" + body * max(1, size // len(body)))
    print(f"peak resident {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
