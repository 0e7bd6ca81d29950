"""Zip archives as a stream: members in the order they lie in the file, without a seek to the directory at its end.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.9 (data descriptor), 4.5.3 (zip64).
The standard library's zipfile needs the whole file to seek in; trip archives are read as they arrive.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from loader.formats.errors import truncated
from loader.formats.meter import Meter
from shared.errors import FileFormatError

_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_LOCAL, _DESCRIPTOR = b"PK\x03\x04", b"PK\x07\x08"
_ENDS = (b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x08")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _HAS_DESCRIPTOR, _UTF8 = 0x1, 0x8, 0x800
_ZIP64 = 0xFFFFFFFF
PIECE_BYTES = 2**20
# What archives carry beside the data: folders, Mac resource forks, notes.
_IGNORED_SUFFIXES = (".pdf", ".md", ".html", ".json", ".xml", ".png", ".jpg")


class _Reader:
    """Bytes of a stream, some at a time."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.data = b""

    def fill(self, size: int) -> bool:
        """Have at least size bytes in data; False at the end of the stream."""
        while len(self.data) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self.data += chunk
        return True

    def take(self, size: int) -> bytes:
        """Take size bytes. Raises: FileFormatError if there are fewer."""
        if not self.fill(size):
            raise truncated("zip")
        taken, self.data = self.data[:size], self.data[size:]
        return taken


def open_zip(chunks: Iterable[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Give each member that may hold a table: its name and its bytes. Whatever is left unread is skipped.

    Raises: FileFormatError for encrypted, damaged or truncated archives, and where no member holds a table.
    """
    meter = Meter()
    reader = _Reader(meter.take(chunks))
    found = False
    while reader.fill(4) and reader.data[:4] not in _ENDS:
        header = _read_header(reader)
        _check_office(header.name)
        member = meter.give(_read_member(reader, header))
        if _is_table(header.name):
            found = True
            yield header.name, member
        for _ in member:
            pass
    if not found:
        raise FileFormatError("The zip file holds no table: expected a CSV file inside.", code="empty_archive")


def _check_office(name: str) -> None:
    if name == "[Content_Types].xml" or name.startswith(("xl/", "_rels/")) or name == "mimetype":
        raise FileFormatError(
            "This is an Excel or OpenDocument workbook. Save the sheet with the trips as CSV and load that.", code="not_a_table"
        )


def _is_table(name: str) -> bool:
    path = PurePosixPath(name)
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not (name.endswith("/") or is_hidden or path.suffix.lower() in _IGNORED_SUFFIXES)


@dataclass(frozen=True)
class _Header:
    name: str
    method: int
    bytes: int
    crc: int
    has_descriptor: bool
    is_zip64: bool


def _read_header(reader: _Reader) -> _Header:
    fields = _LOCAL_HEADER.unpack(reader.take(_LOCAL_HEADER.size))
    magic, _, flags, method, _, _, crc, size, unpacked, name_size, extra_size = fields
    if magic != _LOCAL:
        raise FileFormatError("The zip file is damaged: no member begins where one should.", code="damaged_archive")
    raw_name, extra = reader.take(name_size), reader.take(extra_size)
    name = raw_name.decode("utf-8" if flags & _UTF8 else "cp437", "replace")
    if flags & _ENCRYPTED:
        raise FileFormatError(f"{name} in the zip file is encrypted. Pack it again without a password.", code="encrypted_archive")
    wide = _find_zip64(extra)
    if wide is not None and size == _ZIP64:
        size = int.from_bytes(wide[8 * (unpacked == _ZIP64) :][:8], "little")
    has_descriptor = bool(flags & _HAS_DESCRIPTOR)
    if method not in (_STORED, _DEFLATED) or (method == _STORED and has_descriptor):
        raise FileFormatError(
            f"{name} in the zip file is packed in a way that can't be read as a stream (method {method}). "
            "Pack it again with the usual deflate method, or use gzip.",
            code="unsupported_archive",
        )
    return _Header(name, method, size, crc, has_descriptor, wide is not None)


def _find_zip64(extra: bytes) -> bytes | None:
    while len(extra) >= 4:
        tag, size = struct.unpack_from("<HH", extra)
        if tag == 1:
            return extra[4 : 4 + size]
        extra = extra[4 + size :]
    return None


def _read_member(reader: _Reader, header: _Header) -> Iterator[bytes]:
    crc = 0
    for piece in _inflate(reader, header) if header.method == _DEFLATED else _copy(reader, header.bytes):
        crc = zlib.crc32(piece, crc)
        yield piece
    expected = _read_descriptor(reader, header) if header.has_descriptor else header.crc
    if crc != expected:
        raise FileFormatError(f"{header.name} in the zip file is damaged: its checksum is wrong.", code="damaged_archive")


def _copy(reader: _Reader, size: int) -> Iterator[bytes]:
    while size > 0:
        reader.fill(1)
        piece = reader.take(max(1, min(size, len(reader.data), PIECE_BYTES)))
        size -= len(piece)
        yield piece


def _inflate(reader: _Reader, header: _Header) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits=-15)
    while not inflater.eof:
        data = inflater.unconsumed_tail
        if not data:
            reader.fill(1)
            data = reader.take(max(1, len(reader.data)))
        try:
            piece = inflater.decompress(data, PIECE_BYTES)
        except zlib.error as error:
            raise FileFormatError(f"{header.name} in the zip file is damaged ({error}).", code="damaged_archive") from error
        if piece:
            yield piece
    reader.data = inflater.unused_data + reader.data


def _read_descriptor(reader: _Reader, header: _Header) -> int:
    reader.fill(4)
    if reader.data.startswith(_DESCRIPTOR):
        reader.take(4)
    crc = int.from_bytes(reader.take(4), "little")
    reader.take(16 if header.is_zip64 else 8)
    return crc
