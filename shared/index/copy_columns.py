"""Copy columns: rows of a COPY BINARY as columns, decoded in bulk. A Python object per row would cost more than all else.

    blocks = read_columns(connection, "copy_block_headers", {"segment_ids": [1]}, fields=12)
    blocks.numbers(0)          # a column of integers or dates
    blocks.arrays(3)           # a column of arrays of integers: values and offsets

Source: PostgreSQL documentation, COPY, "Binary Format"; array_send.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Numbers
from shared.services.copy_binary import HEADER
from shared.services.database import driver_connection
from shared.services.named_queries import query

Bytes = npt.NDArray[np.uint8]

# Of an array that is not empty: dimensions, flags, type, length and first index, four bytes each.
_ARRAY_HEADER: Final = 20


class CopyColumns(NamedTuple):
    """Rows as sent, and where their fields are. Shape: n rows by fields; a size of -1 is null."""

    data: Bytes
    offsets: Numbers
    sizes: Numbers

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.offsets)

    def numbers(self, field: int) -> Numbers:
        """Integers of any width, dates or booleans; null is 0. Shape: n."""
        return _read_numbers(self.data, self.offsets[:, field], self.sizes[:, field])

    def arrays(self, field: int) -> tuple[Numbers, Numbers]:
        """Arrays of integers or dates without nulls; a null array is empty. Shape: all values, n + 1 offsets."""
        return _read_arrays(self.data, self.offsets[:, field], self.sizes[:, field])

    def texts(self, field: int) -> tuple[Bytes, Numbers]:
        """Values of bytea, concatenated; null is empty. Shape: all bytes, n + 1 offsets."""
        sizes = np.maximum(self.sizes[:, field], 0)
        return _join(self.data, self.offsets[:, field], sizes), np.append(0, np.cumsum(sizes))


def read_columns(connection: Connection, name: str, parameters: Mapping[str, Any], *, fields: int) -> CopyColumns:
    """Run a named COPY to stdout in binary, and find its fields."""
    with driver_connection(connection).cursor().copy(query(name), parameters) as copy:
        return parse_columns(b"".join(copy), fields=fields)


def parse_columns(sent: bytes, *, fields: int) -> CopyColumns:
    """Find the fields of rows as COPY BINARY sends them."""
    data = np.frombuffer(sent, np.uint8)
    return CopyColumns(data, *_find_fields(data, len(HEADER), fields))


@compile_kernel
def _read_number(data: Bytes, offset: int, size: int) -> int:
    """A signed integer, the highest byte first."""
    number = 0
    for i in range(size):
        number = number << 8 | int(data[offset + i])
    shift = 64 - 8 * size
    return number << shift >> shift


@compile_kernel
def _find_fields(data: Bytes, first: int, fields: int) -> tuple[Numbers, Numbers]:
    """Find the fields of all rows. Shape: rows by fields each: offsets and sizes in bytes."""
    rows, at = 0, first
    while _read_number(data, at, 2) >= 0:
        at += 2
        for _ in range(fields):
            at += 4 + max(0, _read_number(data, at, 4))
        rows += 1
    offsets, sizes = np.empty((rows, fields), np.int64), np.empty((rows, fields), np.int64)
    at = first
    for row in range(rows):
        at += 2
        for field in range(fields):
            size = _read_number(data, at, 4)
            offsets[row, field], sizes[row, field] = at + 4, size
            at += 4 + max(0, size)
    return offsets, sizes


@compile_kernel
def _read_numbers(data: Bytes, offsets: Numbers, sizes: Numbers) -> Numbers:
    numbers = np.zeros(len(offsets), np.int64)
    for row in range(len(offsets)):
        if sizes[row] > 0:
            numbers[row] = _read_number(data, offsets[row], sizes[row])
    return numbers


@compile_kernel
def _read_arrays(data: Bytes, offsets: Numbers, sizes: Numbers) -> tuple[Numbers, Numbers]:
    """Shape: all values, and the n + 1 offsets of the arrays."""
    starts = np.zeros(len(offsets) + 1, np.int64)
    for row in range(len(offsets)):
        has_values = sizes[row] > _ARRAY_HEADER
        starts[row + 1] = starts[row] + (_read_number(data, offsets[row] + 12, 4) if has_values else 0)
    values = np.empty(starts[len(offsets)], np.int64)
    for row in range(len(offsets)):
        at = offsets[row] + _ARRAY_HEADER
        for value in range(starts[row], starts[row + 1]):
            size = _read_number(data, at, 4)
            values[value] = _read_number(data, at + 4, size)
            at += 4 + size
    return values, starts


@compile_kernel
def _join(data: Bytes, offsets: Numbers, sizes: Numbers) -> Bytes:
    joined, at = np.empty(sizes.sum(), np.uint8), 0
    for row in range(len(offsets)):
        joined[at : at + sizes[row]] = data[offsets[row] : offsets[row] + sizes[row]]
        at += sizes[row]
    return joined
