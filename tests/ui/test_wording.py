"""Numbers, dates and sentences."""

from datetime import date, timedelta

import pytest

from shared.questions.weekly import WeekCount, WeeklyAnswer
from ui.style.text import (
    describe_area,
    describe_average,
    describe_empty,
    escape_markdown,
    format_average,
    format_bytes,
    format_count,
    format_duration,
    format_minutes,
    format_period,
)

THIN = "\N{NARROW NO-BREAK SPACE}"
MONDAY = date(2017, 12, 25)


def make_answer(trips: list[int], partial: tuple[int, ...] = ()) -> WeeklyAnswer:
    weeks = tuple(WeekCount(MONDAY + timedelta(weeks=n), count, n in partial) for n, count in enumerate(trips))
    return WeeklyAnswer(weeks, MONDAY, MONDAY + timedelta(weeks=len(trips), days=-1))


def test_numbers() -> None:
    assert format_count(1234567) == f"1{THIN}234{THIN}567"
    assert format_average(1234.56) == f"1{THIN}234.6"
    assert format_average(None) == "\N{EM DASH}"
    assert [format_bytes(size) for size in (0, 999, 1000, 12_839, 999_960, 648_000_000, 2_000_000_000_000)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "12.8 kB",
        "1.0 MB",
        "648.0 MB",
        "2.0 TB",
    ]
    assert [format_duration(s) for s in (0.04, 9.96, 59.6, 185, 7800)] == ["0.0 s", "10.0 s", "60 s", "3 min 05 s", "2 h 10 min"]


def test_dates_and_hours() -> None:
    assert format_period(date(2018, 4, 30), date(2018, 6, 3)) == "30 Apr \N{EN DASH} 3 Jun 2018"
    assert format_period(MONDAY, date(2018, 1, 7)) == "25 Dec 2017 \N{EN DASH} 7 Jan 2018"
    assert format_minutes(1425, 15) == "23:45\N{EN DASH}24:00"


def test_an_average_is_spelled_out() -> None:
    words = describe_average(make_answer([10, 0, 20], partial=(0, 2)))
    assert words == (
        "30 trips over 3 weeks, 25 Dec 2017 \N{EN DASH} 14 Jan 2018; first and last week partial; "
        "1 week without trips counted as zero (15.0 over the others)."
    )
    assert "first week partial" in describe_average(make_answer([10, 10], partial=(0,)))
    assert "first week partial." in describe_average(make_answer([10], partial=(0,)))
    assert "partial" not in describe_average(make_answer([10, 10]))
    assert describe_average(WeeklyAnswer((), None, None)) == "There is no week to average over."


def test_areas() -> None:
    assert describe_area(None, None, "both") == "all trips"
    assert describe_area("Turin", "the box", "both") == "trips that start and end in the box, region Turin"
    empty = describe_empty(make_answer([0]), area=describe_area(None, "the box", "origin"))
    assert empty == "No trips that start in the box between 25 Dec 2017 and 31 Dec 2017."


@pytest.mark.parametrize("text", ["a_b", "*a*", "[x](http://y)", ":red[x]", "$x$", "<b>", "`x`", "http://y"])
def test_what_others_wrote_stays_text(text: str) -> None:
    escaped = escape_markdown(text)
    assert escaped.replace("\\", "") == text
    assert all(escaped[place - 1] == "\\" for place, sign in enumerate(escaped) if sign in "_*[]()<>:$`")
