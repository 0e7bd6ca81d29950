"""Backfill: write the blocks of unindexed loads, so that these can be compacted like others.

Trips are read in parts (ranges of origins), so memory is bounded whatever the size of the load.
"""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from shared.compaction.block_writer import make_batch_blocks
from shared.compaction.segment_copy import write_rows
from shared.index.layout import number_day
from shared.index.stamps import make_stamp
from shared.platform.arrays import Numbers
from shared.platform.errors import TransientError
from shared.services.database import driver_connection, execute
from shared.services.named_queries import query

# So many samples make parts that differ in size by a few per cent.
_SAMPLES_PER_PART: Final = 1_000
_MINUTE_US: Final = 60_000_000
_EPOCH_MINUTES: Final = number_day(date(2000, 1, 1)) * 1_440
_FIELDS: Final = (
    ("origin", ">i8"), ("destination", ">i8"), ("started_at", ">i8"), ("region", ">i2"), ("datasource", ">i2"),
    ("duration", ">i4"),
)  # fmt: skip
# A row of COPY BINARY: the number of fields, then the length and the bytes of each. A header comes before, two bytes after.
_ROW: Final = np.dtype(
    [("fields", ">i2"), *(part for name, kind in _FIELDS for part in ((f"{name}_bytes", ">i4"), (name, kind)))]
)
_HEADER_BYTES, _TRAILER_BYTES = 19, 2

_Key = tuple[int, int, Any]


def index_loads(connection: Connection, load_ids: Sequence[int], *, trips: int, part_trips: int) -> None:
    """Write the blocks of unindexed loads in the caller's transaction. trips: about how many they have.

    Raises: TransientError when not all of their trips are there.
    """
    execute(connection, "delete_batch_blocks", load_ids=list(load_ids))
    left = execute(connection, "count_unindexed_trips", unindexed_loads=list(load_ids)).scalar_one()
    for part in _split(connection, load_ids, max(1, round(trips / part_trips))):
        *points, durations = _read_trips(connection, load_ids, part)
        left -= len(durations)
        rows = make_batch_blocks(*points, durations=durations)
        write_rows(connection, "copy_batch_block", ((load_ids[0], *row) for row in rows))
    if left:
        # A node of Citus died between the two phases of a batch's commit: the rest comes to light when it is back.
        raise TransientError(f"{left:,} trips to compact are missing.", code="trips_missing")


def _split(connection: Connection, load_ids: Sequence[int], parts: int) -> list[tuple[_Key | None, _Key | None]]:
    """Split the trips into ranges of (origin, destination, time) of about equal size: first key included, last key excluded."""
    if parts == 1:
        return [(None, None)]
    sample = execute(connection, "sample_trips", load_ids=list(load_ids), samples=parts * _SAMPLES_PER_PART)
    keys = sorted((row.origin, row.destination, row.started_at) for row in sample)
    bounds = sorted({keys[len(keys) * part // parts] for part in range(1, parts)}) if keys else []
    return list(pairwise([None, *bounds, None]))


def _read_trips(
    connection: Connection, load_ids: Sequence[int], part: tuple[_Key | None, _Key | None]
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Read a part's trips: origins, destinations, stamps, durations."""
    names = ("origin", "destination", "at")
    limits: dict[str, Any] = {"load_ids": list(load_ids)}
    for prefix, key in zip(("from", "to"), part, strict=True):
        limits |= {f"{prefix}_{name}": value for name, value in zip(names, key or (None,) * 3, strict=True)}
    buffer = _read_copy(connection, "copy_unindexed_trips", limits)
    rows = np.frombuffer(buffer, _ROW, (len(buffer) - _HEADER_BYTES - _TRAILER_BYTES) // _ROW.itemsize, _HEADER_BYTES)
    minutes = rows["started_at"].astype(np.int64) // _MINUTE_US + _EPOCH_MINUTES
    origins, destinations, regions, datasources, durations = (
        rows[name].astype(np.int64) for name in ("origin", "destination", "region", "datasource", "duration")
    )
    return origins, destinations, make_stamp(minutes, regions, datasources), durations


def _read_copy(connection: Connection, name: str, parameters: dict[str, Any]) -> bytearray:
    """Read all rows. Rows that libpq has received are taken without waiting, for a tenth of the time of a blocking read each."""
    driver = driver_connection(connection)
    buffer = bytearray()
    with driver.cursor().copy(query(name), parameters) as copy:
        while chunk := copy.read():
            buffer += chunk
            bytes_read = _ROW.itemsize
            while bytes_read > _TRAILER_BYTES:
                bytes_read, row = driver.pgconn.get_copy_data(1)
                buffer += row
    return buffer
