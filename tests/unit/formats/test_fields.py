"""Empty fields behind the last, and NUL bytes wherever they stand."""

import gzip

import pytest

from loader.formats import LoadOptions, inspect_format
from shared.platform.errors import FileFormatError
from tests.unit.formats.loading import load_bytes

HEAD = "start_lng,start_lat,end_lng,end_lat,started_at,note"
ROW = "7.6,45.0,7.7,45.1,2018-05-28 09:03:40,fine"


def join(*rows: str, end: str = "\n") -> bytes:
    return (end.join(rows) + end).encode()


@pytest.mark.parametrize("tail", [",", ",,", ', ,""', ",,,,,"])
@pytest.mark.parametrize(("longer", "exact"), [(9, 1), (1, 9), (5, 5), (10, 0)])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_empty_fields_behind_the_last_are_dropped(tail: str, longer: int, exact: int, end: str) -> None:
    rows = [ROW + tail] * longer + [ROW] * exact
    loaded = load_bytes(join(HEAD, *rows, end=end), batch_bytes=120)
    assert (loaded.rows, loaded.trips.height, len(loaded.plan.columns)) == (10, 10, 6)
    assert loaded.trips["origin_longitude"].to_list() == [7.6] * 10


def test_fields_that_hold_something_are_not_dropped() -> None:
    rows = [ROW + ",,"] * 6 + [ROW, ROW + ",x", ROW + ",,x", ROW + ",,,", ROW.removesuffix(",fine"), ROW + ",0"]
    loaded = load_bytes(join(HEAD, *rows))
    assert loaded.rejects.select("line", "reason", "value").rows() == [
        (9, "field_count", "7"),
        (10, "field_count", "8"),
        (12, "field_count", "5"),
        (13, "field_count", "7"),
    ]
    assert loaded.trips.height == 8


def test_a_header_with_empty_names_behind_the_last() -> None:
    for rows in ([ROW] * 4, [ROW + ",,"] * 4, [ROW + ",,", ROW, ROW + ","]):
        loaded = load_bytes(join(HEAD + ",,", *rows))
        assert (loaded.trips.height, loaded.rejects.height) == (len(rows), 0)
    assert load_bytes(join(HEAD + ",", *[ROW + ",7"] * 4)).trips.height == 4


def test_names_of_rows_are_still_no_columns() -> None:
    for value in ("fine", ""):
        rows = [f"{number},{ROW.removesuffix('fine')}{value}" for number in range(1, 9)]
        loaded = load_bytes(join(HEAD, *rows))
        assert loaded.trips["origin_longitude"].to_list() == [7.6] * 8


def test_the_last_field_of_a_longer_row_ends_where_it_ends() -> None:
    head = "note,start_lng,start_lat,end_lng,end_lat,started_at,region"
    rows = ['a,7.6,45.0,7.7,45.1,2018-05-28 09:03:40,"Tu,rin"', "a,7.6,45.0,7.7,45.1,2018-05-28 09:03:40,Turin"]
    loaded = load_bytes(join(head, rows[0] + ",,", rows[1] + ",,", rows[1], rows[0]))
    assert loaded.trips["region"].to_list() == ["Tu,rin", "Turin", "Turin", "Tu,rin"]


def test_nul_bytes_in_names_and_values() -> None:
    good = (ROW + "\n").encode()
    for head in (HEAD.replace("start_lat", "start\0_lat"), "\0" + HEAD, HEAD + "\0\0"):
        loaded = load_bytes((head + "\n").encode() + good * 3)
        assert loaded.trips.height == 3
        assert "\0" not in str(loaded.plan.to_json())
    for bad in (
        good.replace(b"09:03:40", b"09:03:40\0"),
        good.replace(b"7.6", b"\x007.6"),
        bytes(512) + b"\n",
        good[:-1] + bytes(9) + b"\n",
    ):
        for rows in (bad + good * 3, good * 3 + bad, good + bad + good * 2):
            data = (HEAD + "\n").encode() + rows
            loaded = load_bytes(data)
            assert (loaded.trips.height, loaded.rejects["reason"].to_list()) == (3, ["nul_byte"])
            shown = inspect_format(data, file_name="file", options=LoadOptions(), is_whole=True).to_json()
            assert "\0" not in str(shown)
            assert "\\x00" not in str(shown)


@pytest.mark.parametrize("size", [1, 512, 4_096, 100_000])
def test_a_hole_at_the_end_is_one_reject(size: int) -> None:
    data = join(HEAD, *[ROW] * 4) + bytes(size)
    for packed in (data, gzip.compress(data)):
        loaded = load_bytes(packed)
        assert (loaded.rows, loaded.trips.height, loaded.rejects["reason"].to_list()) == (5, 4, ["nul_byte"])


@pytest.mark.parametrize("row", ["Broadway, NY," + ROW, ROW.replace(":40,", ":40,000,"), ROW + ",1,2"])
def test_names_and_values_that_may_not_belong_together_are_asked_about(row: str) -> None:
    with pytest.raises(FileFormatError) as caught:
        load_bytes(join(HEAD, *[row] * 5))
    assert caught.value.error_code == "unnamed_fields"
    numbers = ("origin_longitude", "origin_latitude", "destination_longitude", "destination_latitude", "started_at")
    first = row.split(",").index("7.6") + 1
    roles = {role: str(first + at) for at, role in enumerate(numbers)}
    assert load_bytes(join(HEAD, *[row] * 5), options=LoadOptions(roles=roles)).trips.height == 5


def test_row_names_without_a_name_of_their_own_move_the_header_by_one() -> None:
    loaded = load_bytes(join(HEAD, *[f"{number},{ROW}" for number in range(5)]))
    assert loaded.trips["origin_longitude"].to_list() == [7.6] * 5
