"""Workbooks: sheets, titles, dates and times in cells, and what is broken or hostile in them."""

import io
import time as clock
import zipfile
from datetime import datetime
from typing import Any

import pytest

from loader.formats import SAMPLE_BYTES, LoadOptions, inspect_format
from shared.platform.errors import FileFormatError
from tests.unit.formats.loading import load_bytes
from tests.unit.formats.test_json import check_ends
from tests.workbook_maker import make_ods, make_raw_xlsx, make_xls, make_xlsx, pack, pack_ods, sheet_xml

HEADER = ["started_at", "start_lat", "start_lng", "end_lat", "end_lng", "region"]
STARTS = tuple(map(datetime.fromisoformat, ("2024-03-19 08:12", "2024-03-20 17:45:10", "2024-03-21 00:05:59")))
ENDS = ((40.7407, -73.9919, 40.6959, -73.9938), (40.7516, -73.9776, 40.7794, -73.9512), (40.7128, -74.006, 40.758, -73.9855))
ROWS: list[list[Any]] = [[start, *ends, "New York"] for start, ends in zip(STARTS, ENDS, strict=True)]
TABLE = [HEADER, *ROWS]
APART = [
    ["date", "time", *HEADER[1:]],
    *([start.date(), start.time(), *row[1:]] for start, row in zip(STARTS, ROWS, strict=True)),
]

SHEETS: dict[str, list[list[Any]]] = {
    "plain": TABLE,
    "title above": [["Trips of 2024"], [], ["source", "the operator"], *TABLE],
    "empty first column": [[None, *row] for row in TABLE],
    "empty rows between": [HEADER, [], ROWS[0], [], [], *ROWS[1:]],
    "dates as text": [HEADER, *([row[0].isoformat(" "), *row[1:]] for row in ROWS)],
    "numbers as text": [HEADER, *([row[0], *map(str, row[1:5]), row[5]] for row in ROWS)],
    "further columns": [[*HEADER, "paid", "note"], *([*row, True, 'a "quoted", cell\nof two lines'] for row in ROWS)],
    "notes below": [*TABLE],
}


@pytest.mark.parametrize("shape", SHEETS)
@pytest.mark.parametrize("make", [make_xlsx, make_ods])
def test_sheets(shape: str, make: Any) -> None:
    loaded = load_bytes(make({"Trips": SHEETS[shape]}), batch_bytes=80, chunk_bytes=999)
    check_ends(loaded)
    assert loaded.trips["started_at"].to_list() == list(STARTS)
    assert set(loaded.trips["region"]) == {"New York"}


def test_a_binary_workbook_of_excel_97() -> None:
    rows = [
        ["started_at", "start_lat", "start_lng", "end_lat", "end_lng"],
        [datetime.fromisoformat("2024-03-19 08:12:00"), 40.7407, -73.9919, 40.6959, -73.9938],
        [datetime.fromisoformat("2024-03-20 17:45:10"), 40.7516, -73.9776, 40.7794, -73.9512],
    ]
    loaded = load_bytes(make_xls(rows))
    assert [str(start) for start in loaded.trips["started_at"]] == ["2024-03-19 08:12:00", "2024-03-20 17:45:10"]
    assert loaded.trips["origin_longitude"].to_list() == [-73.9919, -73.9776]
    assert loaded.rejects.height == 0


def test_a_damaged_binary_workbook_is_refused_by_name() -> None:
    with pytest.raises(FileFormatError) as caught:
        load_bytes(make_xls([["started_at"], ["2024-03-19 08:12:00"]])[:700])
    assert caught.value.error_code == "damaged_workbook"


def test_date_and_clock_apart() -> None:
    loaded = load_bytes(make_xlsx({"Trips": APART}))
    assert loaded.trips["started_at"].to_list() == list(STARTS)


