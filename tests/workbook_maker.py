"""Workbooks for tests: Excel by XlsxWriter, OpenDocument by hand, and hostile ones of XML as it is given."""

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.sax.saxutils import escape

import xlsxwriter

Rows = Sequence[Sequence[Any]]
FORMATS = {datetime: "yyyy-mm-dd hh:mm:ss", date: "dd/mm/yyyy", time: "hh:mm"}


def make_xlsx(sheets: Mapping[str, Rows], *, merged: Iterable[str] = (), **options: Any) -> bytes:
    """Make a workbook. A cell is a text, number, date, datetime, time, bool or None. merged: ranges of the first sheet."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, **options})
    formats = {kind: book.add_format({"num_format": form}) for kind, form in FORMATS.items()}
    for number, (name, rows) in enumerate(sheets.items()):
        sheet = book.add_worksheet(name)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, (datetime, date, time)):
                    sheet.write_datetime(row, column, cell, formats[type(cell)])
                elif cell is not None:
                    sheet.write(row, column, cell)
        for place in merged if number == 0 else ():
            sheet.merge_range(place, "Trips of 2024")
    book.close()
    return stream.getvalue()


def make_ods(sheets: Mapping[str, Rows]) -> bytes:
    """Make an OpenDocument spreadsheet, with the many empty rows at each sheet's end that LibreOffice writes."""
    tables = "".join(
        f'<table:table table:name="{name}">{"".join(map(_ods_row, rows))}'
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/>'
        "</table:table-row></table:table>"
        for name, rows in sheets.items()
    )
    return pack_ods(f"<office:spreadsheet>{tables}</office:spreadsheet>")


def pack_ods(spreadsheet: str) -> bytes:
    spaces = {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    }
    names = " ".join(f'xmlns:{name}="{space}"' for name, space in spaces.items())
    content = f"<office:document-content {names}><office:body>{spreadsheet}</office:body></office:document-content>"
    return pack(
        {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content, "META-INF/manifest.xml": "<a/>"}
    )


def _ods_row(cells: Sequence[Any]) -> str:
    return f"<table:table-row>{''.join(map(_ods_cell, cells))}</table:table-row>"


def _ods_cell(cell: Any) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, bool):
        return f'<table:table-cell office:value-type="boolean" office:boolean-value="{str(cell).lower()}"/>'
    if isinstance(cell, (datetime, date)):
        return f'<table:table-cell office:value-type="date" office:date-value="{cell.isoformat()}"/>'
    if isinstance(cell, time):
        value = f"PT{cell.hour:02}H{cell.minute:02}M{cell.second:02}S"
        return f'<table:table-cell office:value-type="time" office:time-value="{value}"><text:p>x</text:p></table:table-cell>'
    if isinstance(cell, (int, float)):
        return f'<table:table-cell office:value-type="float" office:value="{cell}"><text:p>{cell}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'


def make_raw_xlsx(sheet: str | bytes, **others: str | bytes) -> bytes:
    """Make a workbook whose one sheet is the XML given."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006"
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{packages}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r1" '
        f'Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="Trips" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r1" '
        f'Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
    }
    return pack({**members, **others})


def pack(members: Mapping[str, str | bytes]) -> bytes:
    """Pack members into a zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return stream.getvalue()


def sheet_xml(cells: str) -> str:
    """A sheet's XML around its rows."""
    return (
        f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{cells}</sheetData></worksheet>'
    )


def make_xls(rows: Rows) -> bytes:
    """Make a binary workbook of Excel 97 (BIFF8 in a compound file) with one sheet, Trips, of texts, numbers and datetimes."""
    head = _biff(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    formats = _biff(0x00E0, bytes(20)) + _biff(0x00E0, struct.pack("<HH", 0, 22) + bytes(16))  # General; 22 is a date and time
    bound = _biff(0x0085, struct.pack("<IHBB", len(head) + len(formats) + 4 + 8 + 5 + 4, 0, 5, 0) + b"Trips")
    cells = b"".join(_xls_cell(row, column, cell) for row, line in enumerate(rows) for column, cell in enumerate(line))
    size = struct.pack("<IIHHH", 0, len(rows), 0, len(rows[0]), 0)
    sheet = _biff(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0)) + _biff(0x0200, size) + cells + _biff(0x000A, b"")
    book = head + formats + bound + _biff(0x000A, b"") + sheet
    return _compound("Workbook", book.ljust(max(4096, -(-len(book) // 512) * 512), b"\0"))


def _biff(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _xls_cell(row: int, column: int, cell: Any) -> bytes:
    if isinstance(cell, datetime):
        days = (cell - datetime.fromisoformat("1899-12-30")) / timedelta(days=1)
        return _biff(0x0203, struct.pack("<HHHd", row, column, 1, days))
    if isinstance(cell, (int, float)):
        return _biff(0x0203, struct.pack("<HHHd", row, column, 0, cell))
    return _biff(0x0204, struct.pack("<HHHHB", row, column, 0, len(cell), 1) + cell.encode("utf-16-le"))


def _compound(name: str, stream: bytes) -> bytes:
    """Pack one stream of 512-byte sectors into a compound file: a FAT sector, a directory sector, the stream."""
    sectors, end, free = len(stream) // 512, 0xFFFFFFFE, 0xFFFFFFFF
    fat = [0xFFFFFFFD, end, *(number + 3 for number in range(sectors - 1)), end]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<109I", 0, *[free] * 108)
    entries = _entry("Root Entry", 5, end, 0, child=1) + _entry(name, 2, 2, len(stream)) + _entry("", 0, 0, 0) * 2
    return header + struct.pack("<128I", *fat, *[free] * (128 - len(fat))) + entries + stream


def _entry(name: str, kind: int, start: int, size: int, *, child: int = 0xFFFFFFFF) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0" if name else b""
    links = struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child)
    return text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1) + links + bytes(36) + struct.pack("<IQ", start, size)
