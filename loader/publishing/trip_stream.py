"""Trip stream: a load's trips by start time, in chunks of bounded size.

PostgreSQL groups trips by bins of start times, with temporary files of its own where memory is too small, and sends a bin as one
array a column; this process sorts it. So a worker holds a few bins and chunks whatever the size of the load. A message a trip and
a sort by every column in the server take twice as long. They are for loads with a bin that would be too large (a file with dates
and no times), and for Citus, whose nodes make no arrays together.
"""

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from shared.services.database import driver_connection, execute
from shared.services.migrations import find_flavour
from shared.services.named_queries import query

# Rows of a bin on average, and at most: its arrays take 48 bytes a row in the server and here.
BIN_ROWS: Final = 50_000
MAX_BIN_ROWS: Final = 1_000_000
_SHORTEST_BIN: Final = timedelta(seconds=1)
_WEEK: Final = timedelta(weeks=1)
_FIELDS: Final = (("started_at", ">i8"), ("origin", ">i8"), ("destination", ">i8"), ("other", ">i8"))
# A row of COPY BINARY: the number of fields, then the length and the bytes of each. A header comes before, two bytes after.
_ROW: Final = np.dtype(
    [("fields", ">i2"), *(part for name, kind in _FIELDS for part in ((f"{name}_bytes", ">i4"), (name, kind)))]
)
_HEADER_BYTES: Final = 19
_TRAILER_BYTES: Final = 2
# An array's field: its length, then dimensions, flags, type, size and lower bound; then each element's length and bytes.
_ARRAY_HEAD_BYTES: Final = 24
_ELEMENT: Final = np.dtype([("bytes", ">i4"), ("value", ">i8")])

Numbers = npt.NDArray[np.int64]


class TripRows(NamedTuple):
    """Trips. Units: microseconds from 2000 (started_at), positions, seconds (duration_s; -1: none)."""

    started_at: Numbers
    origin: Numbers
    destination: Numbers
    duration_s: Numbers
    region_id: Numbers
    datasource_id: Numbers

    @property
    def size(self) -> int:
        """The number of trips."""
        return self.started_at.size


def stream_trips(
    connection: Connection, load_id: int, *, chunk_rows: int, max_bin_rows: int = MAX_BIN_ROWS
) -> Iterator[TripRows]:
    """Yield a load's trips by start time, chunk_rows at a time; the next ones are read meanwhile.

    Nothing else can be asked on this connection meanwhile.
    """
    bin_length = choose_bin_length(connection, load_id, max_bin_rows)
    parts = _read_rows(connection, load_id, chunk_rows) if bin_length is None else _read_bins(connection, load_id, bin_length)
    chunks = _cut(parts, chunk_rows)
    with ThreadPoolExecutor(1, thread_name_prefix="trip stream") as pool:
        try:
            future: Future[TripRows | None] = pool.submit(next, chunks, None)
            while (chunk := future.result()) is not None:
                future = pool.submit(next, chunks, None)
                yield chunk
        finally:
            pool.submit(_close, chunks, parts).result()


