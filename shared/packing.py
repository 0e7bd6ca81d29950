"""Packing: the trips of some loads, read part by part, sorted, and written as the rows of a run.

    has_hours = pack_trips(connection, run_id, load_ids, trips=5_000_000)

Parts are ranges of origins of about a million trips, so memory is bounded whatever the run's size; destinations wait, sorted part
by part, in a table, and are merged. A row may hold a share of what it stands for (a cell that two parts cut has two rows):
questions add up.

Measured at 20 million trips: 2.3 µs a trip, 1.7 of them processor time of this process, the rest the server's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import numpy as np
from psycopg import ServerCursor
from psycopg.pq import Format
from sqlalchemy import Connection

from shared.bits import Numbers
from shared.blocks import BLOCK_TRIPS, HOURS
from shared.database import driver_connection, execute
from shared.queries import query
from shared.run_rows import DAY_ONE, Points, Row, make_blocks, make_cells, make_days, make_flows, sort_points
from shared.run_writing import write_rows

_PIECE_TRIPS: Final = 16_384
# So many are fetched at once: 4 MB.
_PIECES: Final = 16
# Parts differ in size by a few per cent so.
_SAMPLES_PER_PART: Final = 1_000
# Flows per hour are kept where they are at most half as many as the trips.
_TRIPS_PER_FLOW: Final = 2
_HOUR_US: Final = 3_600_000_000
_EPOCH_HOURS: Final = (datetime(2000, 1, 1).date() - DAY_ONE).days * 24  # noqa: DTZ001 - a wall clock
_FIELDS: Final = (
    ("origin", ">i8"), ("destination", ">i8"), ("started_at", ">i8"), ("region", ">i2"), ("datasource", ">i2")
)  # fmt: skip
# A row of COPY BINARY: the number of fields, then the length and the bytes of each. A header comes before, two bytes after.
_ROW: Final = np.dtype(
    [("fields", ">i2"), *(part for name, kind in _FIELDS for part in ((f"{name}_bytes", ">i4"), (name, kind)))]
)
_HEADER_BYTES, _TRAILER_BYTES = 19, 2
_Key = tuple[int, int, datetime]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many trips are packed at once (each takes some 200 bytes then), and how many a block has at most."""

    part_trips: int = 1_000_000
    block_trips: int = BLOCK_TRIPS


DEFAULT_SIZES: Final = Sizes()


def pack_trips(connection: Connection, run_id: int, load_ids: Sequence[int], *, trips: int, sizes: Sizes = DEFAULT_SIZES) -> bool:
    """Write the run's rows in the caller's transaction; returns whether flows per hour are among them."""
    writer = _Writer(connection, run_id, sizes.block_trips)
    days: dict[int, int] = {}
    parts = _split(connection, load_ids, max(1, round(trips / sizes.part_trips)))
    if len(parts) > 1:
        execute(connection, "clear_run_pieces")
    for part in parts:
        origins, destinations, stamps = _read_trips(connection, load_ids, part)
        for stamp, count in zip(*(array.tolist() for array in np.unique(stamps, return_counts=True)), strict=True):
            days[stamp] = days.get(stamp, 0) + count
        writer.write(sort_points(origins, stamps, destinations))
        ends = sort_points(destinations, stamps)
        if len(parts) > 1:
            _put_aside(connection, ends)
        else:
            writer.write(ends)
    if len(parts) > 1:
        for points in _merge(connection, sizes.part_trips):
            writer.write(points)
        execute(connection, "clear_run_pieces")
    write_rows(connection, "copy_run_day", ((run_id, *row) for row in make_days(days)))
    return bool(writer.has_hours)