def test_merged_title_and_the_calendar_of_old_macs() -> None:
    data = make_xlsx({"Trips": [[], [], *TABLE]}, merged=["A1:F1"], default_date_format="dd.mm.yyyy hh:mm", date_1904=True)
    loaded = load_bytes(data)
    check_ends(loaded)
    assert loaded.trips["started_at"].to_list() == list(STARTS)


def test_dates_keep_seconds_and_days_keep_midnight() -> None:
    starts = list(map(datetime.fromisoformat, ("2024-03-19", "2024-03-19 23:59:59", "2024-03-19 12:00:00.500")))
    rows = [[start, *ends, "New York"] for start, ends in zip(starts, ENDS, strict=True)]
    assert load_bytes(make_xlsx({"Trips": [HEADER, *rows]})).trips["started_at"].to_list() == starts


def test_lines_are_rows_of_the_sheet() -> None:
    rows = [["Title"], [], HEADER, ROWS[0], [], [STARTS[1], 95, 7, 45, 7, "a\nb"], ROWS[2], [None, *ROWS[1][1:]]]
    for make in (make_xlsx, make_ods):
        loaded = load_bytes(make({"Trips": rows}), batch_bytes=70)
        found = loaded.rejects.select("line", "record", "reason").rows()
        assert found == [(6, 2, "origin_out_of_range"), (8, 4, "started_at_missing")]


def test_the_first_sheet_with_trips_is_read() -> None:
    data = make_xlsx(
        {"About": [["Trips of a city"], ["2024"]], "Stations": [["id", "lat", "lon"], [1, 40.7, -74]], "März 24": TABLE}
    )
    inspection = inspect_format(data, file_name="f.xlsx", options=LoadOptions(), is_whole=True)
    assert inspection.plan.table is not None
    assert inspection.plan.table.name == "März 24"
    assert "'März 24'; it holds besides: About, Stations" in inspection.notes[0]
    check_ends(load_bytes(data))
    check_ends(load_bytes(data, options=LoadOptions(sheet="märz 24")))
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data, options=LoadOptions(sheet="April"))
    assert caught.value.error_code == "no_such_sheet"
    assert [choice["label"] for choice in caught.value.facts["choices"]] == ["About", "Stations", "März 24"]


def test_a_large_workbook_is_not_inspected_by_its_beginning() -> None:
    data = make_xlsx({"Trips": TABLE})
    inspection = inspect_format(data[:1000], file_name="f.xlsx", options=LoadOptions(), is_whole=False)
    assert inspection.rows.rows_read == 0
    assert "It can be loaded as it is: what it leaves open is asked then" in inspection.notes[0]
    assert "save the sheet with the trips as CSV" in inspection.notes[0]


def test_more_rows_than_the_sample_has() -> None:
    rows = [ROWS[number % 3] for number in range(5_000)]
    data = make_xlsx({"Trips": [HEADER, *rows]})
    loaded = load_bytes(data, batch_bytes=50_000)
    assert (loaded.rows, loaded.trips.height) == (5_000, 5_000)
    assert len(loaded.pieces) > 5


