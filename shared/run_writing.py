"""Writing rows of runs and of batches' blocks: few rows, each worth thousands of trips, so a Python step per row is no cost.

A Python step per number of an array would be one (half of packing's time), so arrays come as the bytes that PostgreSQL reads.
Source: array_recv of PostgreSQL: dimensions, whether there are nulls, type; per dimension its length and first index; per element
its bytes' number and those.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final

import numpy as np
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import Connection

from shared.bits import Numbers
from shared.database import driver_connection
from shared.queries import query

Row = tuple[Any, ...]

# Arrays: their own type, their elements', and the bytes of one.
_ARRAYS: Final = {"int2[]": (1005, 21, 2), "int4[]": (1007, 23, 4), "date[]": (1182, 1082, 4)}
_BLOCK: Final = ["int2", "bool", *["int4"] * 4, "date", *["int8"] * 9, "int2[]", *["bytea"] * 3]
_CELL: Final = ["date[]", "int2[]", "int4[]", "date[]", "int4[]"]
_TYPES: Final = {
    "copy_run_day": ["int4", "date", "int2", "int2", "int2[]", "int4[]"],
    "copy_run_point": ["int4", *_BLOCK, "bool"],
    "copy_batch_point": ["int4", *_BLOCK],
    "copy_run_cell": ["int4", "int2", "bool", "int8", *_CELL, "int2[]", "int4[]", "bytea"],
    "copy_run_flow": ["int4", "int2", "int2", "int2", "int4", "int4", "int4", "int4", "bytea", "bytea"],
}


class _Encoded(Dumper):
    """Bytes that are encoded already."""

    format = Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        """Give them as they are."""
        return obj


_DUMPERS: Final = [type(f"_Encoded{array}", (_Encoded,), {"oid": array}) for array, _, _ in _ARRAYS.values()]


def encode_arrays(kind: str, values: Numbers, cuts: Numbers) -> list[bytes]:
    """Encode the numbers between each two cuts as an array of a kind in _TYPES; dates are days from 2000-01-01.

    Shape: n numbers, m + 1 cuts from 0 to n → m arrays.
    """
    _, element, width = _ARRAYS[kind]
    cells = np.empty(len(values), [("bytes", ">i4"), ("value", f">i{width}")])
    cells["bytes"], cells["value"] = width, values
    sizes = np.diff(cuts)
    heads = np.empty((len(sizes), 5), ">i4")
    heads[:] = (1, 0, element, 0, 1)
    heads[:, 3] = sizes
    heads[sizes == 0, 0] = 0
    head, data = heads.tobytes(), cells.tobytes()
    limits = (cuts * (4 + width)).tolist()
    # An empty array has no dimension: neither length nor first index follow.
    return [
        head[20 * number : 20 * number + (20 if last > first else 12)] + data[first:last]
        for number, (first, last) in enumerate(pairwise(limits))
    ]


def write_rows(connection: Connection, name: str, rows: Iterable[Row]) -> None:
    """Send rows through the named COPY, each with its run or load in front; arrays encoded."""
    cursor = driver_connection(connection).cursor()
    for dumper in _DUMPERS:
        cursor.adapters.register_dumper(bytes, dumper)
    with cursor.copy(query(name)) as copy:
        copy.set_types(_TYPES[name])
        for row in rows:
            copy.write_row(row)