class _Writer:
    """Writes the rows of one run."""

    def __init__(self, connection: Connection, run_id: int, block_trips: int) -> None:
        self._connection = connection
        self._run_id = run_id
        self._block_trips = block_trips
        self.has_hours: bool | None = None

    def write(self, points: Points) -> None:
        """Write blocks and cells, and of origins the flows."""
        if not len(points.ends):
            return
        self._copy("copy_run_point", make_blocks(points, block_trips=self._block_trips))
        self._copy("copy_run_cell", make_cells(points))
        if points.others is None:
            return
        hours = (points.stamps >> 32) % HOURS
        for _, rows in make_flows(points, np.zeros_like(hours)):
            self._copy("copy_run_flow", ((row[0], None, None, *row[1:]) for row in rows))
        for datasource, rows in make_flows(points, points.stamps & 65_535):
            self._copy("copy_run_flow", ((row[0], datasource, None, *row[1:]) for row in rows))
        if self.has_hours is not False:
            self._write_slots(points, np.where(hours < 120, hours % 24, 24 + hours % 24))

    def _write_slots(self, points: Points, slots: Numbers) -> None:
        flows = [(row[0], None, slot, *row[1:]) for slot, rows in make_flows(points, slots) for row in rows]
        # The first part decides for all: it has all trips of its cells.
        if self.has_hours is None:
            self.has_hours = _TRIPS_PER_FLOW * sum(row[4] for row in flows) <= len(slots)
        if self.has_hours:
            self._copy("copy_run_flow", flows)

    def _copy(self, name: str, rows: Iterable[Row]) -> None:
        write_rows(self._connection, name, ((self._run_id, *row) for row in rows))


def _split(connection: Connection, load_ids: Sequence[int], parts: int) -> list[tuple[_Key | None, _Key | None]]:
    """Cut the trips into ranges of origin, then destination and time, of about the same size: from one key to before another."""
    if parts == 1:
        return [(None, None)]
    sample = execute(connection, "sample_trips", load_ids=list(load_ids), samples=parts * _SAMPLES_PER_PART)
    keys = sorted((row.origin, row.destination, row.started_at) for row in sample)
    cuts = sorted({keys[len(keys) * part // parts] for part in range(1, parts)}) if keys else []
    return list(pairwise([None, *cuts, None]))


def _read_trips(
    connection: Connection, load_ids: Sequence[int], part: tuple[_Key | None, _Key | None]
) -> tuple[Numbers, Numbers, Numbers]:
    """Read a part's trips: origins, destinations, stamps."""
    names = ("origin", "destination", "at")
    limits: dict[str, Any] = {"load_ids": list(load_ids)}
    for prefix, key in zip(("from", "to"), part, strict=True):
        limits |= {f"{prefix}_{name}": value for name, value in zip(names, key or (None,) * 3, strict=True)}
    buffer = _read_copy(connection, "copy_packed_trips", limits)
    rows = np.frombuffer(buffer, _ROW, (len(buffer) - _HEADER_BYTES - _TRAILER_BYTES) // _ROW.itemsize, _HEADER_BYTES)
    hours = rows["started_at"].astype(np.int64) // _HOUR_US + _EPOCH_HOURS
    stamps = hours << 32 | rows["region"].astype(np.int64) << 16 | rows["datasource"].astype(np.int64)
    return rows["origin"].astype(np.int64), rows["destination"].astype(np.int64), stamps


def _read_copy(connection: Connection, name: str, parameters: dict[str, Any]) -> bytearray:
    """Read all rows. They come one by one; those that have arrived are taken from libpq for a tenth of what waiting costs."""
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


def _put_aside(connection: Connection, points: Points) -> None:
    """Keep sorted destinations in pieces until all parts are read."""
    firsts = range(0, len(points.ends), _PIECE_TRIPS)
    pieces = (np.stack([points.ends, points.stamps])[:, first : first + _PIECE_TRIPS] for first in firsts)
    write_rows(connection, "copy_run_piece", ((int(piece[0].min()), piece.tobytes()) for piece in pieces))


def _merge(connection: Connection, part_trips: int) -> Iterator[Points]:
    """Read the pieces back in order: as soon as there are enough trips, those before the next piece go."""
    kept = np.empty((2, 0), np.int64)
    waiting: list[Numbers] = []
    for low, data in _fetch_pieces(connection):
        if kept.shape[1] + sum(piece.shape[1] for piece in waiting) >= part_trips:
            kept = np.concatenate([kept, *waiting], axis=1)
            waiting = []
            is_due = kept[0] <= low
            yield sort_points(*kept[:, is_due])
            kept = kept[:, ~is_due]
        waiting.append(np.frombuffer(data, np.int64).reshape(2, -1))
    yield sort_points(*np.concatenate([kept, *waiting], axis=1))


def _fetch_pieces(connection: Connection) -> Iterator[tuple[int, bytes]]:
    """Fetch the pieces in order, by a cursor of the server: rows are written meanwhile."""
    cursor = ServerCursor(driver_connection(connection), "pieces")
    cursor.itersize, cursor.format = _PIECES, Format.BINARY
    with cursor:
        yield from cursor.execute(query("list_run_pieces"))
