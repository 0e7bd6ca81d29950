"""Tables inside a file: its containers are opened one within the other, and what goes along with the data is passed over.

    for name, pieces in open_tables(chunks, "zip"): ...     # "trips.csv", or "2024.tar.gz/trips.csv"

Containers are told by their first bytes, tables from notes by name and, where a name leaves it open, by content.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from loader.formats.containers.byte_reader import ByteReader
from loader.formats.containers.decompress import inflate_gzip, inflate_zstd
from loader.formats.containers.expansion_limit import ExpansionLimit
from loader.formats.containers.signatures import Foreign, recognise
from loader.formats.containers.tar_stream import BLOCK_BYTES, is_tar, open_tar
from loader.formats.containers.zip_directory import ZipMember
from loader.formats.containers.zip_stream import open_zip
from loader.formats.model.plan import Compression
from shared.platform.errors import FileFormatError

MAGIC: tuple[tuple[bytes, Compression], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # an archive without members
)
# A file in a tar.gz in a zip is at depth 3; more is made to be hostile.
DEPTH_LIMIT = 4
# What tells a table from prose.
_HEAD_BYTES = 2**14
_NOTE_SUFFIXES = (
    ".pdf", ".md", ".rst", ".html", ".htm", ".xml", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".doc", ".docx", ".rtf", ".odt",
    ".ini", ".cfg", ".yml", ".yaml", ".toml", ".url", ".webloc", ".lnk", ".log", ".py", ".r", ".ipynb", ".sh", ".css", ".js",
    ".qmd", ".cpg", ".md5", ".sha256", ".sha1", ".sha512", ".sfv", ".asc", ".sig", ".crc",
)  # fmt: skip
_NOTE_STEMS = re.compile(
    r"(_?read[ _-]*me|lees[ _-]*mij|lies[ _-]*mich|leia[ _-]*me|l[ée]ame|leggimi|lisez[ _-]*moi|czytaj|licen[cs]e|lizenz|copying"
    r"|copyright|citation|disclaimer|data[ _-]*(dictionary|description|package)|meta[ _-]*data|codebook|manifest|schema"
    r"|thumbs\.db|desktop\.ini|_success|(md5|sha\d+|check)sums?)(?![a-z])",
    re.IGNORECASE,
)
_OPEN_SUFFIXES = ("", ".txt", ".text", ".dat", ".data")
# Tables that are offered to choose from.
_CHOICES_LIMIT = 12
_WORKBOOK_PARTS = ("xl/", "_rels/", "word/", "ppt/")

Tables = Iterator[tuple[str | None, Iterator[bytes]]]


def detect_compression(sample: bytes) -> Compression:
    """Return the container by the first bytes."""
    found = next((name for magic, name in MAGIC if sample.startswith(magic)), None)
    return found or ("tar" if is_tar(sample) else "none")


def is_table(name: str) -> bool:
    """Return whether a member of an archive may hold a table, by its name."""
    path = PurePosixPath(name)
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not (is_hidden or path.suffix.lower() in _NOTE_SUFFIXES or _NOTE_STEMS.match(path.name))


def is_named(path: str, member: str | None) -> bool:
    """Return whether a table inside an archive is the one a person named, by its path or the end of it; any is without a name."""
    if member is None:
        return True
    whole = f"/{path.casefold()}"
    return any(one.endswith(f"/{member.casefold()}") for one in (whole, whole.removesuffix(".gz"), whole.removesuffix(".zst")))


def open_tables(
    chunks: Iterable[bytes], compression: Compression, *, members: Sequence[ZipMember] | None = None, member: str | None = None
) -> Tables:
    """Yield (name, bytes in pieces) of each table; the name is None where it has none of its own. Read each before the next.

    members: the directory of a zip file, where it is known. member: the one table to read, where a person named it.
    Raises: FileFormatError for damaged, truncated or exploding archives, and where there is no table.
    """
    if compression == "none":
        yield None, iter(chunks)
    else:
        yield from _Opener(members, member).open_all(chunks)


class _Opener:
    """One file on its way out of its containers; one expansion limit holds for all of them together."""

    def __init__(self, members: Sequence[ZipMember] | None, member: str | None) -> None:
        self._members = members
        self._member = member
        self._others: list[str] = []
        self._expansion = ExpansionLimit()
        self._tables = 0
        self._empty = 0
        self._passed_over: list[str] = []
        self._foreign: tuple[str, Foreign] | None = None

    def open_all(self, chunks: Iterable[bytes]) -> Tables:
        yield from self._open(None, self._expansion.take(chunks), 0)
        if self._tables == 0:
            raise self._nothing_found()

    def _open(self, name: str | None, chunks: Iterable[bytes], depth: int) -> Tables:
        reader = ByteReader(chunks, kind="file")
        head = bytes(reader.peek(BLOCK_BYTES))
        container = detect_compression(head)
        if container == "none":
            yield from self._open_table(name, reader)
        elif depth == DEPTH_LIMIT:
            raise FileFormatError(
                f"{name or 'The file'} is packed more than {DEPTH_LIMIT} times over. Unpack it, and load what is inside.",
                code="unsupported_archive",
            )
        elif container in ("gzip", "zstd"):
            inflate = inflate_gzip if container == "gzip" else inflate_zstd
            kinded = ByteReader(reader.read_rest(), kind=container)
            yield from self._open(name, self._expansion.give(inflate(kinded, self._expansion)), depth + 1)
        else:
            yield from self._open_members(name, reader, is_zip=container == "zip", depth=depth)

    def _open_members(self, name: str | None, reader: ByteReader, *, is_zip: bool, depth: int) -> Tables:
        chunks = reader.read_rest()
        files = open_zip(chunks, self._expansion, members=None if depth else self._members) if is_zip else open_tar(chunks)
        for member, stream in files:
            path = f"{name}/{member}" if name else member
            _check_office(member, name)
            if is_table(member):
                yield from self._open(path, stream, depth + 1)
            else:
                self._passed_over.append(path)

    def _open_table(self, name: str | None, reader: ByteReader) -> Tables:
        if name is None:
            if self._member is not None:
                raise FileFormatError(
                    "This file holds one table without a name: leave out member (--member).",
                    code="no_such_member",
                    parameter="member",
                )
            self._tables += 1
            yield None, reader.read_rest()
            return
        head = bytes(reader.peek(_HEAD_BYTES))
        foreign = recognise(head)
        if not head:
            self._empty += 1
        elif foreign is not None:
            self._foreign = self._foreign or (name, foreign)
            self._passed_over.append(name)
        elif PurePosixPath(name).suffix.lower() in _OPEN_SUFFIXES and is_prose(head):
            self._passed_over.append(name)
        elif not is_named(name, self._member):
            self._others.append(name)
        else:
            self._tables += 1
            yield name, reader.read_rest()

    def _nothing_found(self) -> FileFormatError:
        if self._others:
            return FileFormatError(
                f"The archive holds no table {self._member!r}. Tables: {join_names(self._others)}.",
                code="no_such_member",
                parameter="member",
                choices=[{"label": name, "options": {"member": name}} for name in self._others[:_CHOICES_LIMIT]],
            )
        if self._foreign is not None:
            name, foreign = self._foreign
            return FileFormatError(f"The archive holds no table of trips: {foreign.describe(name)}", code="not_a_table")
        if self._empty:
            return FileFormatError("The files in the archive are empty.", code="empty_file")
        names = ", ".join(self._passed_over[:5]) + (", …" if len(self._passed_over) > 5 else "")
        found = f"it holds {names}" if names else "it holds nothing"
        return FileFormatError(
            f"The archive holds no table: expected a CSV or Parquet file inside; {found}.", code="empty_archive"
        )


def is_prose(head: bytes) -> bool:
    """Return whether text is a note rather than a table: no delimiter cuts most of its lines into the same number of fields."""
    lines = [line for line in head.splitlines()[:40] if line.strip()]
    if len(lines) > 1 and len(head) >= _HEAD_BYTES:
        lines = lines[:-1]
    for delimiter in (b",", b";", b"\t", b"|"):
        fields, count = Counter(line.count(delimiter) for line in lines).most_common(1)[0] if lines else (0, 0)
        if fields >= 2 and count * 2 >= len(lines):
            return False
    return not any(line.startswith(b"PAR1") for line in lines[:1])


def _check_office(member: str, archive: str | None) -> None:
    if member in ("[Content_Types].xml", "mimetype") or member.startswith(_WORKBOOK_PARTS):
        raise FileFormatError(
            f"{archive or 'This'} is a workbook or document of Excel, Word or OpenDocument. "
            "Save the sheet with the trips as CSV and load that.",
            code="not_a_table",
        )


def join_names(names: Iterable[str]) -> str:
    """Join up to five names for a message."""
    listed = list(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5:,} more" if len(listed) > 5 else "")
