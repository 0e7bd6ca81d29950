"""The compiled readers: what they give equals what Python reads; what they leave open is never wrong, only open."""

import math
import re
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loader.formats.model.time_format import MISSING
from loader.formats.text.kernels import (
    MOST_NAMES,
    Bytes,
    Offsets,
    dictionary_encode,
    find_both,
    read_numbers,
    read_points,
    read_stamps,
)

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock


def lay(fields: list[bytes]) -> tuple[Bytes, Offsets, Offsets]:
    """Fields in one buffer, each with a comma behind it."""
    lengths = np.array([len(field) + 1 for field in fields])
    ends = np.cumsum(lengths) - 1
    return np.frombuffer(b",".join([*fields, b""]), np.uint8), ends - lengths + 1, ends


def lay_anywhere(field: bytes, before: bytes, behind: bytes) -> tuple[Bytes, Offsets, Offsets]:
    """One field with letters before and behind it, also at a buffer's very beginning or end."""
    start = np.array([len(before)])
    return np.frombuffer(before + field + behind, np.uint8), start, start + len(field)


def read(text: str) -> float:
    return float(read_numbers(*lay([text.encode()]), ord("."))[0])


@pytest.mark.slow
@given(st.lists(st.from_regex(r"-?[0-9]{1,25}(\.[0-9]{1,25})?", fullmatch=True), min_size=1))
@example(["000000000000000000.0"])
def test_numbers_are_those_nearest_to_what_is_written(texts: list[str]) -> None:
    found = read_numbers(*lay([text.encode() for text in texts]), ord("."))
    for text, value in zip(texts, found.tolist(), strict=True):
        digits = len(text.replace("-", "").replace(".", ""))  # leading zeros too
        if math.isnan(value):
            assert digits > 18 or len(text.partition(".")[2]) > 22
        else:
            assert value == float(text)


# Letters that numbers are made of or that lie beside digits in ASCII, and digits that belong to no field.
NUMBER_LETTERS = st.text("0123456789.-+/:, e\x00\xff)", max_size=70).map(lambda text: text.encode("latin-1"))
PLAIN = re.compile(rb"-?([0-9]+)(?:\.([0-9]+))?")


def read_plainly(field: bytes) -> float:
    """The reference: a plain number of at most 18 digits; NaN for anything else."""
    found = PLAIN.fullmatch(field)
    if found is None or len(found[1]) + len(found[2] or b"") > 18:
        return math.nan
    return float(field)


@given(
    st.one_of(NUMBER_LETTERS, st.from_regex(rb"-?[0-9]{1,25}(\.[0-9]{0,25})?", fullmatch=True)), NUMBER_LETTERS, NUMBER_LETTERS
)
@example(b"1", b"", b"")
@example(b"12345678", b"", b"9")
@example(b"0.12345678901234567", b"", b"")
@example(b"123456789012345678", b"9", b"9")
@example(b"-", b"", b"1")
@example(b"", b"", b"")
def test_numbers_are_read_the_same_wherever_they_lie(field: bytes, before: bytes, behind: bytes) -> None:
    [found] = read_numbers(*lay_anywhere(field, before, behind), ord("."))
    np.testing.assert_equal(found, read_plainly(field))
    assert math.copysign(1, found) == math.copysign(1, read_plainly(field)) or math.isnan(found)


@given(
    st.lists(st.sampled_from([b"POINT (", b"POINT(", b" ", b"  ", b")", b"-1", b"12.5", b"0" * 25, b"1234567.12345678901", b"x"]))
)
@example([b"POINT (", b"-179.123456789012345", b" ", b"-89.1234567890123456", b")"])
@example([b"POINT (", b"12.5", b" ", b"0" * 60, b")"])
def test_points_are_read_the_same_wherever_they_lie(parts: list[bytes]) -> None:
    field = b"".join(parts)
    found = re.fullmatch(rb"POINT ?\(([^ ]*) ([^ ]*)\)", field)
    wanted = (read_plainly(found[1]), read_plainly(found[2])) if found else (math.nan, math.nan)
    if math.isnan(sum(wanted)):
        wanted = (math.nan, math.nan)
    for before, behind in ((b"", b""), (b"", b"0" * 64), (b"1" * 64, b"")):
        [x], [y] = read_points(*lay_anywhere(field, before, behind))
        np.testing.assert_equal((x, y), wanted)


@given(st.floats(-180, 180))
@example(-0.0)
@example(179.99999999999997)
def test_what_python_writes_comes_back(value: float) -> None:
    text = repr(value)
    found = read(text)
    assert found == value or (math.isnan(found) and ("e" in text or len(text) > 18))