CELL = '<row r="{0}"><c r="{1}{0}" t="inlineStr"><is><t>x</t></is></c></row>'
LAUGHS = (
    '<!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefghi", "bcdefghij", strict=True))
    + "]>"
)


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (make_raw_xlsx(sheet_xml(CELL.format(1, "A") + CELL.format(1_048_576, "XFD"))), {"workbook_too_large"}),
        (make_raw_xlsx(sheet_xml(CELL.format(4_294_967_295, "A"))), {"workbook_too_large"}),
        (make_raw_xlsx(sheet_xml("<row r='9'><c\nr='ZZ900000'  t='n' ><v>1</v></c></row>")), {"workbook_too_large"}),
        (make_raw_xlsx(sheet_xml('<x:row r="9"><x:c s="a>b" r="ZZ900000"><x:v>1</x:v></x:c></x:row>')), {"workbook_too_large"}),
        (
            make_raw_xlsx(sheet_xml("<row>" + "<c><v>1</v></c>" * 20_000 + "</row>" + CELL.format(1_000_000, "A"))),
            {"workbook_too_large"},
        ),
        (make_raw_xlsx(sheet_xml('<row r="1"><c r="' + "A" * 3_000_000)), {"damaged_workbook"}),
        (make_raw_xlsx(b" " * (1100 * 2**20)), {"workbook_too_large"}),
        (make_raw_xlsx(LAUGHS + sheet_xml('<row r="1"><c r="A1" t="inlineStr"><is><t>&j;</t></is></c></row>')), None),
        (make_raw_xlsx(sheet_xml("<row><row><row>")), None),
        (make_raw_xlsx(b"\xff\xfe\x00junk"), None),
        (make_raw_xlsx(sheet_xml("")), None),
        (make_raw_xlsx(sheet_xml(""), **{f"xl/media/{number}.xml": "" for number in range(3_000)}), {"workbook_too_large"}),
        (make_xlsx({"Trips": TABLE})[:-100], {"damaged_workbook"}),
        (make_xlsx({"Trips": TABLE})[:2_000] + bytes(500) + make_xlsx({"Trips": TABLE})[2_500:], None),
        (pack({"[Content_Types].xml": "<a/>", "word/document.xml": "<a/>"}), {"not_a_table"}),
        (pack({"[Content_Types].xml": "<a/>", "ppt/presentation.xml": "<a/>"}), {"not_a_table"}),
        (pack({"[Content_Types].xml": "<a/>", "xl/workbook.bin": "a"}), {"not_a_table"}),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5_000), {"damaged_workbook"}),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "EncryptedPackage".encode("utf-16-le"), {"encrypted_archive"}),
        (make_xlsx({"Trips": []}), {"empty_file"}),
        (make_xlsx({"Trips": [["a", "b"], [1, 2]]}), {"missing_roles"}),
    ],
    ids=range(21),
)
def test_hostile_workbooks(data: bytes, codes: set[str] | None) -> None:
    began = clock.process_time()
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data)
    assert "\n" not in caught.value.message
    assert codes is None or caught.value.error_code in codes
    assert clock.process_time() - began < 20


@pytest.mark.parametrize("repeated", ["rows", "columns"])
def test_a_spreadsheet_whose_cells_repeat(repeated: str) -> None:
    columns, lines = (30_000, 30_000) if repeated == "columns" else (1, 2_000_000_000)
    cell = f'<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="{columns}"/>'
    rows = f'<table:table-row table:number-rows-repeated="{lines}">{cell}</table:table-row>'
    with pytest.raises(FileFormatError) as caught:
        load_bytes(pack_ods(f'<office:spreadsheet><table:table table:name="a">{rows}</table:table></office:spreadsheet>'))
    assert caught.value.error_code == "workbook_too_large"


def test_comments_are_no_cells() -> None:
    rows = "".join(
        f'<row r="{number}">'
        + "".join(f'<c r="{chr(65 + column)}{number}"><v>{value}</v></c>' for column, value in enumerate(cells))
        + "</row><!-- <c r='XFD1048576'> it's -->"
        for number, cells in enumerate([[45370.5, 40.7, -73.9, 40.8, -73.8], [45371.5, 40.7, -73.9, 40.8, -73.8]], 1)
    )
    with pytest.raises(FileFormatError) as caught:
        load_bytes(make_raw_xlsx(sheet_xml(rows)))
    assert caught.value.error_code != "workbook_too_large"


def test_a_workbook_in_any_chunks() -> None:
    data = make_xlsx({"Trips": TABLE})
    for size in (1, 1000, len(data)):
        check_ends(load_bytes(data, chunk_bytes=size))


def test_members_are_measured_by_what_they_unpack_to() -> None:
    stream = io.BytesIO(make_xlsx({"Trips": TABLE}))
    with zipfile.ZipFile(stream) as archive:
        assert sum(member.file_size for member in archive.infolist()) < SAMPLE_BYTES
