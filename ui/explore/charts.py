"""Charts: weekly bars with their average, hours of the day. Colours come from the theme, so that both themes work.

Clock: weeks and hours are local wall clock of the trip. Charts know no zone: dates go in and come out as UTC.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, cast

import altair as alt

from shared.questions.weekly import WeekCount, WeeklyAnswer
from ui.explore.brushes import (
    Brush,
    Period,
    find_days,
    find_hours_brush,
    find_period,
    find_period_brush,
    find_weekdays_brush,
    is_chosen,
)
from ui.session.view import Hours
from ui.style.text import THIN_SPACE, format_average, format_count, format_day, format_hours, format_period, name_weekday

PERIOD_BRUSH: Final = "period"
HOURS_BRUSH: Final = "hours"
WEEKDAYS_BRUSH: Final = "weekdays"
CLICK: Final = "click"


_WEEK: Final = timedelta(days=7)
# More labels than this run into each other in a chart 450 pixels wide.
_LABELS: Final = 7
_YEAR_WEEKS: Final = 53
_BAR_SHARE: Final = 0.86
_BRUSH: Final = alt.BrushConfig(fill="gray", fillOpacity=0.15, stroke="gray", strokeOpacity=0.6)
_FAINT: Final = 0.25
_PARTIAL: Final = 0.55
_BARS: Final = "trips a week (partial weeks paler)"
_COUNT_TIP: Final = (alt.Tooltip("count:N", title="trips"),)


def make_weekly_chart(
    answer: WeeklyAnswer, all_weeks: WeeklyAnswer, *, other: WeeklyAnswer | None = None, height: int
) -> alt.LayerChart:
    """Bars of trips per week, partial weeks paler, weeks outside the period faint; the average as a line over the period.

    A brush along the weeks or a click on one chooses a period; the brush lies where the period is. other: a period to compare
    with, in a colour and with an average of its own.
    """
    period = find_period(answer, all_weeks)
    periods = [period, find_days(other)] if other else [period]
    names = [_name_series(each) for each in ([answer, other] if other else [answer])]
    rows = [_make_week_row(week, periods, names) for week in all_weeks.weeks]
    brush = _make_brush(PERIOD_BRUSH, find_period_brush(answer, all_weeks))
    x = alt.X("start:T", scale=alt.Scale(type="utc", nice=False), axis=_week_axis(all_weeks.weeks))
    bars = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(orient="vertical")
        .encode(
            x=x,
            x2="stop:T",
            y=alt.Y("trips:Q", axis=_count_axis()),
            y2=alt.datum(0),
            color=alt.Color("series:N", scale=alt.Scale(domain=names)) if other else alt.datum(_BARS),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
        )
        .add_params(brush)
    )
    targets = _make_targets(
        rows, x, [alt.Tooltip("label:N", title="week of"), *_COUNT_TIP, alt.Tooltip("note:N", title="covers")]
    )
    first, last = period or (all_weeks.weeks[0].week, all_weeks.weeks[-1].week + _WEEK)
    averages = [_make_average_row(answer, (first, last), names[0])]
    if other:
        averages.append(_make_average_row(other, periods[1], names[1]))
    lines = (
        alt.Chart(alt.InlineData(values=[row for row in averages if row]))
        .mark_rule(strokeWidth=2.5, strokeDash=[5, 3])
        .encode(
            x="start:T",
            x2="stop:T",
            y="average:Q",
            color=alt.Color("series:N") if other else alt.datum(f"average {format_average(answer.weekly_average)}"),
        )
    )
    return _finish([bars, lines, targets], height)


def make_hours_chart(hours: Sequence[int], chosen: Hours, *, height: int, is_still: bool = False) -> alt.LayerChart:
    """Bars of trips per hour of the day, hours outside the chosen ones faint; brush or click to choose hours, unless still."""
    rows = [
        _make_bar_row(hour, trips, label=format_hours(hour, hour + 1), is_faint=not is_chosen(hour, chosen))
        for hour, trips in enumerate(hours)
    ]
    axis = alt.Axis(
        title=None, values=list(range(0, 25, 4)), grid=False, labelExpr="format(datum.value, '02') + ':00'", labelPadding=4
    )
    x = alt.X("bin:Q", scale=alt.Scale(domain=[0, 24], nice=False), axis=axis)
    brush = None if is_still else _make_brush(HOURS_BRUSH, find_hours_brush(chosen))
    return _make_bars(rows, x, brush=brush, height=height)


def make_group_weeks_chart(weeks: Sequence[tuple[date, int]], *, height: int) -> alt.LayerChart:
    """Small bars of one trip group's trips per week."""
    counts = [WeekCount(week, trips, is_partial=False) for week, trips in weeks]
    rows = [_make_week_row(week, [None]) for week in counts]
    x = alt.X("start:T", scale=alt.Scale(type="utc", nice=False), axis=_week_axis(counts, labels=4))
    return _make_bars(rows, x, brush=None, height=height)


