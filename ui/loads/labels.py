"""Loads in words: states, instants in the visitor's zone, durations, rates."""

from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from shared.domain.time_zones import parse_timezone
from shared.loads import Load
from shared.platform.errors import RequestError
from ui.style.text import NOTHING, format_count, format_duration, format_instant

STATES: Final = {
    "queued": "\N{WHITE CIRCLE} Queued",
    "planning": "\N{CIRCLE WITH LEFT HALF BLACK} Planning",
    "loading": "\N{CIRCLE WITH LEFT HALF BLACK} Loading",
    "succeeded": "\N{CHECK MARK} Succeeded",
    "failed": "\N{MULTIPLICATION X} Failed",
    "cancelled": "\N{MINUS SIGN} Cancelled",
    "undone": "\N{ANTICLOCKWISE OPEN CIRCLE ARROW} Undone",
}
"""Load state → sign and word; the word says it all, the sign helps the eye."""

WARNINGS: Final = {
    "ended_at_unreadable": "no end time that can be read",
    "end_before_start": "end before start",
    "same_ends": "origin and destination the same",
    "far_from_others": "far from the file's other trips",
    "swapped_pair": "longitude and latitude look swapped",
}
"""Kind of odd trip → words."""


def visitor_zone() -> tzinfo:
    """The time zone of the visitor's browser; UTC when it doesn't tell."""
    name = st.context.timezone
    try:
        return ZoneInfo(parse_timezone(name)) if name else UTC
    except RequestError:
        return UTC


def describe_instant(at: str | None, zone: tzinfo) -> str:
    """An instant of a load (ISO text) on the visitor's clock; a dash for none."""
    return format_instant(datetime.fromisoformat(at).astimezone(zone)) if at else NOTHING


def describe_duration(load: Load) -> str:
    """From the first work on the load to its end; a dash before that."""
    seconds = measure_duration_s(load)
    return NOTHING if seconds is None else format_duration(seconds)


def describe_rate(load: Load) -> str:
    """Rows read a second; a dash before the end."""
    seconds = measure_duration_s(load)
    return f"{format_count(round(load['rows_read'] / seconds))} rows/s" if seconds and load["rows_read"] else NOTHING


def measure_duration_s(load: Load) -> float | None:
    """Seconds between a load's start and end; None while one is missing."""
    if not load["started_at"] or not load["finished_at"]:
        return None
    return (datetime.fromisoformat(load["finished_at"]) - datetime.fromisoformat(load["started_at"])).total_seconds()
