"""Tar archives as a stream: the standard library reads each header; what it would read without limit is read here.

    for name, pieces in open_tar(chunks): ...

Source: POSIX.1-2017, pax, ustar and extended headers; GNU tar, long names.
"""

import re
import tarfile
from collections.abc import Iterable, Iterator

from loader.formats.containers.byte_reader import ByteReader
from loader.formats.containers.zip_directory import MEMBERS_LIMIT, clean_name, too_many_members
from shared.platform.errors import FileFormatError

BLOCK_BYTES = tarfile.BLOCKSIZE
# Long names and extended headers take some hundred bytes.
_EXTENDED_LIMIT_BYTES = 2**16
_PAX_FIELD = re.compile(rb"\d+ (path|size)=([^\n]*)\n")


def is_tar(head: bytes) -> bool:
    """Return whether a file is a tar archive, by the first 512 bytes: its header's checksum is right."""
    return len(head) >= BLOCK_BYTES and any(head[:BLOCK_BYTES]) and _read_header(head[:BLOCK_BYTES]) is not None


def open_tar(chunks: Iterable[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield (name, bytes in pieces) of each file. What is left unread of one is skipped.

    Raises: FileFormatError for damaged or truncated archives, sparse files, and too many members.
    """
    reader = ByteReader(chunks, kind="tar")
    extended: dict[str, bytes] = {}
    count = 0
    while block := bytes(reader.peek(BLOCK_BYTES)):
        if len(block) == BLOCK_BYTES and not any(block):
            return
        info = _read_header(reader.read(BLOCK_BYTES))
        count += 1
        if info is None or info.size < 0:
            raise _damaged()
        if count > MEMBERS_LIMIT:
            raise too_many_members()
        size = int(extended.get("size", info.size)) if info.isreg() else info.size
        end = reader.position + size + -size % BLOCK_BYTES
        if info.type in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE):
            extended |= _read_extended(reader, info)
        elif info.type == tarfile.GNUTYPE_SPARSE:
            raise _sparse()
        elif info.isreg():
            name = extended.get("path", b"").decode("utf-8", "replace") or info.name
            extended = {}
            yield clean_name(name), map(bytes, reader.read_pieces(size))
        for _ in reader.read_pieces(end - reader.position):
            pass


def _read_header(block: bytes) -> tarfile.TarInfo | None:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.HeaderError, ValueError):
        return None


def _read_extended(reader: ByteReader, info: tarfile.TarInfo) -> dict[str, bytes]:
    """Read what a header says of the file behind it."""
    if info.size > _EXTENDED_LIMIT_BYTES:
        raise _damaged()
    data = reader.read(info.size)
    if info.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": data.rstrip(b"\0")}
    if b"GNU.sparse." in data:
        raise _sparse()
    found = {name.decode(): value for name, value in _PAX_FIELD.findall(data)}
    if not found.get("size", b"0").isdigit() or len(found.get("size", b"")) > 15:
        raise _damaged()
    return found


def _damaged() -> FileFormatError:
    return FileFormatError("The tar archive is damaged: no file begins where one should.", code="damaged_archive")


def _sparse() -> FileFormatError:
    return FileFormatError(
        "The tar archive holds files with gaps (sparse files). Pack it again without --sparse.", code="unsupported_archive"
    )