def make_weekdays_chart(weekdays: Sequence[int], chosen: Collection[int], *, height: int) -> alt.LayerChart:
    """Bars of trips per weekday, Monday first, those not chosen faint; brush or click to choose. Shape: 7 numbers."""
    rows = [
        _make_bar_row(day, trips, label=name_weekday(day), is_faint=day not in chosen)
        for day, trips in enumerate(weekdays, start=1)
    ]
    names = ", ".join(f"'{name_weekday(day)[:2]}'" for day in range(1, 8))
    axis = alt.Axis(
        title=None,
        values=[day + _BAR_SHARE / 2 for day in range(1, 8)],
        grid=False,
        ticks=False,
        labelExpr=f"[{names}][floor(datum.value) - 1]",
        labelOverlap=False,
        labelPadding=4,
    )
    x = alt.X("bin:Q", scale=alt.Scale(domain=[1, 8], nice=False), axis=axis)
    return _make_bars(rows, x, brush=_make_brush(WEEKDAYS_BRUSH, find_weekdays_brush(chosen)), height=height)


def describe_weekly_chart(answer: WeeklyAnswer, all_weeks: WeeklyAnswer, other: WeeklyAnswer | None = None) -> str:
    """The weekly chart in words, for those who can't see it."""
    weeks = ", ".join(f"{format_day(week.week)}: {format_count(week.trips)}" for week in all_weeks.weeks[:60])
    compared = f" and that of the other period, {format_average(other.weekly_average)}," if other else ""
    average = format_average(answer.weekly_average)
    return f"Bars of trips per week with the average {average}{compared} as a line. Week of {weeks}."


def describe_hours_chart(hours: Sequence[int]) -> str:
    """The hours chart in words."""
    peak = max(range(24), key=lambda hour: hours[hour])
    return f"Bars of trips per hour of the day; most, {format_count(hours[peak])}, between {format_hours(peak, peak + 1)}."


def describe_weekdays_chart(weekdays: Sequence[int]) -> str:
    """The weekdays chart in words."""
    return "Bars of trips per weekday: " + ", ".join(
        f"{name_weekday(day)} {format_count(trips)}" for day, trips in enumerate(weekdays, start=1)
    )


def _make_week_row(week: WeekCount, periods: Sequence[Period | None], names: Sequence[str] = ("",)) -> dict[str, Any]:
    """A week belongs to the first of the periods that it touches; None is all weeks, or in second place none."""
    inside = [n for n, days in enumerate(periods) if days and days[0] < week.week + _WEEK and week.week < days[1]]
    is_outside = not inside and periods[0] is not None
    return {
        "bin": week.week.isoformat(),
        "start": week.week.isoformat(),
        "stop": _end_week(week, _BAR_SHARE),
        "end": _end_week(week, 1),
        "trips": week.trips,
        "count": format_count(week.trips),
        "label": format_day(week.week),
        "note": "part of the week" if week.is_partial else "whole week",
        "series": names[inside[0] if inside else 0],
        # Paler beside another period, so that both averages stand out on their own bars.
        "opacity": _FAINT if is_outside else _PARTIAL if week.is_partial or len(periods) > 1 else 1,
    }


