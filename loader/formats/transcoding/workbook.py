"""Workbooks: Excel (.xlsx, .xls) and OpenDocument (.ods), sheet by sheet, as CSV.

Every cell is read as text: a date as `2024-03-19 08:12:00`, a date without a time as `2024-03-19`, a time as `08:12:00`, a number
with all of its digits. A line of the CSV is a row of the sheet, from its first on, so that line numbers are row numbers.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import fastexcel
import polars as pl

from loader.formats.model.inner_table import InnerTable
from loader.formats.transcoding.csv_text import write_rows
from loader.formats.transcoding.workbook_limits import check_workbook
from shared.platform.errors import FileFormatError

# Sheets that are looked at for trips.
SHEETS_LIMIT: Final = 50
# Rows of a sheet that columns are told by.
SAMPLE_ROWS: Final = 2_000
_ROWS: Final = 5_000
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = b"PK\x03\x04"
# What the first member of a workbook's zip is called. Word and PowerPoint begin with the same.
_FIRST_NAMES: Final = re.compile(rb"(\[Content_Types\]\.xml|_rels/|docProps/|xl/|customXml/|mimetype)")
_ODS: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_MEMBERS: Final = {
    "xl/workbook.xml": None,
    "content.xml": None,
    "xl/workbook.bin": "a binary Excel workbook (.xlsb). Save it as .xlsx or CSV",
    "word/document.xml": "a Word document, not a table of trips. Export it as CSV or Parquet",
    "ppt/presentation.xml": "a presentation, not a table of trips. Export it as CSV or Parquet",
}
# Dates and times as the reader writes them: a time alone is dated to the day before the calendar's first.
_MIDNIGHT: Final = r"^(\d{4}-\d{2}-\d{2}) 00:00:00$"
_DURATION: Final = r"^PT(\d{2})H(\d{2})M(\d{2}(?:\.\d+)?)S$"  # OpenDocument's
_CLOCK: Final = r"^1899-12-3[01] (\d{2}:\d{2}:\d{2}(?:\.\d+)?)$"


def looks_like_workbook(sample: bytes) -> bool:
    """Return whether a file is a workbook, or another document of an office program, by the first bytes."""
    if sample.startswith(_OLE):
        return True
    size = int.from_bytes(sample[26:28], "little") if sample.startswith(_ZIP) else 0
    name = sample[30 : 30 + size]
    if name == b"mimetype":
        return _ODS in sample[:200]
    return bool(size and _FIRST_NAMES.match(name))


@dataclass
class Workbook:
    """A workbook that is open. Raises: FileFormatError when it can't be read, or would take too much memory."""

    data: bytes
    sheets: list[str] = field(init=False)

    def __post_init__(self) -> None:
        if self.data.startswith(_ZIP):
            check_workbook(self.data)
            _check_kind(self.data)
        elif "EncryptedPackage".encode("utf-16-le") in self.data:
            raise FileFormatError("The workbook is protected by a password. Save it without one.", code="encrypted_archive")
        self._reader = _call(lambda: fastexcel.read_excel(self.data))
        self.sheets = list(self._reader.sheet_names)

    def read_rows(self, sheet: str, *, rows: int | None = None) -> pl.DataFrame | None:
        """Read a sheet's first rows, or all, as text; None where it holds no cells (a chart)."""
        try:
            loaded = self._reader.load_sheet(sheet, header_row=None, skip_rows=0, n_rows=rows, dtypes="string")
        except fastexcel.FastExcelError:
            return None
        frame = loaded.to_polars()
        texts = pl.all().str.replace(_MIDNIGHT, "$1").str.replace(_CLOCK, "$1").str.replace(_DURATION, "$1:$2:$3").fill_null("")
        return frame.select(texts) if frame.width else None


def _check_kind(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
    what = next((what for name, what in _MEMBERS.items() if name in names), "an unknown kind of document")
    if what is not None:
        raise FileFormatError(f"This is {what}.", code="not_a_table")


def _call(make: Any) -> Any:  # noqa: ANN401 - the library's own types
    try:
        return make()
    except fastexcel.FastExcelError as error:
        reason = str(error).splitlines()[0]
        raise FileFormatError(
            f"The workbook can't be read ({reason}). Save it again, or as CSV.", code="damaged_workbook"
        ) from error


def find_sheets(data: bytes) -> Iterator[tuple[InnerTable, bytes, bool]]:
    """Yield each sheet with cells: the table, its first rows as CSV, and whether these are all."""
    workbook = Workbook(data)
    for name in workbook.sheets[:SHEETS_LIMIT]:
        frame = workbook.read_rows(name, rows=SAMPLE_ROWS)
        if frame is not None and frame.height:
            table = InnerTable("workbook", name=name, others=tuple(other for other in workbook.sheets if other != name))
            yield table, b"".join(_write(frame)), frame.height < SAMPLE_ROWS


def transcode_sheet(data: bytes, table: InnerTable) -> Iterator[bytes]:
    """Yield all rows of a sheet as CSV. Raises: FileFormatError."""
    frame = Workbook(data).read_rows(table.name)
    if frame is None:
        raise FileFormatError(f"The workbook has no sheet {table.name!r} with cells.", code="damaged_workbook")
    yield from _write(frame)


def _write(frame: pl.DataFrame) -> Iterator[bytes]:
    for page in frame.iter_slices(_ROWS):
        yield write_rows([row if any(row) else () for row in page.iter_rows()])
