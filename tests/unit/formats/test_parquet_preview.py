"""A large Parquet file is looked at by its end and by the first pages of the columns that matter."""

import pytest

from loader.formats import FileParts, Inspection, LoadOptions, inspect_format, inspect_parts
from loader.formats.parquet.preview import PREVIEW_ROWS
from shared.platform.errors import RequestError
from tests.large_parquet import write_large_parquet


def list_ends(data: bytes) -> list[tuple[int, int]]:
    length = int.from_bytes(data[-8:-4], "little") + 8
    return [(0, 4), (len(data) - length, length)]


def look(data: bytes, ranges: list[tuple[int, int]]) -> Inspection:
    body = b"".join(data[at : at + length] for at, length in ranges)
    parts = FileParts.from_body(body, ranges, size=len(data))
    return inspect_parts(parts, file_name="trips.parquet", options=LoadOptions())


def test_the_end_tells_the_columns_and_what_else_is_wanted() -> None:
    data = write_large_parquet()
    first = look(data, list_ends(data))
    assert sorted(first.plan.roles) == sorted(
        inspect_format(data, file_name="a", options=LoadOptions(), is_whole=True).plan.roles
    )
    assert (first.rows.rows_read, first.notes) == (0, ("Its first rows are too large to be looked at.",))
    assert sum(length for _, length in first.wanted) < len(data) / 10, "the notes are left out"


def test_the_first_rows_come_as_from_the_whole_file() -> None:
    data = write_large_parquet()
    ends = list_ends(data)
    shown = look(data, [ends[0], *look(data, ends).wanted, ends[1]])
    whole = inspect_format(data, file_name="trips.parquet", options=LoadOptions(), is_whole=True)
    assert shown.rows.rows_read == PREVIEW_ROWS
    assert shown.rows.trips.equals(whole.rows.trips.head(PREVIEW_ROWS))
    assert (shown.wanted, shown.notes) == ((), whole.notes)
    assert shown.to_json()["suggested_region"] == "Turin"


def test_half_of_a_first_page_shows_no_rows() -> None:
    data = write_large_parquet()
    ends = list_ends(data)
    halves = [(at, length // 2) for at, length in look(data, ends).wanted]
    assert look(data, [ends[0], *halves, ends[1]]).rows.rows_read == 0


@pytest.mark.parametrize("ranges", [[(4, 4)], [(0, 3)], [(0, 4), (1_000, 4)], []])
def test_parts_that_are_none(ranges: list[tuple[int, int]]) -> None:
    with pytest.raises(RequestError):
        FileParts.from_body(b"PAR1", ranges, size=100)
