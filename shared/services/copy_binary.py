"""COPY BINARY: sends rows that are encoded already through a named COPY, between the format's header and trailer.

    copy_binary(connection, "copy_trip", [rows.tobytes()])

Source: PostgreSQL documentation, COPY, "Binary Format".
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection

from shared.services.database import driver_connection
from shared.services.named_queries import query

# Signature, no flags, no extension.
HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"


def copy_binary(connection: Connection, name: str, blocks: Iterable[bytes | memoryview]) -> None:
    """Send encoded rows through the named COPY in the caller's transaction; each block holds whole rows."""
    with driver_connection(connection).cursor().copy(query(name)) as copy:
        copy.write(HEADER)
        for block in blocks:
            copy.write(block)
        copy.write(TRAILER)
