"""Writing rows of runs and of batches' blocks: few rows, each worth thousands of trips, so a Python step per row is no cost."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection

from shared.database import driver_connection
from shared.queries import query
from shared.run_rows import Row

_BLOCK: Final = ["int2", "bool", "int4", *["int8"] * 9, "date", "int2[]", "int4[]", "int4[]", *["bytea"] * 3]
_TYPES: Final = {
    "copy_run_day": ["int4", "date", "int2", "int2", "int2[]", "int4[]"],
    "copy_run_point": ["int4", *_BLOCK, "bool"],
    "copy_batch_point": ["int4", *_BLOCK],
    "copy_run_cell": ["int4", "int2", "bool", "int8", "date[]", "int2[]", "int4[]", "int2[]", "int4[]", "bytea"],
    "copy_run_flow": ["int4", "int2", "int2", "int2", "int4", "int4", "int4", "int4", "bytea", "bytea"],
    "copy_run_piece": ["int8", "bytea"],
}


def write_rows(connection: Connection, name: str, rows: Iterable[Row]) -> None:
    """Send rows through the named COPY, each with its run or load in front."""
    with driver_connection(connection).cursor().copy(query(name)) as copy:
        copy.set_types(_TYPES[name])
        for row in rows:
            copy.write_row(row)
