"""OpenDocument cells: how many cells a spreadsheet's XML stands for, where rows and cells are written once and repeated.

Empty ones at the end of a row or a table are repeated to the edges of the sheet by every program, and cost nothing.
"""

from typing import Final
from xml.parsers import expat

from shared.platform.errors import FileFormatError

_TABLE: Final = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_VALUE: Final = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 value-type"
_ROW, _CELLS = f"{_TABLE}table-row", (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_DIGITS: Final = 10  # of a number of repetitions; a sheet has 1,048,576 rows


class OdsCellCounter:
    """Count the cells of the largest sheet: its rows times the columns of its longest row."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._open
        self._parser.EndElementHandler = self._close
        self._rows = self._empty = self._columns = self._width = self._filled = 0
        self._repeated = 1
        self.cells = 0

    def add(self, piece: bytes) -> None:
        """Process the next bytes of the XML. Raises: FileFormatError where it is none."""
        try:
            self._parser.Parse(piece)
        except expat.ExpatError as error:
            raise FileFormatError(f"The workbook is damaged ({error}). Save it again.", code="damaged_workbook") from error

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        if name in _CELLS:
            self._width += _read_repeated(attributes, "columns")
            if _VALUE in attributes:
                self._filled = self._width
        elif name == _ROW:
            self._repeated = _read_repeated(attributes, "rows")
            self._width = self._filled = 0
        elif name == f"{_TABLE}table":
            self._rows = self._columns = self._empty = 0

    def _close(self, name: str) -> None:
        if name != _ROW:
            return
        self._empty += self._repeated
        if self._filled:
            self._rows, self._empty = self._rows + self._empty, 0
            self._columns = max(self._columns, self._filled)
            self.cells = max(self.cells, self._rows * self._columns)


def _read_repeated(attributes: dict[str, str], what: str) -> int:
    text = attributes.get(f"{_TABLE}number-{what}-repeated", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 10**_DIGITS