def choose_bin_length(connection: Connection, load_id: int, max_bin_rows: int) -> timedelta | None:
    """Choose the length of bins with BIN_ROWS trips on average; None where one would have more than max_bin_rows."""
    if find_flavour(connection) == "citus":
        return None
    load = execute(connection, "fetch_load_span", load_id=load_id).one()
    if not load.trips:
        return None
    length: timedelta = max((load.last_at - load.first_at) / max(1, load.trips // BIN_ROWS), _SHORTEST_BIN)
    # A bin that is no longer than a week has trips of two weeks at most.
    is_bounded = load.trips <= max_bin_rows or (length <= _WEEK and 2 * load.trips_of_a_week <= max_bin_rows)
    if not is_bounded:
        largest: int = execute(connection, "measure_bins", load_id=load_id, bin_s=length.total_seconds()).scalar_one()
        if largest > max_bin_rows:
            return None
    return length


def _read_bins(connection: Connection, load_id: int, bin_length: timedelta) -> Generator[TripRows]:
    parameters = {"load_id": load_id, "bin_s": bin_length.total_seconds()}
    with driver_connection(connection).cursor().copy(query("copy_published_bins"), parameters) as copy:
        skipped = _HEADER_BYTES
        while message := copy.read():
            if len(message) - skipped > _TRAILER_BYTES:
                yield _sort(_parse_bin(memoryview(message)[skipped:]))
            skipped = 0


def _parse_bin(message: memoryview) -> TripRows:
    size = (len(message) - 2) // len(_FIELDS)
    columns = (
        np.frombuffer(message[2 + size * place + _ARRAY_HEAD_BYTES : 2 + size * (place + 1)], _ELEMENT)["value"]
        for place in range(len(_FIELDS))
    )
    return _make_rows(*columns)


def _sort(rows: TripRows) -> TripRows:
    """Sort a bin by start time; among equal times by the other columns, as rows come."""
    order = np.argsort(rows.started_at, kind="stable")
    started_at = rows.started_at[order]
    same = started_at[1:] == started_at[:-1]
    is_tied = np.append(same, False) | np.append(False, same)
    tied = order[is_tied]
    # The last key is the first to sort by.
    keys = (rows.datasource_id, rows.region_id, rows.duration_s, rows.destination, rows.origin, rows.started_at)
    order[is_tied] = tied[np.lexsort([key[tied] for key in keys])]
    return TripRows(*(column[order] for column in rows))


def _read_rows(connection: Connection, load_id: int, chunk_rows: int) -> Generator[TripRows]:
    """Rows that libpq has received are taken without waiting, for a tenth of the time of a blocking read each."""
    driver = driver_connection(connection)
    buffer = bytearray()
    with driver.cursor().copy(query("copy_published_trips"), {"load_id": load_id}) as copy:
        skipped = _HEADER_BYTES
        while first := copy.read():
            # The header comes with the first row, or with the trailer where there is none.
            row = memoryview(first)[skipped:]
            buffer += row
            skipped, bytes_read = 0, row.nbytes
            while bytes_read == _ROW.itemsize and len(buffer) < chunk_rows * _ROW.itemsize:
                bytes_read, row = driver.pgconn.get_copy_data(1)
                buffer += row
            if len(buffer) >= chunk_rows * _ROW.itemsize:
                yield _parse_rows(buffer)
                buffer = bytearray()
    yield _parse_rows(buffer)


def _parse_rows(buffer: bytearray) -> TripRows:
    rows = np.frombuffer(buffer, _ROW, len(buffer) // _ROW.itemsize)
    return _make_rows(*(rows[name] for name, _ in _FIELDS))


def _make_rows(*columns: Any) -> TripRows:  # noqa: ANN401 - big-endian arrays
    started_at, origin, destination, other = (column.astype(np.int64) for column in columns)
    return TripRows(started_at, origin, destination, other >> 32, other >> 16 & 0xFFFF, other & 0xFFFF)


def _cut(parts: Iterator[TripRows], chunk_rows: int) -> Generator[TripRows]:
    """Join and cut parts to chunks of chunk_rows; the last one is shorter."""
    waiting: list[TripRows] = []
    for part in parts:
        waiting.append(part)
        if sum(one.size for one in waiting) >= chunk_rows:
            joined = _join(waiting)
            ends = range(chunk_rows, joined.size + 1, chunk_rows)
            yield from (TripRows(*(column[end - chunk_rows : end] for column in joined)) for end in ends)
            waiting = [TripRows(*(column[ends[-1] :] for column in joined))]
    if waiting and (last := _join(waiting)).size:
        yield last


def _join(parts: list[TripRows]) -> TripRows:
    return TripRows(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _close(*generators: Generator[Any]) -> None:
    for generator in generators:
        generator.close()
