"""Thrift's compact protocol, as far as Parquet's footers and page headers have it: structs of numbers, by field number.

pyarrow ends the process for footers whose parts contradict each other (sizes of histograms), so what must be known of a column
chunk is read here. Texts are passed over. Source: Apache Thrift, thrift-compact-protocol.md.
"""

from typing import Any

from loader.formats.parquet.limits import damaged

Struct = dict[int, Any]

_FLAGS, _FIXED_BYTES, _INTEGERS, _BINARY, _LISTS, _STRUCT = (1, 2), {3: 1, 7: 8}, (4, 5, 6), 8, (9, 10), 12
# Structs within each other: a footer's statistics are 5 deep.
_DEPTH = 12


def read_struct(data: bytes, at: int, depth: int = _DEPTH) -> tuple[Struct, int]:
    """Read a struct; returns its fields and where it ends.

    Raises: IndexError where the bytes end before it; FileFormatError for what is no struct.
    """
    if not depth:
        raise damaged("its headers are nested too deeply")
    fields: Struct = {}
    number = 0
    while (head := data[at]) != 0:
        at += 1
        step, kind = head >> 4, head & 15
        if step:
            number += step
        else:
            number, at = _read_integer(data, at)
        fields[number], at = (None, at) if kind in _FLAGS else _read_value(data, at, (kind, depth))
    return fields, at + 1


def _read_value(data: bytes, at: int, form: tuple[int, int]) -> tuple[Any, int]:
    kind, depth = form
    if kind in _INTEGERS:
        return _read_integer(data, at)
    if kind == _BINARY:
        length, at = _read_varint(data, at)
        return None, at + length
    if kind == _STRUCT:
        return read_struct(data, at, depth - 1)
    if kind in _LISTS:
        return _read_list(data, at, depth)
    if kind in _FIXED_BYTES:
        return None, at + _FIXED_BYTES[kind]
    raise damaged("its headers can't be read")


def _read_list(data: bytes, at: int, depth: int) -> tuple[list[Any], int]:
    count, kind = data[at] >> 4, data[at] & 15
    at += 1
    if count == 15:
        count, at = _read_varint(data, at)
    if count > len(data) - at:
        raise IndexError(count)
    found = []
    for _ in range(count):
        value, at = (None, at + 1) if kind in _FLAGS else _read_value(data, at, (kind, depth))
        found.append(value)
    return found, at


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise damaged("its headers can't be read")


def _read_integer(data: bytes, at: int) -> tuple[int, int]:
    value, at = _read_varint(data, at)
    return (value >> 1) ^ -(value & 1), at
