"""Trip stream: a load's trips by start time, in chunks of bounded size.

PostgreSQL sorts, with temporary files of its own where memory is too small, so that a worker holds two chunks whatever the size
of the load. Rows come as COPY BINARY, all of one length.
"""

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from shared.services.database import driver_connection
from shared.services.named_queries import query

_FIELDS: Final = (
    ("started_at", ">i8"),
    ("origin", ">i8"),
    ("destination", ">i8"),
    ("duration_s", ">i4"),
    ("region_id", ">i2"),
    ("datasource_id", ">i2"),
)
# A row of COPY BINARY: the number of fields, then the length and the bytes of each. A header comes before, two bytes after.
_ROW: Final = np.dtype(
    [("fields", ">i2"), *(part for name, kind in _FIELDS for part in ((f"{name}_bytes", ">i4"), (name, kind)))]
)
_HEADER_BYTES: Final = 19
_TRAILER_BYTES: Final = 2

TripRows = npt.NDArray[Any]


def stream_trips(connection: Connection, load_id: int, *, chunk_rows: int) -> Iterator[TripRows]:
    """Yield a load's trips by start time; the next chunk is read meanwhile.

    Shape: record arrays of chunk_rows rows, the last one shorter. Units: microseconds from 2000 (started_at), positions,
    seconds (duration_s; -1: none). Nothing else can be asked on this connection meanwhile.
    """
    chunks = _read_chunks(connection, load_id, chunk_rows=chunk_rows)
    with ThreadPoolExecutor(1, thread_name_prefix="trip stream") as pool:
        try:
            future: Future[TripRows | None] = pool.submit(next, chunks, None)
            while (chunk := future.result()) is not None:
                future = pool.submit(next, chunks, None)
                yield chunk
        finally:
            pool.submit(chunks.close).result()


def _read_chunks(connection: Connection, load_id: int, *, chunk_rows: int) -> Generator[TripRows]:
    """Rows that libpq has received are taken without waiting, for a tenth of the time of a blocking read each."""
    driver = driver_connection(connection)
    limit = chunk_rows * _ROW.itemsize
    buffer = bytearray()
    with driver.cursor().copy(query("copy_published_trips"), {"load_id": load_id}) as copy:
        skipped = _HEADER_BYTES
        while first := copy.read():
            # The header comes with the first row, or with the trailer where there is none.
            row = memoryview(first)[skipped:]
            buffer += row
            skipped, bytes_read = 0, row.nbytes
            while bytes_read == _ROW.itemsize and len(buffer) < limit:
                bytes_read, row = driver.pgconn.get_copy_data(1)
                buffer += row
            if len(buffer) >= limit:
                yield np.frombuffer(bytes(memoryview(buffer)[:limit]), _ROW)
                del buffer[:limit]
    rows = (len(buffer) - _TRAILER_BYTES) // _ROW.itemsize
    if rows > 0:
        yield np.frombuffer(bytes(buffer), _ROW, rows)
