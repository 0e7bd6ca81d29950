"""Load bytes through the formats room as the product does: detect on a sample, scan the stream, parse each batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from loader.formats import SAMPLE_BYTES, BatchSlice, BatchSplitter, FilePlan, LoadOptions, detect_format, needs_whole, parse_batch
from loader.formats.containers.byte_ranges import WholeFile


@dataclass
class Loaded:
    """What became of a file; rejects also have the file's line and record numbers."""

    plan: FilePlan
    trips: pl.DataFrame
    rejects: pl.DataFrame
    rows: int
    pieces: list[BatchSlice]
    warnings: dict[str, int]


def load_bytes(
    data: bytes,
    *,
    options: LoadOptions | None = None,
    batch_bytes: int = 2**20,
    chunk_bytes: int = 100_000,
    sample_bytes: int = SAMPLE_BYTES,
) -> Loaded:
    """Load a file."""
    options = options or LoadOptions()
    sample_bytes = len(data) if needs_whole(data) else sample_bytes
    sample, is_whole = data[:sample_bytes], len(data) <= sample_bytes
    plan = detect_format(sample, file_name="file", options=options, is_whole=is_whole, ranges=WholeFile(data))
    splitter = BatchSplitter(plan, batch_bytes=batch_bytes)
    batches = [(piece, kept) for piece, kept in splitter.split(cut(data, chunk_bytes))]
    plan = FilePlan.from_json(splitter.plan.to_json())
    trips, rejects, rows, warnings = [], [], 0, dict[str, int]()
    for piece, kept in batches:
        content = data[piece.offset : piece.offset + piece.bytes] if kept is None else b"".join(kept)
        parsed = parse_batch(content, plan, BatchSlice.from_json(piece.to_json()), options=options)
        assert parsed.rows_read == parsed.trips.height + parsed.rejects.height
        trips.append(parsed.trips)
        rejects.append(
            parsed.rejects.with_columns(
                line=pl.col("line_in_batch") + piece.lines_before, record=pl.col("record_in_batch") + piece.records_before
            )
        )
        rows += parsed.rows_read
        for name, count in parsed.warnings.items():
            warnings[name] = warnings.get(name, 0) + count
    return Loaded(plan, join_trips(trips), pl.concat(rejects), rows, [piece for piece, _ in batches], warnings)


def cut(data: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes into chunks, as they come from a socket."""
    for at in range(0, len(data), size):
        yield data[at : at + size]


def join_trips(batches: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Join the trips of batches, each of which has an enum of its own names."""
    return pl.concat(batch.cast({pl.selectors.enum(): pl.String}) for batch in batches)
