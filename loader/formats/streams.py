"""Streams: the bytes of a file as UTF-8 text, decompressed on the way, within limits.

    for chunk in open_stream(chunks, plan): ...

A plain file passes through unchanged. Memory: a few times the chunk's size, whatever the archive claims to hold.
"""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from loader.formats.containers.byte_reader import ByteReader
from loader.formats.containers.decompress import inflate_gzip, inflate_zstd
from loader.formats.containers.zip_directory import ZipMember
from loader.formats.containers.zip_stream import open_zip
from loader.formats.meter import Meter
from loader.formats.plan import Compression, FilePlan
from shared.errors import FileFormatError

MAGIC: tuple[tuple[bytes, Compression], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # an archive without members
)
# What archives carry beside the data: folders, Mac resource forks, notes.
_IGNORED_SUFFIXES = (".pdf", ".md", ".html", ".json", ".xml", ".png", ".jpg")

Members = Sequence[ZipMember] | None


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


def open_members(
    chunks: Iterable[bytes], plan: FilePlan, *, members: Members = None
) -> Iterator[tuple[str | None, Iterator[bytes]]]:
    """Give each file inside: its name (None where it has none of its own) and its stream. Read each before the next.

    members: the directory of a zip file, where it is known.
    """
    for name, stream in open_tables(chunks, plan.compression, members=members):
        yield name, _to_utf8(stream, plan.dialect.encoding)


def open_tables(
    chunks: Iterable[bytes], compression: Compression, *, members: Members = None
) -> Iterator[tuple[str | None, Iterator[bytes]]]:
    """Give each table inside, as open_members, in its own encoding."""
    meter = Meter()
    if compression == "none":
        yield None, iter(chunks)
    elif compression == "zip":
        yield from _open_zip(chunks, meter, members)
    else:
        reader = ByteReader(meter.take(chunks), kind=compression)
        inflate = inflate_gzip if compression == "gzip" else inflate_zstd
        yield None, meter.give(inflate(reader, meter))


def _open_zip(chunks: Iterable[bytes], meter: Meter, members: Members) -> Iterator[tuple[str, Iterator[bytes]]]:
    found = False
    for name, stream in open_zip(meter.take(chunks), meter, members=members):
        _check_office(name)
        if is_table(name):
            found = True
            yield name, stream
    if not found:
        raise FileFormatError("The zip file holds no table: expected a CSV file inside.", code="empty_archive")


def _check_office(name: str) -> None:
    if name == "[Content_Types].xml" or name.startswith(("xl/", "_rels/")) or name == "mimetype":
        raise FileFormatError(
            "This is an Excel or OpenDocument workbook. Save the sheet with the trips as CSV and load that.", code="not_a_table"
        )


def is_table(name: str) -> bool:
    """Tell by its name whether a member of an archive may hold a table."""
    path = PurePosixPath(name)
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not (is_hidden or path.suffix.lower() in _IGNORED_SUFFIXES)


def _to_utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if not encoding.startswith("utf-16"):
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")
