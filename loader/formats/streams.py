"""Streams: the bytes of a file as UTF-8 text, decompressed on the way, within limits.

    for chunk in open_stream(chunks, plan): ...

A plain file passes through unchanged. Memory: a few times the chunk's size, whatever the archive claims to hold.
"""

import codecs
from collections.abc import Iterable, Iterator, Sequence

from loader.formats.containers.tables import open_tables
from loader.formats.containers.zip_directory import ZipMember
from loader.formats.model.codecs import is_cut_as_stored
from loader.formats.model.plan import FilePlan
from loader.formats.transcoding import UnreadKeys, transcode

Members = Sequence[ZipMember] | None


def open_stream(chunks: Iterable[bytes], plan: FilePlan) -> Iterator[bytes]:
    """Yield the bytes that slices refer to: decompressed and in UTF-8, JSON and sheets as CSV.

    The members of a zip follow each other; see open_members for where each begins.
    Raises: FileFormatError for damaged, truncated or exploding archives.
    """
    for _, stream in open_members(chunks, plan):
        yield from stream


def open_members(
    chunks: Iterable[bytes], plan: FilePlan, *, members: Members = None, unread: UnreadKeys | None = None
) -> Iterator[tuple[str | None, Iterator[bytes]]]:
    """Yield each file inside: its name (None where it has none of its own) and its stream. Read each before the next.

    members: the directory of a zip file, where it is known. unread: counts keys of JSON that have no column.
    """
    for name, stream in open_tables(chunks, plan.compression, members=members, member=plan.member):
        yield name, _to_csv(stream, plan, unread)


def _to_csv(chunks: Iterator[bytes], plan: FilePlan, unread: UnreadKeys | None) -> Iterator[bytes]:
    return transcode(chunks, plan.table, unread) if plan.table else _to_utf8(chunks, plan.dialect.encoding)


def _to_utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if is_cut_as_stored(encoding):
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")
