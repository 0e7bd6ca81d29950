"""Slices of a file, and what parsing them gives."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import polars as pl


@dataclass(frozen=True)
class BatchSlice:
    """One batch: bytes [offset, offset + bytes) and what lies before it. member is the file inside a zip archive.

    is_first: the slice opens with the header lines and a byte order mark, where there are any. In Parquet, rows from first_row
    on of one row_group.
    """

    batch_no: int
    offset: int
    bytes: int
    lines_before: int
    records_before: int
    is_first: bool = False
    member: str | None = None
    row_group: int | None = None
    first_row: int = 0
    rows: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the slice as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read a slice from JSON."""
        return cls(**document)


@dataclass
class ParsedBatch:
    """Outcome of every record of a batch: rows_read == trips.height + rejects.height.

    Shape: trips as TRIP_SCHEMA, rejects as REJECT_SCHEMA (validation/rules.py). warnings counts odd trips that were kept.
    """

    trips: pl.DataFrame
    rejects: pl.DataFrame
    rows_read: int
    warnings: Mapping[str, int] = field(default_factory=dict)
