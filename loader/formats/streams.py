"""Streams: the bytes of a file as UTF-8 text, decompressed on the way, within limits.

    for chunk in open_stream(chunks, plan): ...

A plain file passes through unchanged. Memory: a few times the chunk's size, whatever the archive claims to hold.
"""

import codecs
import sys
import zlib
from collections.abc import Iterable, Iterator

from loader.formats.errors import truncated
from loader.formats.meter import Meter
from loader.formats.plan import Compression, FilePlan
from loader.formats.unzip import open_zip
from shared.errors import FileFormatError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE_BYTES = 2**20
# Windows up to 128 MiB (zstd --long=27); more would let a file choose how much memory it takes.
ZSTD_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 27}

MAGIC: tuple[tuple[bytes, Compression], ...] = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04", "zip"))


def detect_compression(sample: bytes) -> Compression:
    """Tell the compression by the first bytes."""
    return next((name for magic, name in MAGIC if sample.startswith(magic)), "none")


def open_stream(chunks: Iterable[bytes], plan: FilePlan) -> Iterator[bytes]:
    """Give the bytes that slices refer to: decompressed, UTF-16 turned into UTF-8.

    The members of a zip follow each other; see open_members for where each begins.
    Raises: FileFormatError for damaged, truncated or exploding archives.
    """
    for _, stream in open_members(chunks, plan):
        yield from stream


def open_members(chunks: Iterable[bytes], plan: FilePlan) -> Iterator[tuple[str | None, Iterator[bytes]]]:
    """Give each file inside: its name (None where it has none of its own) and its stream. Read each before the next."""
    if plan.compression == "zip":
        for name, stream in open_zip(chunks):
            yield name, _to_utf8(stream, plan.dialect.encoding)
    else:
        yield None, _to_utf8(open_decompressed(chunks, plan.compression), plan.dialect.encoding)


def open_decompressed(chunks: Iterable[bytes], compression: Compression) -> Iterator[bytes]:
    """Give the decompressed bytes in pieces of bounded size."""
    if compression == "none":
        yield from chunks
        return
    if compression == "zip":
        for _, stream in open_zip(chunks):
            yield from stream
        return
    meter = Meter()
    inflate = _inflate_gzip if compression == "gzip" else _inflate_zstd
    yield from meter.give(inflate(meter.take(chunks)))


def _inflate_gzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits=31)
    has_member = False
    for chunk in chunks:
        data = chunk
        while data:
            if inflater.eof:
                data = data.lstrip(b"\0") if has_member else data
                if not data:
                    break
                if not b"\x1f\x8b".startswith(data[:2]):
                    return  # bytes after the last member are padding or a signature, as gzip itself takes them
                inflater = zlib.decompressobj(wbits=31)
            yield from _pull(inflater, data)
            has_member, data = True, inflater.unused_data
    if not inflater.eof:
        raise truncated("gzip")


def _pull(inflater: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while data and not inflater.eof:
        try:
            piece = inflater.decompress(data, PIECE_BYTES)
        except zlib.error as error:
            raise FileFormatError(f"The gzip file is damaged ({error}).", code="damaged_archive") from error
        if piece:
            yield piece
        data = inflater.unconsumed_tail


def _inflate_zstd(chunks: Iterable[bytes]) -> Iterator[bytes]:
    inflater = zstd.ZstdDecompressor(options=ZSTD_OPTIONS)
    for chunk in chunks:
        data = chunk
        while data or not (inflater.needs_input or inflater.eof):
            if inflater.eof:
                inflater = zstd.ZstdDecompressor(options=ZSTD_OPTIONS)  # another frame follows
            try:
                piece = inflater.decompress(data, PIECE_BYTES)
            except zstd.ZstdError as error:
                raise FileFormatError(f"The zstd file is damaged ({error}).", code="damaged_archive") from error
            if piece:
                yield piece
            data = inflater.unused_data if inflater.eof else b""
    if not inflater.eof:
        raise truncated("zstd")


def _to_utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if not encoding.startswith("utf-16"):
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")
