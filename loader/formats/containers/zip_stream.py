"""Zip archives as a stream: members in the order in which they lie in the file, by the directory at its end where that is known.

    for name, pieces in open_zip(chunks, expansion, members=read_directory(file)): ...

Without the directory the local headers say what follows, and the directory is compared with them when the stream gets there.
Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.9 (data descriptor), 4.5.3 (zip64).
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from loader.formats.containers.byte_ranges import RangedFile
from loader.formats.containers.byte_reader import ByteReader
from loader.formats.containers.decompress import inflate
from loader.formats.containers.expansion_limit import ExpansionLimit
from loader.formats.containers.zip_directory import (
    DIRECTORY_LIMIT_BYTES,
    MEMBERS_LIMIT,
    DirectoryRanges,
    ZipMember,
    clean_name,
    read_directory,
    too_many_members,
)
from shared.platform.errors import FileFormatError

_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_LOCAL, _DESCRIPTOR = b"PK\x03\x04", b"PK\x07\x08"
_ENDS = (b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x08")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _HAS_DESCRIPTOR, _UTF8 = 0x1, 0x8, 0x800
_ZIP64 = 0xFFFFFFFF

Files = Iterator[tuple[str, Iterator[bytes]]]


def open_zip(chunks: Iterable[bytes], expansion: ExpansionLimit, *, members: Sequence[ZipMember] | None = None) -> Files:
    """Yield (name, bytes in pieces) of each member that is no folder. What is left unread of one is skipped.

    Raises: FileFormatError for encrypted, damaged or truncated archives, and for too many members.
    """
    reader = ByteReader(chunks, kind="zip")
    return _open_listed(reader, expansion, members) if members is not None else _open_found(reader, expansion)


def _open_listed(reader: ByteReader, expansion: ExpansionLimit, members: Sequence[ZipMember]) -> Files:
    """Open the members that the directory lists; between them may lie what was deleted."""
    for member in members:
        if member.offset < reader.position:
            raise _damaged(f"{member.name} lies inside another file")
        for _ in reader.read_pieces(member.offset - reader.position):
            pass
        _read_header(reader)
        data_at = reader.position
        found = _Header(member.name, member.method, member.packed_bytes, member.crc, 0, is_encrypted=member.is_encrypted)
        yield member.name, expansion.give(_read_member(reader, found))
        if not data_at <= reader.position <= data_at + member.packed_bytes:
            raise _damaged(f"{member.name} is longer than the directory says")
        for _ in reader.read_pieces(data_at + member.packed_bytes - reader.position):
            pass


def _open_found(reader: ByteReader, expansion: ExpansionLimit) -> Files:
    """Open the members that follow each other, and compare the directory at the end."""
    offsets: list[int] = []
    while (magic := bytes(reader.peek(4))) not in _ENDS:
        if len(magic) < 4:
            raise reader.truncated()
        if len(offsets) == MEMBERS_LIMIT:
            raise too_many_members()
        at = reader.position
        header = _read_header(reader)
        data = expansion.give(_read_member(reader, header))
        if not header.name.endswith("/"):
            offsets.append(at)
            yield header.name, data
        for _ in data:
            pass
    _compare_directory(reader, offsets)


def _compare_directory(reader: ByteReader, offsets: list[int]) -> None:
    """Compare the members that were read with those that the directory lists. Raises: FileFormatError where they differ."""
    begin, rest = reader.position, bytearray()
    for piece in reader.read_rest():
        rest += piece
        if len(rest) > DIRECTORY_LIMIT_BYTES:
            raise too_many_members()

    def read_range(offset: int, length: int) -> bytes:
        return bytes(max(0, begin - offset)) + bytes(rest[max(0, offset - begin) : offset - begin + length])

    listed = read_directory(RangedFile(DirectoryRanges(begin + len(rest), read_range)))
    if [member.offset for member in listed] != offsets:
        raise FileFormatError(
            "The zip file holds other files than its directory lists: some were deleted, or it is damaged. Pack it again.",
            code="damaged_archive",
        )


@dataclass(frozen=True)
class _Header:
    """What is needed to read a member. descriptor_bytes: of the checksum and sizes behind its data, where they stand there."""

    name: str
    method: int
    packed_bytes: int
    crc: int
    descriptor_bytes: int
    is_encrypted: bool = False


def _read_header(reader: ByteReader) -> _Header:
    fields = _LOCAL_HEADER.unpack(reader.read(_LOCAL_HEADER.size))
    magic, _, flags, method, _, _, crc, size, unpacked, name_size, extra_size = fields
    if magic != _LOCAL:
        raise _damaged("no file begins where one should")
    raw_name, extra = reader.read(name_size), reader.read(extra_size)
    wide = _find_zip64(extra)
    if wide is not None and size == _ZIP64:
        size = int.from_bytes(wide[8 * (unpacked == _ZIP64) :][:8], "little")
    has_descriptor = bool(flags & _HAS_DESCRIPTOR)
    return _Header(
        clean_name(raw_name.decode("utf-8" if flags & _UTF8 else "cp437", "replace")),
        -1 if method == _STORED and has_descriptor else method,  # nothing tells where it ends
        size,
        crc,
        (12 if wide is None else 20) if has_descriptor else 0,
        is_encrypted=bool(flags & _ENCRYPTED),
    )


def _check(header: _Header) -> None:
    if header.is_encrypted:
        raise FileFormatError(
            f"{header.name} in the zip file is encrypted. Pack it again without a password.", code="encrypted_archive"
        )
    if header.method not in (_STORED, _DEFLATED):
        how = f" (method {header.method})" if header.method >= 0 else ""
        raise FileFormatError(
            f"{header.name} in the zip file is packed in a way that can't be read as a stream{how}. "
            "Pack it again with the usual deflate method, or use gzip.",
            code="unsupported_archive",
        )


def _find_zip64(extra: bytes) -> bytes | None:
    at = 0
    while at + 4 <= len(extra):
        tag, size = struct.unpack_from("<HH", extra, at)
        if tag == 1:
            return extra[at + 4 : at + 4 + size]
        at += 4 + size
    return None


def _read_member(reader: ByteReader, header: _Header) -> Iterator[bytes]:
    _check(header)
    crc = 0
    if header.method == _DEFLATED:
        pieces = inflate(reader, zlib.decompressobj(wbits=-15), what=f"{header.name} in the zip file")
    else:
        pieces = map(bytes, reader.read_pieces(header.packed_bytes))
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
        yield piece
    expected = _read_descriptor(reader, header) if header.descriptor_bytes else header.crc
    if crc != expected:
        raise _damaged(f"the checksum of {header.name} is wrong")


def _read_descriptor(reader: ByteReader, header: _Header) -> int:
    if bytes(reader.peek(4)) == _DESCRIPTOR:
        reader.read(4)
    return int.from_bytes(reader.read(header.descriptor_bytes)[:4], "little")


def _damaged(what: str) -> FileFormatError:
    return FileFormatError(f"The zip file is damaged: {what}.", code="damaged_archive")
