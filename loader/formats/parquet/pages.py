"""Pages: what the header of each page of a column chunk says, read before the pages are unpacked.

The footer's sizes are claims; readers allocate what page headers say. Source: Apache Parquet format, parquet.thrift (PageHeader).
"""

from dataclasses import dataclass

from loader.formats.containers.byte_ranges import ByteRanges, BytesMissingError
from loader.formats.parquet.limits import CHUNK_PAGES_LIMIT, Chunk, damaged
from loader.formats.parquet.thrift import Struct, read_struct

# A page header takes 20 to 100 bytes, with statistics of long texts more.
_HEADER_BYTES, _LONGEST_HEADER_BYTES = 512, 2**20
_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3
# Field numbers of PageHeader: type, sizes, and the header of each type with its fields num_values and encoding.
_TYPE, _UNPACKED, _PACKED = 1, 2, 3
_INNER = {_DATA: (5, 2), _DATA_2: (8, 4)}
_NUM_VALUES = 1
# A value of this encoding repeats the beginning of the one before it.
DELTA_BYTE_ARRAY = 7


@dataclass(frozen=True)
class ChunkPages:
    """The pages of a column chunk. Units: bytes, unpacked; packed as they are stored."""

    largest: int
    unpacked: int
    packed: int
    has_dictionary: bool
    repeats_beginnings: bool


def read_pages(ranges: ByteRanges, chunk: Chunk, *, values: int) -> ChunkPages:
    """Read the headers of a column chunk's pages, as far as they hold the first values.

    Raises: FileFormatError for headers that are none or claim more values than the chunk has; BytesMissingError.
    """
    at, end = chunk.offset, chunk.offset + chunk.packed
    sizes, packed, seen, encodings = [], 0, 0, set()
    while seen < min(values, chunk.values):
        header, size = _read_header(ranges, at, end)
        body = _read_size(header, _PACKED)
        kind = header.get(_TYPE)
        sizes.append(_read_size(header, _UNPACKED))
        packed += size + body
        at += size + body
        if kind in _INNER:
            inner, encoding = _INNER[kind]
            page = header.get(inner, {})
            seen += _read_size(page, _NUM_VALUES)
            encodings.add(page.get(encoding))
        elif kind == _DICTIONARY:
            encodings.add("dictionary")
        if at > end or seen > chunk.values or len(sizes) > CHUNK_PAGES_LIMIT:
            raise damaged("a page reaches beyond its column")
    return ChunkPages(max(sizes, default=0), sum(sizes), packed, "dictionary" in encodings, DELTA_BYTE_ARRAY in encodings)


def _read_size(struct: Struct, number: int) -> int:
    value = struct.get(number)
    if not isinstance(value, int) or value < 0:
        raise damaged("a page has no size")
    return value


def _read_header(ranges: ByteRanges, at: int, end: int) -> tuple[Struct, int]:
    """Read one page header; returns it with its length."""
    length = _HEADER_BYTES
    while True:
        data = _read_all(ranges, at, min(length, end - at))
        try:
            return read_struct(data, 0)
        except IndexError:
            if len(data) >= min(_LONGEST_HEADER_BYTES, end - at):
                raise damaged("a page header has no end") from None
            length *= 8


def _read_all(ranges: ByteRanges, at: int, length: int) -> bytes:
    if length <= 0:
        raise damaged("a page is missing")
    parts: list[bytes] = []
    left = length
    while left > 0:
        try:
            part = ranges.read(at + length - left, left)
        except BytesMissingError:
            if not parts:
                raise
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
