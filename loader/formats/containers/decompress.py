"""Decompression of gzip and zstd streams, whose members follow each other, in pieces of bounded size.

for piece in inflate_gzip(ByteReader(chunks, kind="gzip"), ExpansionLimit()): ...
"""

import sys
import zlib
from collections.abc import Iterator

from loader.formats.containers.byte_reader import PIECE_BYTES, ByteReader
from loader.formats.containers.expansion_limit import ExpansionLimit
from shared.platform.errors import FileFormatError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Unpacked bytes given out at once.
UNPACKED_BYTES = 2**20
# What a decompressor was given beyond the end of a member is copied: little at first, so that tiny members cost little.
FIRST_BYTES = 2**13
# Windows up to 128 MiB (zstd --long=27); more would let a file choose how much memory it takes.
ZSTD_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 27}
_GZIP_MAGIC = b"\x1f\x8b"


def inflate_gzip(reader: ByteReader, expansion: ExpansionLimit) -> Iterator[bytes]:
    """Unpack every member. Bytes behind the last one are padding or a signature, as gzip itself takes them.

    Raises: FileFormatError for a damaged or truncated file.
    """
    while True:
        expansion.count_member(reader.position)
        yield from inflate(reader, zlib.decompressobj(wbits=31), what="The gzip file")
        _skip_zeros(reader)
        if not (following := bytes(reader.peek(2))) or not _GZIP_MAGIC.startswith(following):
            return


def inflate(reader: ByteReader, inflater: "zlib._Decompress", *, what: str) -> Iterator[bytes]:
    """Unpack one member; the reader stands behind it then. Raises: FileFormatError naming what is damaged or truncated."""
    begin = reader.position
    while not inflater.eof:
        piece = reader.peek_piece(FIRST_BYTES if reader.position == begin else PIECE_BYTES)
        if not piece:
            raise reader.truncated()
        try:
            unpacked = inflater.decompress(piece, UNPACKED_BYTES)
        except zlib.error as error:
            raise FileFormatError(f"{what} is damaged ({error}).", code="damaged_archive") from error
        reader.advance(len(piece) - len(inflater.unconsumed_tail) - len(inflater.unused_data))
        if unpacked:
            yield unpacked


def _skip_zeros(reader: ByteReader) -> None:
    while piece := reader.peek_piece(FIRST_BYTES):
        zeros = len(piece) - len(bytes(piece).lstrip(b"\0"))
        reader.advance(zeros)
        if zeros < len(piece):
            return


def inflate_zstd(reader: ByteReader, expansion: ExpansionLimit) -> Iterator[bytes]:
    """Unpack every frame. Raises: FileFormatError for a damaged or truncated file."""
    while True:
        expansion.count_member(reader.position)
        yield from _inflate_frame(reader)
        if not reader.peek(1):
            return


def _inflate_frame(reader: ByteReader) -> Iterator[bytes]:
    inflater = zstd.ZstdDecompressor(options=ZSTD_OPTIONS)
    begin, given = reader.position, 0  # given: bytes that the decompressor has, and that the reader still stands before
    while not inflater.eof:
        piece = memoryview(b"")
        if inflater.needs_input:
            reader.advance(given)
            piece = reader.peek_piece(FIRST_BYTES if reader.position == begin else PIECE_BYTES)
            given = len(piece)
            if not piece:
                raise reader.truncated()
        try:
            unpacked = inflater.decompress(piece, UNPACKED_BYTES)
        except zstd.ZstdError as error:
            raise FileFormatError(f"The zstd file is damaged ({error}).", code="damaged_archive") from error
        if unpacked:
            yield unpacked
    reader.advance(given - len(inflater.unused_data))
