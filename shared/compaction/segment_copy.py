"""Writing rows of runs and of batches' blocks: few rows, each worth thousands of trips, so a Python step per row is no cost.

A Python step per number of an array would be one (half of packing's time), so arrays come as the bytes that PostgreSQL reads.
Source: array_recv of PostgreSQL: dimensions, whether there are nulls, type; per dimension its length and first index; per element
its bytes' number and those.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import Connection

from shared.compaction.flow_writer import FlowRows
from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Numbers
from shared.services.database import driver_connection
from shared.services.named_queries import query

Row = tuple[Any, ...]
Bytes = npt.NDArray[np.uint8]
FlowKind = Literal["datasource_id", "slot"]

# Arrays: their own type, their elements', and the bytes of one.
_ARRAYS: Final = {"int2[]": (1005, 21, 2), "int4[]": (1007, 23, 4), "date[]": (1182, 1082, 4)}
_BLOCK: Final = ["int2", "bool", *["int4"] * 4, "date", *["int8"] * 9, "int2[]", *["bytea"] * 3]
_CELL: Final = ["date[]", "int2[]", "int4[]", "date[]", "int4[]"]
_TYPES: Final = {
    "copy_run_day": ["int4", "date", "int2", "int2", "int2[]", "int4[]"],
    "copy_run_point": ["int4", *_BLOCK, "bool"],
    "copy_batch_point": ["int4", *_BLOCK],
    "copy_run_cell": ["int4", "int2", "bool", "int8", *_CELL, "int2[]", "int4[]", "bytea"],
}
# Signature, no flags, no extension; and the end.
_COPY_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_TAIL: Final = b"\xff\xff"


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


def encode_flows(rows: FlowRows, *, run_id: int, kind: FlowKind | None) -> bytes:
    """Encode rows of run_flow as its COPY reads them: they are ten times as many as those of all other tables.

    kind: the column that their kinds are of; None: all trips count.
    """
    values: dict[str, tuple[int, Any]] = {
        "run_id": (4, run_id),
        "region_id": (2, rows.heads[:, 0]),
        "datasource_id": (2, rows.kinds if kind == "datasource_id" else None),
        "slot": (2, rows.kinds if kind == "slot" else None),
        **{f"number_{n}": (4, rows.heads[:, n]) for n in range(1, 5)},
    }
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, (width, value) in values.items():
        fields += [(f"{name}_bytes", ">i4"), *([(name, f">i{width}")] if value is not None else [])]
    heads = np.empty(len(rows.kinds), fields)
    heads["fields"] = len(values) + 2
    for name, (width, value) in values.items():
        heads[f"{name}_bytes"] = -1 if value is None else width
        if value is not None:
            heads[name] = value
    columns = [(words.astype("<u8").view(np.uint8), 8 * starts) for words, starts in (rows.cells, rows.trips)]
    data = np.empty(heads.nbytes + sum(len(bits) + 4 * len(heads) for bits, _ in columns), np.uint8)
    _weave(heads.view(np.uint8).reshape(len(heads), -1), (columns[0], columns[1]), data)
    return data.tobytes()


@compile_kernel
def _weave(heads: Bytes, columns: tuple[tuple[Bytes, Numbers], tuple[Bytes, Numbers]], data: Bytes) -> None:
    """Write each row's head and its two values, each after its length. Shape: n by any; of columns bytes, and n + 1 places where
    values begin.
    """
    at = 0
    for row in range(len(heads)):
        for byte in heads[row]:
            data[at] = byte
            at += 1
        for bits, starts in columns:
            size = starts[row + 1] - starts[row]
            for shift in (24, 16, 8, 0):
                data[at] = size >> shift & 255
                at += 1
            data[at : at + size] = bits[starts[row] : starts[row + 1]]
            at += size


def write_encoded(connection: Connection, name: str, rows: Iterable[bytes]) -> None:
    """Send encoded rows through the named COPY."""
    with driver_connection(connection).cursor().copy(query(name)) as copy:
        copy.write(_COPY_HEAD)
        for some in rows:
            copy.write(some)
        copy.write(_COPY_TAIL)


def write_rows(connection: Connection, name: str, rows: Iterable[Row]) -> None:
    """Send rows through the named COPY, each with its run or load in front; arrays encoded."""
    cursor = driver_connection(connection).cursor()
    for dumper in _DUMPERS:
        cursor.adapters.register_dumper(bytes, dumper)
    with cursor.copy(query(name)) as copy:
        copy.set_types(_TYPES[name])
        for row in rows:
            copy.write_row(row)
