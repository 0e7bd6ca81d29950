"""What a file is that holds no table of trips, by its first bytes: its name, and what to do. One row each, the first that fits.

foreign = recognise(sample)     # Foreign, or None for what may be a table
"""

import re
from dataclasses import dataclass
from typing import Final

from shared.platform.errors import FileFormatError

EXPORT: Final = "Export the trips as CSV or Parquet."
UNPACK: Final = "Unpack it, and load the file inside; or pack it as zip, gzip or zstd."
OPEN: Final = "Open it in the program that made it, and save the trips as CSV or Parquet."
DOWNLOAD: Final = "It is not the file itself: download that, and load it."
OTHER: Final = "Load the file that holds the trips."
HEAD_BYTES: Final = 4_096
UTF16_MARKS: Final = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True)
class Foreign:
    """A kind of file that can't be loaded as it is."""

    name: str
    advice: str

    def describe(self, subject: str = "This") -> str:
        """Say what a file is and what to do."""
        return f"{subject} is {self.name}, not a table of trips. {self.advice}"


# (offset, first bytes, name, advice)
SIGNATURES: Final[tuple[tuple[int, bytes, str, str], ...]] = (
    (0, b"%PDF", "a PDF document", "Ask the publisher for the data as CSV."),
    (68, b"GPKG", "a GeoPackage database", EXPORT),
    (0, b"SQLite format 3", "an SQLite database", EXPORT),
    (4, b"Standard Jet DB", "an Access database", EXPORT),
    (4, b"Standard ACE DB", "an Access database", EXPORT),
    (8, b"DUCK", "a DuckDB database", EXPORT),
    (0, b"PGDMP", "a PostgreSQL dump (custom format)", "Restore it into a database, and export the trips as CSV (\\copy)."),
    (0, b"BZh", "compressed with bzip2", UNPACK),
    (0, b"\xfd7zXZ\x00", "compressed with xz", UNPACK),
    (0, b"\x5d\x00\x00\x80\x00", "compressed with lzma", UNPACK),
    (0, b"\x5d\x00\x00\x00\x04", "compressed with lzma", UNPACK),
    (0, b"7z\xbc\xaf", "a 7z archive", UNPACK),
    (0, b"Rar!", "a RAR archive", UNPACK),
    (0, b"\x04\x22\x4d\x18", "compressed with lz4", UNPACK),
    (0, b"\x02\x21\x4c\x18", "compressed with lz4", UNPACK),
    (0, b"\xff\x06\x00\x00sNaPpY", "compressed with snappy", UNPACK),
    (0, b"\x89LZO\x00", "compressed with lzop", UNPACK),
    (0, b"\x1f\x9d", "compressed with compress (.Z)", UNPACK),
    (0, b"\x1f\xa0", "compressed with compress (.Z)", UNPACK),
    (0, b"LZIP", "compressed with lzip", UNPACK),
    (0, b"MSCF", "a cabinet archive", UNPACK),
    (0, b"xar!", "a xar archive", UNPACK),
    (0, b"!<arch>", "an ar archive", UNPACK),
    (0, b"070707", "a cpio archive", UNPACK),
    (0, b"070701", "a cpio archive", UNPACK),
    (0, b"PK\x07\x08", "a part of a split zip archive", "Join the parts to one zip file."),
    (0, b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls) or Office document", "Save the sheet with the trips as .xlsx or CSV."),
    (0, b"\x09\x08\x10\x00\x00\x06", "an old Excel workbook (.xls)", "Save the sheet with the trips as .xlsx or CSV."),
    (0, b"{\\rtf", "a word processor's document (RTF)", "Save the table in it as CSV."),
    (0, b"%!PS", "a PostScript document", "Ask the publisher for the data as CSV."),
    (0, b"FEA1", "a Feather file (version 1)", "Save it as Parquet: to_parquet in pandas, write_parquet in R."),
    (0, b"ARROW1", "an Arrow or Feather file", "Save it as Parquet: to_parquet in pandas, write_parquet in R."),
    (0, b"\xff\xff\xff\xff", "an Arrow stream", "Save it as Parquet."),
    (0, b"Obj\x01", "an Avro file", "Save it as Parquet or CSV."),
    (0, b"ORC", "an ORC file", "Save it as Parquet or CSV."),
    (0, b"SEQ\x06", "a Hadoop sequence file", "Save it as Parquet or CSV."),
    (0, b"PARE", "an encrypted Parquet file", "Write it without encryption."),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", EXPORT),
    (0, b"CDF\x01", "a netCDF file", EXPORT),
    (0, b"CDF\x02", "a netCDF file", EXPORT),
    (0, b"\x93NUMPY", "a NumPy array", EXPORT),
    (0, b"MATLAB ", "a MATLAB file", EXPORT),
    (0, b"RDX2\n", "an R workspace", "Save it with write.csv in R."),
    (0, b"RDX3\n", "an R workspace", "Save it with write.csv in R."),
    (0, b"X\n\x00\x00\x00", "an R object (.rds)", "Save it with write.csv in R."),
    (0, b"$FL2", "an SPSS file", EXPORT),
    (0, b"$FL3", "an SPSS file", EXPORT),
    (0, b"<stata_dta>", "a Stata file", EXPORT),
    (12, b"\xc2\xea\x81\x60\xb3\x14\x11\xcf", "a SAS file", EXPORT),
    (0, b"\x00\x00\x27\x0a\x00\x00\x00\x00", "a shapefile (.shp)", EXPORT),
    (0, b"fgb\x03fgb", "a FlatGeobuf file", EXPORT),
    (0, b"PMTiles", "a PMTiles archive of map tiles", OTHER),
    (6, b"OSMHeader", "an OpenStreetMap extract", OTHER),
    (8, b".FIT", "a FIT track of a sports watch", EXPORT),
    (0, b"\x89PNG", "an image", OTHER),
    (0, b"\xff\xd8\xff", "an image", OTHER),
    (0, b"GIF8", "an image", OTHER),
    (0, b"II*\x00", "an image", OTHER),
    (0, b"MM\x00*", "an image", OTHER),
    (8, b"WEBP", "an image", OTHER),
    (0, b"RIFF", "a sound or video", OTHER),
    (4, b"ftyp", "a sound or video", OTHER),
    (0, b"ID3", "a sound or video", OTHER),
    (0, b"\x00\x05\x16\x07", "a resource fork of a Mac (._ file)", OTHER),
    (0, b"\x00\x00\x00\x01Bud1", "a folder's settings of a Mac (.DS_Store)", OTHER),
    (0, b"bplist00", "a property list of a Mac", OTHER),
    (0, b"MZ", "a program for Windows", OTHER),
    (0, b"\x7fELF", "a program", OTHER),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", "a shortcut of Windows", DOWNLOAD),
    (0, b"\x00\x00\xfe\xff", "text in UTF-32", "Save it as UTF-8."),
    (0, b"\xff\xfe\x00\x00", "text in UTF-32", "Save it as UTF-8."),
)

