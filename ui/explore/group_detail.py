"""The trip group of the chosen row in detail: its weeks, the hours between its two cells, and its newest trips."""

from typing import Final

import streamlit as st

from shared.groups.detail import fetch_group
from shared.groups.detail_question import GroupDetail, SampleTrip
from shared.groups.question import TripGroup
from ui.explore.charts import describe_hours_chart, make_group_weeks_chart, make_hours_chart
from ui.services.answer_cache import Asker
from ui.session.view import WHOLE_DAY, View
from ui.style.tables import make_table
from ui.style.text import NOTHING, format_count, format_day, format_duration, format_minutes, format_plural

_SAMPLES: Final = 20
_ROW_HEIGHT: Final = 26
_HEIGHT: Final = 84


def render_group_detail(ask: Asker, group: TripGroup, view: View, *, bucket_minutes: int) -> None:
    """Draw it in place of the histograms, so that nothing below moves."""
    detail = ask(fetch_group, view.detail_question(group, bucket_minutes=bucket_minutes, samples=_SAMPLES), reads_trips=True)
    weeks, hours = st.columns([1, 1], gap="small")
    with weeks:
        if detail.weeks:
            st.altair_chart(make_group_weeks_chart(detail.weeks, height=_HEIGHT), key="group_weeks", alt=_describe_weeks(detail))
    with hours:
        if detail.hours:
            st.altair_chart(
                make_hours_chart(detail.hours, WHOLE_DAY, height=_HEIGHT, is_still=True),
                key="group_hours",
                alt=describe_hours_chart(detail.hours),
            )


def render_samples(ask: Asker, group: TripGroup, view: View, *, bucket_minutes: int) -> None:
    """A popover with the newest trips of the group."""
    detail = ask(fetch_group, view.detail_question(group, bucket_minutes=bucket_minutes, samples=_SAMPLES), reads_trips=True)
    with st.popover("Its trips", icon=":material/list:", type="tertiary", width="content"):
        st.caption(
            f"{describe_group(group, bucket_minutes)}: newest {len(detail.samples)} of {format_plural(detail.trips, 'trip')}"
        )
        st.dataframe(
            make_table([_make_row(trip) for trip in detail.samples]),
            hide_index=True,
            row_height=_ROW_HEIGHT,
            height=300,
            width=640,
            key="group_samples",
            alt="The newest trips of the chosen group: start, duration, origin, destination, datasource, load.",
        )


def describe_group(group: TripGroup, bucket_minutes: int) -> str:
    """From where to where, and when."""
    arrow = "\N{RIGHTWARDS ARROW}"
    when = format_minutes(group.bucket_minute, bucket_minutes)
    ends = f"{group.origin_name} ({group.origin_cell}) {arrow} {group.destination_name} ({group.destination_cell})"
    return f"{group.region}, {ends}, {when}"


def _make_row(trip: SampleTrip) -> dict[str, object]:
    return {
        "Start": trip.started_at,
        "Duration": format_duration(trip.duration_s) if trip.duration_s is not None else NOTHING,
        "From": _format_point(trip.origin_longitude, trip.origin_latitude),
        "To": _format_point(trip.destination_longitude, trip.destination_latitude),
        "Datasource": trip.datasource,
        "Load": str(trip.load_id),
    }


def _format_point(longitude: float, latitude: float) -> str:
    return f"{longitude:.5f}, {latitude:.5f}"


def _describe_weeks(detail: GroupDetail) -> str:
    weeks = ", ".join(f"{format_day(week)}: {format_count(trips)}" for week, trips in detail.weeks[-60:])
    return f"Bars of the chosen group's trips per week. Week of {weeks}."