def _name_series(answer: WeeklyAnswer) -> str:
    period = format_period(answer.from_on, answer.to_on) if answer.from_on and answer.to_on else "no weeks"
    return f"{period}: {format_average(answer.weekly_average)}"


def _end_week(week: WeekCount, share: float) -> str:
    return (datetime.combine(week.week, datetime.min.time()) + _WEEK * share).isoformat() + "Z"


def _make_average_row(answer: WeeklyAnswer, period: Period | None, series: str) -> dict[str, Any] | None:
    if not period:
        return None
    return {
        "average": answer.weekly_average or 0,
        "start": period[0].isoformat(),
        "stop": period[1].isoformat(),
        "series": series,
    }


def _make_bar_row(number: int, trips: int, *, label: str, is_faint: bool) -> dict[str, Any]:
    return {
        "bin": number,
        "stop": number + _BAR_SHARE,
        "end": number + 1,
        "trips": trips,
        "count": format_count(trips),
        "label": label,
        "opacity": _FAINT if is_faint else 1,
    }


def _make_bars(rows: Sequence[dict[str, Any]], x: alt.X, *, brush: alt.Parameter | None, height: int) -> alt.LayerChart:
    bars = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(orient="vertical")
        .encode(
            x=x,
            x2="stop:T" if x.shorthand == "start:T" else "stop:Q",
            y=alt.Y("trips:Q", axis=_count_axis()),
            y2=alt.datum(0),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
        )
    )
    targets = _make_targets(rows, x, [alt.Tooltip("label:N", title="when"), *_COUNT_TIP], is_still=brush is None)
    return _finish([bars.add_params(brush) if brush else bars, targets], height)


def _make_targets(rows: Sequence[dict[str, Any]], x: alt.X, tooltip: list[alt.Tooltip], *, is_still: bool = False) -> alt.Chart:
    """Something to click and to point at over the whole height, so that low bars are as easy to hit as high ones."""
    end = "end:T" if x.shorthand == "start:T" else "end:Q"
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(orient="vertical", opacity=0, cursor="default" if is_still else "pointer")
        .encode(x=x, x2=end, y=alt.value(0), y2=alt.value("height"), tooltip=tooltip)
    )
    return chart if is_still else chart.add_params(alt.selection_point(name=CLICK, fields=["bin"]))


def _make_brush(name: str, lies: Brush | None) -> alt.Parameter:
    value = {"x": [lies.start, lies.stop]} if lies else alt.Undefined
    return alt.selection_interval(name=name, encodings=["x"], mark=_BRUSH, value=value)  # type: ignore[arg-type]


def _date_time(day: date) -> alt.DateTime:
    return alt.DateTime(year=day.year, month=day.month, date=day.day, utc=True)


def _week_axis(weeks: Sequence[WeekCount], *, labels: int = _LABELS) -> alt.Axis:
    step = max(1, -(-len(weeks) // labels))
    values = [_date_time(week.week) for week in weeks[::step]]
    return alt.Axis(
        title=None, values=values, grid=False, labelPadding=4, format="%-d %b" if len(weeks) <= _YEAR_WEEKS else "%b %Y"
    )


def _count_axis() -> alt.Axis:
    # 4 500 as it is, 450k and 12M short.
    label = f"replace(format(datum.value, datum.value < 1e5 ? ',' : '~s'), ',', '{THIN_SPACE}')"
    return alt.Axis(title=None, tickCount=3, tickMinStep=1, labelExpr=label, labelPadding=4, minExtent=34)


def _finish(layers: Sequence[alt.Chart], height: int) -> alt.LayerChart:
    chart = cast("alt.LayerChart", alt.layer(*layers))
    padding = {"left": 0, "right": 4, "top": 2, "bottom": 0}
    finished: alt.LayerChart = chart.properties(height=height, padding=padding).configure_legend(
        orient="top", direction="horizontal", title=None, labelLimit=400, offset=2, padding=0
    )
    return finished
