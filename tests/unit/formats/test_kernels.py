"""The compiled readers: what they give equals what Python reads; what they leave open is never wrong, only open."""

import math
from datetime import datetime, timedelta

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from loader.formats.kernels import MOST_NAMES, Letters, Places, number_names, read_numbers, read_points, read_stamps
from loader.formats.times import MISSING

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock


def lay(fields: list[bytes]) -> tuple[Letters, Places, Places]:
    """Fields in one buffer, each with a comma behind it."""
    lengths = np.array([len(field) + 1 for field in fields])
    ends = np.cumsum(lengths) - 1
    return np.frombuffer(b",".join([*fields, b""]), np.uint8), ends - lengths + 1, ends


def read(text: str) -> float:
    return float(read_numbers(*lay([text.encode()]), ord("."))[0])


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
    codes, firsts = number_names(*lay([name.encode() for name in names]))
    distinct = list(dict.fromkeys(names))
    assert [names[row] for row in firsts] == distinct
    assert [distinct[code] for code in codes] == names


def test_too_many_names_are_none() -> None:
    fields = [str(number).encode() for number in range(MOST_NAMES + 1)]
    assert len(number_names(*lay(fields[:-1]))[1]) == MOST_NAMES
    assert len(number_names(*lay(fields))[1]) == 0