_WEB_PAGE = (
    "a web page (HTML)",
    "A sign-in or error page may have come in the file's place, and portals name pages .xls: download the file itself, "
    "or open it in a spreadsheet and save it as CSV.",
)
_TRACK = "Export one row per trip (start, end, time) as CSV."
_LIST = "Save the sheet with the trips as .xlsx or CSV."
_XML = r"<\?xml.{0,1000}"
# (pattern of the beginning as text, without blanks before it; name, advice)
TEXTS: Final[tuple[tuple[str, str, str], ...]] = (
    (r"version https://git-lfs\.github\.com/spec", "a Git LFS pointer", "Fetch the file itself (git lfs pull), and load that."),
    (r"(\.\./)*\.?/?(\.git/)?annex/objects/", "a git-annex pointer", "Fetch the file itself (git annex get), and load that."),
    (r"outs:\s*\n\s*-\s*md5:", "a DVC pointer", "Fetch the file itself (dvc pull), and load that."),
    (r"\[InternetShortcut\]", "a shortcut to a web page", DOWNLOAD),
    (r"HTTP/[12](\.\d)? \d{3}", "an answer of a web server with its head", "Save its body alone, as CSV."),
    (r"<!doctype html|<(html|head|body|table|script|meta|div)\b", *_WEB_PAGE),
    (
        r"(<\?xml.{0,400}?>\s*)?<(\w+:)?Error[\s>].{0,200}<Code>",
        "an error message of an object store (XML)",
        "The download was refused or had expired: download the file again.",
    ),
    (_XML + r"<(!doctype )?html[\s>]", *_WEB_PAGE),
    (rf"({_XML})?<(\w+:)?gpx[\s>]", "a GPX track", _TRACK),
    (rf"({_XML})?<(\w+:)?kml[\s>]", "a KML file", _TRACK),
    (rf"({_XML})?<TrainingCenterDatabase", "a TCX track", _TRACK),
    (rf"({_XML})?(<\?mso-application|<(\w+:)?Workbook[\s>])", "an Excel 2003 workbook (XML)", _LIST),
    (rf"({_XML})?<osm[\s>]", "an OpenStreetMap extract", OTHER),
    (r"<\?xml|<(\w+:)?[A-Z]\w*(\s[^<>]*)?>\s*<", "XML", EXPORT),
    (r"(GEOGCS|PROJCS|GEOGCRS|PROJCRS)\[", "the coordinate system of a shapefile (.prj)", OTHER),
    (r"-----BEGIN ", "an encrypted or signed message", OTHER),
    (r"BEGIN:V(CALENDAR|CARD)", "a calendar or address book", OTHER),
    (r"From \S+@|Received: from |MIME-Version: |Return-Path: <", "an e-mail", "Save what is attached, and load that."),
    (r"------?(WebKitFormBoundary|-{10,}\d+)", "an upload form with a file inside", "Save the file alone, and load that."),
    (r"\$(GP|GN)(RMC|GGA|GSA|GLL|VTG)", "an NMEA track", _TRACK),
    (r"(H4sI|UEsDB)[A-Za-z0-9+/=\r\n]{40}", "packed and written as base64 text", "Decode it, and load what comes out."),
)
_TEXTS: Final = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), name, advice) for pattern, name, advice in TEXTS)
# What stands before the first statement of interest in an SQL dump: comments and settings, one at a time.
_SQL_BEFORE: Final = re.compile(
    r"\s+|--[^\n]*\n|/\*.*?\*/;?|(SET|PRAGMA|BEGIN|USE|DROP|LOCK|START|ALTER|SELECT)\b[^;]*;", re.I | re.S
)
_SQL: Final = re.compile(
    r"INSERT (IGNORE )?INTO\b|REPLACE INTO\b|CREATE (TABLE|DATABASE|SCHEMA|SEQUENCE|TYPE|EXTENSION|UNLOGGED|TEMP|OR REPLACE)\b"
    r"|COPY \S+ (\([^)]*\) )?FROM stdin",
    re.IGNORECASE,
)
_SQL_TITLE: Final = re.compile(r"-- *\n*(--)? *(MySQL|MariaDB|PostgreSQL|SQLite|phpMyAdmin|Adminer)\b[^\n]*", re.IGNORECASE)
# A pickle of protocol 2 or later: its mark and a frame, a module's name or a container. (A letter in UTF-8 never begins so.)
_PICKLE: Final = re.compile(rb"\x80[\x02-\x05](\x95|c|\]|\}|\(|\x8c|K|X)", re.DOTALL)


