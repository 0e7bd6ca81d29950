"""The answers of Explore: weekly average with its definition, weekly bars, hours of the day, trip groups with exports."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import streamlit as st

from shared.domain.clock import WEEKDAYS
from shared.groups.question import TripGroup
from shared.questions.histograms import sum_hours
from shared.questions.weekly import WeeklyAnswer, WeeklyComparison
from ui.explore.brushes import find_hours_brush, find_period_brush, find_weekdays_brush, is_chosen
from ui.explore.charts import (
    describe_hours_chart,
    describe_weekdays_chart,
    describe_weekly_chart,
    make_hours_chart,
    make_weekdays_chart,
    make_weekly_chart,
)
from ui.explore.comparison import render_comparison
from ui.explore.gestures import HOURS_CHART, WEEKDAYS_CHART, WEEKLY_CHART, chart_key
from ui.session.view import View
from ui.style.exports import export_groups_csv, export_groups_geojson, export_groups_parquet, export_weeks_csv
from ui.style.text import (
    describe_area,
    describe_average,
    describe_comparison,
    describe_empty,
    describe_times,
    escape_markdown,
    format_average,
    format_count,
)

_WEEKLY_HEIGHT: Final = 146
_HOURS_HEIGHT: Final = 84
_MAP_HELP: Final = "Flows, places and box to pan and zoom in any browser, without network. About 5 MB."


def render_weekly(answer: WeeklyAnswer, all_weeks: WeeklyAnswer, view: View, *, other: WeeklyAnswer | None = None) -> None:
    """The weekly average, how it came about, and the weeks as bars; all_weeks: without the period; other: to compare with."""
    area = describe_area(view.region, view.area_name, view.end) + describe_times(view.hours, view.weekdays)
    comparison = WeeklyComparison(answer, other) if other else None
    if comparison:
        render_comparison(comparison)
    else:
        _render_numbers(answer)
    if not answer.trips and not all_weeks.trips:
        st.info(
            f"{escape_markdown(describe_empty(answer, area=area))} Move or clear the area, or drop a filter.",
            icon=":material/search_off:",
        )
        return
    with st.container(key="definition"):
        rest = describe_comparison(comparison) if comparison else "Local time."
        st.caption(f"{escape_markdown(area[0].upper() + area[1:])}: {describe_average(answer)} {rest}")
    st.altair_chart(
        make_weekly_chart(answer, all_weeks, other=other, height=_WEEKLY_HEIGHT),
        key=chart_key(WEEKLY_CHART, (view.from_on, view.to_on), drawn=find_period_brush(answer, all_weeks)),
        on_select="rerun",
        alt=describe_weekly_chart(answer, all_weeks, other),
    )


def render_histograms(counts: Sequence[int], view: View) -> None:
    """Trips per hour of the day and per weekday; each under the other's filter, not its own. Shape: 168 hours of the week."""
    if not any(counts):
        return
    hours = sum_hours([trips if index // 24 + 1 in view.weekdays else 0 for index, trips in enumerate(counts)])
    weekdays = [sum(counts[24 * day + hour] for hour in range(24) if is_chosen(hour, view.hours)) for day in range(len(WEEKDAYS))]
    left, right = st.columns([62, 38], gap="small")
    left.altair_chart(
        make_hours_chart(hours, view.hours, height=_HOURS_HEIGHT),
        key=chart_key(HOURS_CHART, view.hours, drawn=find_hours_brush(view.hours)),
        on_select="rerun",
        alt=describe_hours_chart(hours),
    )
    right.altair_chart(
        make_weekdays_chart(weekdays, view.weekdays, height=_HOURS_HEIGHT),
        key=chart_key(WEEKDAYS_CHART, view.weekdays, drawn=find_weekdays_brush(view.weekdays)),
        on_select="rerun",
        alt=describe_weekdays_chart(weekdays),
    )


def render_exports(answer: WeeklyAnswer, groups: Sequence[TripGroup], make_map: Callable[[], bytes]) -> None:
    """Downloads of what is shown; files are made when asked for."""
    with st.popover("Export", icon=":material/download:", type="tertiary"):
        _render_download("Weeks as CSV", partial(export_weeks_csv, answer), file="weeks.csv", mime="text/csv")
        _render_download("Trip groups as CSV", partial(export_groups_csv, groups), file="trip_groups.csv", mime="text/csv")
        _render_download(
            "Trip groups as GeoJSON",
            partial(export_groups_geojson, groups),
            file="trip_groups.geojson",
            mime="application/geo+json",
        )
        _render_download(
            "Trip groups as Parquet",
            partial(export_groups_parquet, groups),
            file="trip_groups.parquet",
            mime="application/vnd.apache.parquet",
        )
        _render_download("Map as one HTML file", make_map, file="tripdeck-map.html", mime="text/html", icon="map", help=_MAP_HELP)


def _render_download(
    label: str, make: Callable[[], bytes], *, file: str, mime: str, icon: str = "table", help: str | None = None
) -> None:
    st.download_button(
        label, make, file_name=file, mime=mime, on_click="ignore", type="tertiary", icon=f":material/{icon}:", help=help
    )


def _render_numbers(answer: WeeklyAnswer) -> None:
    # Wide enough for 999 999 999 trips at 1280 pixels.
    average, trips, weeks = st.columns([1.35, 1.25, 0.6], gap="small")
    average.metric("Trips a week, on average", format_average(answer.weekly_average))
    trips.metric("Trips", format_count(answer.trips))
    weeks.metric("Weeks", format_count(answer.weeks_counted))
