"""Charts: what brushes mean, and that every length of data makes a chart."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.questions.weekly import WeekCount, WeeklyAnswer
from ui.explore.brushes import is_chosen, read_hours, read_period, read_weekdays
from ui.explore.charts import make_group_weeks_chart, make_hours_chart, make_weekdays_chart, make_weekly_chart

MONDAY = date(2018, 4, 30)


def in_ms(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000


def make_answer(weeks: int) -> WeeklyAnswer:
    counts = tuple(WeekCount(MONDAY + timedelta(weeks=n), n, False) for n in range(weeks))
    return WeeklyAnswer(counts, MONDAY, MONDAY + timedelta(weeks=weeks, days=-1))


@pytest.mark.parametrize(
    ("brushed", "period"),
    [
        ((date(2018, 5, 9), date(2018, 5, 16)), (date(2018, 5, 7), date(2018, 5, 20))),
        ((date(2018, 5, 7), date(2018, 5, 21)), (date(2018, 5, 7), date(2018, 5, 20))),
        ((date(2018, 5, 16), date(2018, 5, 9)), (date(2018, 5, 7), date(2018, 5, 20))),
    ],
)
def test_a_brush_takes_the_weeks_it_touches(brushed: tuple[date, date], period: tuple[date, date]) -> None:
    assert read_period([in_ms(day) for day in brushed]) == period


def test_an_empty_brush_is_no_period() -> None:
    assert read_period([]) is None
    assert read_hours([]) is None


def test_a_brush_takes_the_hours_it_touches() -> None:
    assert read_hours([7.2, 9.01]) == (7, 10)
    assert read_hours([26.0, -1.0]) == (0, 24)


def test_a_brush_takes_the_weekdays_it_touches() -> None:
    assert read_weekdays([6.1, 7.5]) == {6, 7}
    assert read_weekdays([8.0, 1.0]) == set(range(1, 8))
    assert read_weekdays([]) is None


def test_hours_over_midnight() -> None:
    assert [hour for hour in range(24) if is_chosen(hour, (22, 2))] == [0, 1, 22, 23]
    assert [hour for hour in range(24) if is_chosen(hour, (7, 9))] == [7, 8]


@pytest.mark.parametrize("weeks", [1, 5, 53, 700])
def test_charts_are_valid_and_labels_few(weeks: int) -> None:
    answer = make_answer(weeks)
    chart = make_weekly_chart(answer, answer, height=100).to_dict()
    assert len(chart["layer"][0]["encoding"]["x"]["axis"]["values"]) <= 7
    make_hours_chart([0] * 24, (22, 6), height=100).to_dict()
    make_weekdays_chart([0] * 7, {1, 3}, height=100).to_dict()
    make_group_weeks_chart([(week.week, week.trips) for week in answer.weeks], height=100).to_dict()


def test_the_average_spans_the_period_and_other_weeks_are_faint() -> None:
    everything = make_answer(5)
    part = WeeklyAnswer(everything.weeks[1:3], date(2018, 5, 7), date(2018, 5, 20))
    chart = make_weekly_chart(part, everything, height=100).to_dict()
    [bars, line, _] = (list(chart["datasets"][layer["data"]["name"]]) for layer in chart["layer"])
    assert [bar["opacity"] == 1 for bar in bars] == [False, True, True, False, False]
    assert (line[0]["start"], line[0]["stop"]) == ("2018-05-07", "2018-05-21")


def test_two_periods_are_two_series_with_an_average_each() -> None:
    everything = make_answer(5)
    first = WeeklyAnswer(everything.weeks[1:3], date(2018, 5, 7), date(2018, 5, 20))
    other = WeeklyAnswer(everything.weeks[3:], date(2018, 5, 21), date(2018, 6, 3))
    chart = make_weekly_chart(first, everything, other=other, height=100).to_dict()
    [bars, lines, _] = (list(chart["datasets"][layer["data"]["name"]]) for layer in chart["layer"])
    names = [line["series"] for line in lines]
    assert [(line["start"], line["average"]) for line in lines] == [("2018-05-07", 1.5), ("2018-05-21", 3.5)]
    assert [bar["series"] for bar in bars[1:]] == [names[0], names[0], names[1], names[1]]
    assert [bar["opacity"] > 0.5 for bar in bars] == [False, True, True, True, True]