def test_other_ways_to_write_a_number_stay_open() -> None:
    others = ["", "-", ".", "5.", ".5", "+5", "1e5", "1 ", " 1", "1,5", "1.5.2", "0x10", "nan", "inf", "1_0", "٣"]
    assert all(math.isnan(read(text)) for text in others)


@given(
    st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90), st.sampled_from(["POINT (%s %s)", "POINT(%s %s)"])), min_size=1)
)
def test_points(points: list[tuple[float, float, str]]) -> None:
    first, second = read_points(*lay([(form % (f"{x:.12f}", f"{y:.9f}")).encode() for x, y, form in points]))
    assert first.tolist() == [float(f"{x:.12f}") for x, _, _ in points]
    assert second.tolist() == [float(f"{y:.9f}") for _, y, _ in points]


def test_other_points_stay_open() -> None:
    others = [
        b"",
        b"POINT",
        b"POINT (1 2",
        b"POINT (1  2)",
        b"POINT (1)",
        b"POINT (1 2 3)",
        b"point (1 2)",
        b"POINT Z(1 2)",
        b"POINT (1 b)",
    ]
    first, second = read_points(*lay(others))
    assert np.isnan(first).all()
    assert np.isnan(second).all()


@given(st.lists(st.datetimes(), min_size=1), st.sampled_from("T "))
def test_times(moments: list[datetime], separator: str) -> None:
    found = read_stamps(*lay([moment.isoformat(separator).encode() for moment in moments]))
    assert found.tolist() == [(moment - EPOCH) // timedelta(microseconds=1) for moment in moments]


@given(st.from_regex(r"[0-3][0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?", fullmatch=True))
@example("1900-02-29 00:00:00")
@example("2000-02-29 23:59:59.9")
@example("0000-01-01 00:00:00")
def test_only_dates_of_the_calendar_are_times(text: str) -> None:
    try:
        wanted = (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)
    except ValueError:
        wanted = MISSING
    assert read_stamps(*lay([text.encode()]))[0] == wanted


def test_other_times_stay_open() -> None:
    others = [
        b"",
        b"2018-05-28",
        b"2018-05-28 09:03",
        b"2018-05-28 09:03:40Z",
        b"2018-05-28 09:03:40.",
        b"2018-05-28 09:03:40.1234567",
    ]
    others += [
        b"2018/05/28 09:03:40",
        b"28-05-2018 09:03:40",
        b"2018-05-28 24:00:00",
        b"2018-05-28 09:03:4a",
        b"2018-05-28 09:03:40.-1",
    ]
    assert (read_stamps(*lay(others)) == MISSING).all()


@given(st.lists(st.sampled_from(["Prague", "Prag", "", "Turin", "Hamburg", "Turin "]), min_size=1))
def test_names_are_numbered_as_they_come(names: list[str]) -> None:
    codes, firsts = dictionary_encode(*lay([name.encode() for name in names]))
    distinct = list(dict.fromkeys(names))
    assert [names[row] for row in firsts] == distinct
    assert [distinct[code] for code in codes] == names


@given(st.lists(st.binary(max_size=30), min_size=1), st.lists(st.text("ab", max_size=26).map(str.encode), min_size=1))
@example([b"12345678", b"123456789", b"", b"\0", b"\0\0", b"x12345678", b"y12345678"], [b"a" * 8, b"a" * 16, b"a" * 17])
def test_names_of_all_lengths_are_told_apart(some: list[bytes], kindred: list[bytes]) -> None:
    names = some + kindred + some[::-1]
    codes, firsts = dictionary_encode(*lay(names))
    distinct = list(dict.fromkeys(names))
    assert [names[row] for row in firsts] == distinct
    assert [distinct[code] for code in codes] == names


@given(st.lists(st.sampled_from([b",", b"\n", b"a", b"-" * 31, b"x" * 63, b"\x8a", b"\xac", b",\n" * 40])).map(b"".join))
@example(b"\n" * 64 + b",")
@example(b"a" * 127 + b"\n")
def test_letters_are_found_in_order(data: bytes) -> None:
    feeds, commas = find_both(np.frombuffer(data, np.uint8), ord("\n"), ord(","))
    assert feeds.tolist() == [place for place, letter in enumerate(data) if letter == ord("\n")]
    assert commas.tolist() == [place for place, letter in enumerate(data) if letter == ord(",")]


def test_too_many_names_are_none() -> None:
    fields = [str(number).encode() for number in range(MOST_NAMES + 1)]
    assert len(dictionary_encode(*lay(fields[:-1]))[1]) == MOST_NAMES
    assert len(dictionary_encode(*lay(fields))[1]) == 0
