"""Charts: weekly bars with their average, hours of the day. Colours come from the theme, so that both themes work.

Clock: weeks and hours are local wall clock of the trip. Charts know no zone: dates go in and come out as UTC.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, cast

import altair as alt

from shared.weekly import WeekCount, WeeklyAnswer
from ui.view import WHOLE_DAY, Hours
from ui.wording import THIN_SPACE, format_average, format_count, format_day, format_hours

PERIOD_BRUSH: Final = "period"
HOURS_BRUSH: Final = "hours"

_WEEK: Final = timedelta(days=7)
# More labels than this run into each other in a chart 450 pixels wide.
_LABELS: Final = 7
_YEAR_WEEKS: Final = 53
_BAR_SHARE: Final = 0.86
_BRUSH: Final = alt.BrushConfig(fill="gray", fillOpacity=0.15, stroke="gray", strokeOpacity=0.6)
_FAINT: Final = 0.25
_PARTIAL: Final = 0.55


def make_weekly_chart(answer: WeeklyAnswer, all_weeks: WeeklyAnswer, *, height: int) -> alt.LayerChart:
    """Bars of trips per week, partial weeks paler, weeks outside the period faint; the average as a line over the period.

    A brush along the weeks chooses a period; it lies where the period is.
    """
    period = _find_period(answer, all_weeks)
    brush = alt.selection_interval(
        name=PERIOD_BRUSH,
        encodings=["x"],
        mark=_BRUSH,
        value={"x": [_date_time(edge) for edge in period]} if period else alt.Undefined,
    )
    bars = (
        alt.Chart(alt.InlineData(values=[_make_week_row(week, period) for week in all_weeks.weeks]))
        .mark_bar(orient="vertical")
        .encode(
            x=alt.X("start:T", scale=alt.Scale(type="utc", nice=False), axis=_week_axis(all_weeks.weeks)),
            x2="stop:T",
            y=alt.Y("trips:Q", axis=_count_axis()),
            y2=alt.datum(0),
            color=alt.datum("trips a week (partial weeks paler)"),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
            tooltip=[
                alt.Tooltip("label:N", title="week of"),
                alt.Tooltip("count:N", title="trips"),
                alt.Tooltip("note:N", title="covers"),
            ],
        )
        .add_params(brush)
    )
    first, last = period or (all_weeks.weeks[0].week, all_weeks.weeks[-1].week + _WEEK)
    average = {"average": answer.weekly_average or 0, "start": first.isoformat(), "stop": last.isoformat()}
    line = (
        alt.Chart(alt.InlineData(values=[average]))
        .mark_rule(strokeWidth=2, strokeDash=[5, 3])
        .encode(x="start:T", x2="stop:T", y="average:Q", color=alt.datum(f"average {format_average(answer.weekly_average)}"))
    )
    return _finish([bars, line], height)


def make_hours_chart(hours: Sequence[int], chosen: Hours, *, height: int) -> alt.LayerChart:
    """Bars of trips per hour of the day, hours outside the chosen ones faint; brush to choose hours."""
    rows = [
        {
            "hour": hour,
            "stop": hour + _BAR_SHARE,
            "trips": trips,
            "count": format_count(trips),
            "label": format_hours(hour, hour + 1),
            "opacity": 1 if is_chosen(hour, chosen) else _FAINT,
        }
        for hour, trips in enumerate(hours)
    ]
    is_part = chosen != WHOLE_DAY and chosen[0] < chosen[1]
    brush = alt.selection_interval(
        name=HOURS_BRUSH, encodings=["x"], mark=_BRUSH, value={"x": list(chosen)} if is_part else alt.Undefined
    )
    axis = alt.Axis(
        title=None, values=list(range(0, 25, 3)), grid=False, labelExpr="format(datum.value, '02') + ':00'", labelPadding=4
    )
    bars = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(orient="vertical")
        .encode(
            x=alt.X("hour:Q", scale=alt.Scale(domain=[0, 24], nice=False), axis=axis),
            x2="stop:Q",
            y=alt.Y("trips:Q", axis=_count_axis()),
            y2=alt.datum(0),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
            tooltip=[alt.Tooltip("label:N", title="hour"), alt.Tooltip("count:N", title="trips")],
        )
        .add_params(brush)
    )
    return _finish([bars], height)


def describe_weekly_chart(answer: WeeklyAnswer, all_weeks: WeeklyAnswer) -> str:
    """The weekly chart in words, for those who can't see it."""
    weeks = ", ".join(f"{format_day(week.week)}: {format_count(week.trips)}" for week in all_weeks.weeks[:60])
    return f"Bars of trips per week with the average {format_average(answer.weekly_average)} as a line. Week of {weeks}."


def describe_hours_chart(hours: Sequence[int]) -> str:
    """The hours chart in words."""
    peak = max(range(24), key=lambda hour: hours[hour])
    return f"Bars of trips per hour of the day; most, {format_count(hours[peak])}, between {format_hours(peak, peak + 1)}."


def read_period(brushed: Sequence[float]) -> tuple[date, date] | None:
    """Whole weeks that a brush along the weeks touches: Monday and Sunday. Units: milliseconds since 1970, UTC."""
    if len(brushed) != 2:
        return None
    # The end is outside: a brush that lies on whole weeks ends where the next one begins.
    first, last = (datetime.fromtimestamp(edge / 1000, UTC).date() for edge in (min(brushed), max(brushed) - 1))
    return first - timedelta(days=first.weekday()), last + timedelta(days=6 - last.weekday())


def read_hours(brushed: Sequence[float]) -> Hours | None:
    """Whole hours that a brush along the hours touches."""
    if len(brushed) != 2:
        return None
    first, last = sorted(brushed)
    return max(0, int(first)), min(24, int(-(-last // 1)))


def is_chosen(hour: int, chosen: Hours) -> bool:
    """Whether an hour lies in the chosen ones; from > to passes midnight."""
    first, last = chosen
    return first <= hour < last if first < last else hour >= first or hour < last


def _find_period(answer: WeeklyAnswer, all_weeks: WeeklyAnswer) -> tuple[date, date] | None:
    """First day of the period and the day after its last; None when it is all weeks."""
    days = (answer.from_on, answer.to_on)
    if days == (all_weeks.from_on, all_weeks.to_on) or not days[0] or not days[1]:
        return None
    return days[0], days[1] + timedelta(days=1)


def _make_week_row(week: WeekCount, period: tuple[date, date] | None) -> dict[str, Any]:
    is_outside = period is not None and not (period[0] < week.week + _WEEK and week.week < period[1])
    return {
        "start": week.week.isoformat(),
        "stop": (datetime.combine(week.week, datetime.min.time()) + _WEEK * _BAR_SHARE).isoformat() + "Z",
        "trips": week.trips,
        "count": format_count(week.trips),
        "label": format_day(week.week),
        "note": "part of the week" if week.is_partial else "whole week",
        "opacity": _FAINT if is_outside else _PARTIAL if week.is_partial else 1,
    }


def _date_time(day: date) -> alt.DateTime:
    return alt.DateTime(year=day.year, month=day.month, date=day.day, utc=True)


def _week_axis(weeks: Sequence[WeekCount]) -> alt.Axis:
    step = max(1, -(-len(weeks) // _LABELS))
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
