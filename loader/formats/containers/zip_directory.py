"""The directory at the end of a zip archive: which members it has, and where. A member that it doesn't list was deleted.

members = read_directory(io.BytesIO(data))
members = read_directory(RangedFile(DirectoryRanges(size, read_range)))     # reads the end of the file alone
"""

import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from loader.formats.containers.byte_ranges import RangedFile
from shared.platform.errors import FileFormatError

# A batch is made of each member with rows, in about 30 ms: more than this is no way to keep trips.
MEMBERS_LIMIT = 10_000
# An entry takes 46 bytes and its name: enough for MEMBERS_LIMIT names of 370 characters.
DIRECTORY_LIMIT_BYTES = 4 * 2**20
# The directory of a few hundred members comes with the first request.
_END_BYTES = 2**16

ReadRange = Callable[[int, int], bytes]


@dataclass(frozen=True)
class ZipMember:
    """A member as the directory has it. offset: of its local header. Units: sizes in bytes."""

    name: str
    offset: int
    method: int
    is_encrypted: bool
    crc: int
    packed_bytes: int


class DirectoryRanges:
    """Byte ranges of an archive, of which its directory is to be read: the last 64 KiB are read once.

    read_range(offset, length) returns that many bytes of the archive. Units: size in bytes.
    """

    is_whole = True

    def __init__(self, size: int, read_range: ReadRange) -> None:
        self.size = size
        self._read_range = read_range
        self._end_at = max(0, size - _END_BYTES)
        self._end = read_range(self._end_at, size - self._end_at)

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes from an offset on. Raises: FileFormatError for more than a directory may have."""
        if length > DIRECTORY_LIMIT_BYTES:
            raise too_many_members()
        begin = offset - self._end_at
        return self._end[begin : begin + length] if begin >= 0 else self._read_range(offset, length)


def too_many_members() -> FileFormatError:
    """Make the error for an archive of more members than MEMBERS_LIMIT."""
    return FileFormatError(
        f"The archive holds more than {MEMBERS_LIMIT:,} files. Join the tables to larger ones, and pack those.",
        code="too_many_members",
    )


def read_directory(file: IO[bytes] | RangedFile) -> tuple[ZipMember, ...]:
    """Read the directory. Shape: members in the order in which they lie in the file, folders left out.

    Raises: FileFormatError where there is none, and for too many members.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            found = archive.infolist()
    except zipfile.BadZipFile as error:
        code, what = (
            ("truncated_archive", "ends too early: it was cut off")
            if "not a zip" in str(error)
            else ("damaged_archive", f"is damaged ({error})")
        )
        raise FileFormatError(f"The zip file {what}. Upload it again.", code=code) from error
    except (struct.error, ValueError, OSError, EOFError, NotImplementedError, IndexError) as error:
        raise FileFormatError(f"The zip file is damaged ({error}). Upload it again.", code="damaged_archive") from error
    if len(found) > MEMBERS_LIMIT:
        raise too_many_members()
    members = [
        ZipMember(
            name=clean_name(info.filename),
            offset=info.header_offset,
            method=info.compress_type,
            is_encrypted=bool(info.flag_bits & 1),
            crc=info.CRC,
            packed_bytes=info.compress_size,
        )
        for info in found
        if not clean_name(info.filename).endswith("/")
    ]
    return tuple(sorted(members, key=lambda member: member.offset))


def clean_name(name: str) -> str:
    """Make a member's name fit to be shown and stored: slashes between folders, no control characters, 200 characters."""
    printable = "".join(character if character.isprintable() else "�" for character in name.replace("\\", "/"))
    return printable if len(printable) <= 200 else "…" + printable[-199:]