def recognise(sample: bytes) -> Foreign | None:
    """Return what a file is that is no table of trips, by its first bytes; None for what may be one."""
    for offset, magic, name, advice in SIGNATURES:
        if sample.startswith(magic, offset) and not _is_letters(magic, sample):
            return Foreign(name, advice)
    if _PICKLE.match(sample):
        return Foreign("a Python pickle", "Save it as Parquet: to_parquet in pandas.")
    if _is_utf32(sample):
        return Foreign("text in UTF-32", "Save it as UTF-8.")
    text = _decode(sample[:HEAD_BYTES]).lstrip("\ufeff \t\r\n\x0b\x0c")
    if _is_sql(text):
        return Foreign("an SQL dump", "Load it into a database, and export the trips as CSV.")
    return next((Foreign(name, advice) for pattern, name, advice in _TEXTS if pattern.match(text)), None)


def _is_sql(text: str) -> bool:
    at = 0
    while before := _SQL_BEFORE.match(text, at):
        at = before.end()
    return bool(_SQL.match(text, at) or (_SQL_TITLE.match(text) and "dump" in text[:200].lower()))


def reject_foreign(sample: bytes) -> None:
    """Raise: FileFormatError for files that hold no table of trips."""
    foreign = recognise(sample)
    if foreign is not None:
        raise FileFormatError(foreign.describe(), code="not_a_table")


def _is_letters(magic: bytes, sample: bytes) -> bool:
    """Return whether a signature of plain letters begins a text: a column may be named ORC, ID3 or MZone."""
    return magic.isalnum() and magic.isascii() and b"\0" not in sample[:512] and _is_text(sample[:512])


def _is_text(head: bytes) -> bool:
    return not re.search(rb"[\x00-\x08\x0e-\x1f]", head)


def _is_utf32(sample: bytes) -> bool:
    head = sample[: HEAD_BYTES - HEAD_BYTES % 4]
    quarters = [head[at::4].count(0) * 4 > 0.9 * len(head) for at in range(4)]
    return len(head) >= 16 and (quarters[1:] == [True] * 3 or quarters[:3] == [True] * 3) and quarters.count(True) == 3


def _decode(head: bytes) -> str:
    for mark, encoding in UTF16_MARKS:
        if head.startswith(mark):
            return head[2:].decode(encoding, "replace")
    if head[1:2] == b"\0" and head[3:4] == b"\0":
        return head.decode("utf-16-le", "replace")
    if head[:1] == b"\0" and head[2:3] == b"\0":
        return head.decode("utf-16-be", "replace")
    return head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
