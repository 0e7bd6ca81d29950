"""Segment copy: COPY the rows of segments and of batches' blocks.

A row stands for thousands of trips, so Python code per row costs little. Code per array element would take half the time of a
compaction, so arrays are encoded in bulk.
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
from shared.index.block_header import BLOCK_TYPES
from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Numbers
from shared.services.copy_binary import copy_binary
from shared.services.database import driver_connection
from shared.services.named_queries import query

Row = tuple[Any, ...]
Bytes = npt.NDArray[np.uint8]
FlowKind = Literal["datasource_id", "slot"]

# Arrays: their own type, their elements', and the bytes of one.
_ARRAYS: Final = {"int2[]": (1005, 21, 2), "int4[]": (1007, 23, 4), "date[]": (1182, 1082, 4)}
_CELL: Final = ["date[]", "int2[]", "int4[]", "date[]", "int4[]"]
_TYPES: Final = {
    "copy_segment_day": ["int4", "date", "int2", "int2", "int2[]", "int4[]"],
    "copy_segment_block": ["int4", *BLOCK_TYPES, "bool"],
    "copy_batch_block": ["int4", *BLOCK_TYPES],
    "copy_segment_cell": ["int4", "int2", "bool", "int8", *_CELL, "int2[]", "int4[]", "bytea"],
}


class _Encoded(Dumper):
    """Pass encoded bytes through."""

    format = Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        """Return the bytes unchanged."""
        return obj


_DUMPERS: Final = [type(f"_Encoded{array}", (_Encoded,), {"oid": array}) for array, _, _ in _ARRAYS.values()]


def encode_arrays(kind: str, values: Numbers, offsets: Numbers) -> list[bytes]:
    """Encode each range of values as a PostgreSQL array of a type in _ARRAYS; dates are days since 2000-01-01.

    Shape: n values, m + 1 offsets from 0 to n → m arrays.
    """
    _, element, width = _ARRAYS[kind]
    cells = np.empty(len(values), [("bytes", ">i4"), ("value", f">i{width}")])
    cells["bytes"], cells["value"] = width, values
    sizes = np.diff(offsets)
    headers = np.empty((len(sizes), 5), ">i4")
    headers[:] = (1, 0, element, 0, 1)
    headers[:, 3] = sizes
    headers[sizes == 0, 0] = 0
    header, data = headers.tobytes(), cells.tobytes()
    limits = (offsets * (4 + width)).tolist()
    # An empty array has no dimension: neither length nor first index follow.
    return [
        header[20 * number : 20 * number + (20 if last > first else 12)] + data[first:last]
        for number, (first, last) in enumerate(pairwise(limits))
    ]


def encode_flows(rows: FlowRows, *, segment_id: int, kind: FlowKind | None) -> bytes:
    """Encode rows of flows for COPY BINARY in bulk: there are ten times as many as rows of all other tables.

    kind: the column that takes rows.kinds; None: rows count all trips.
    """
    values: dict[str, tuple[int, Any]] = {
        "segment_id": (4, segment_id),
        "region_id": (2, rows.headers[:, 0]),
        "datasource_id": (2, rows.kinds if kind == "datasource_id" else None),
        "slot": (2, rows.kinds if kind == "slot" else None),
        **{f"number_{n}": (4, rows.headers[:, n]) for n in range(1, 5)},
    }
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, (width, value) in values.items():
        fields += [(f"{name}_bytes", ">i4"), *([(name, f">i{width}")] if value is not None else [])]
    headers = np.empty(len(rows.kinds), fields)
    headers["fields"] = len(values) + 2
    for name, (width, value) in values.items():
        headers[f"{name}_bytes"] = -1 if value is None else width
        if value is not None:
            headers[name] = value
    columns = [(words.astype("<u8").view(np.uint8), 8 * starts) for words, starts in (rows.cells, rows.trips)]
    data = np.empty(headers.nbytes + sum(len(bits) + 4 * len(headers) for bits, _ in columns), np.uint8)
    _weave(headers.view(np.uint8).reshape(len(headers), -1), (columns[0], columns[1]), data)
    return data.tobytes()


@compile_kernel
def _weave(headers: Bytes, columns: tuple[tuple[Bytes, Numbers], tuple[Bytes, Numbers]], data: Bytes) -> None:
    """Interleave each row's header with its two values, each after its length.

    Shape: headers n by any; a column has bytes, and the n + 1 offsets of its values.
    """
    at = 0
    for row in range(len(headers)):
        for byte in headers[row]:
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
    copy_binary(connection, name, rows)


def write_rows(connection: Connection, name: str, rows: Iterable[Row]) -> None:
    """Send rows through the named COPY: the id of the segment or load first, arrays encoded."""
    cursor = driver_connection(connection).cursor()
    for dumper in _DUMPERS:
        cursor.adapters.register_dumper(bytes, dumper)
    with cursor.copy(query(name)) as copy:
        copy.set_types(_TYPES[name])
        for row in rows:
            copy.write_row(row)
