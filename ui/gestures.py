"""Gestures: what somebody did on the map or a chart, turned into a change of the view before anything is drawn.

Components keep their last value over reruns, so each value counts once: when it differs from the one seen before.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import streamlit as st

from shared.errors import RequestError
from ui.charts import HOURS_BRUSH, PERIOD_BRUSH, read_hours, read_period
from ui.flowmap import Pick, Viewport, read_map_state
from ui.state import change_view

MAP: Final = "map"
WEEKLY_CHART: Final = "weekly_chart"
HOURS_CHART: Final = "hours_chart"


_VIEWPORT: Final = "map_viewport"
_PICKED: Final = "map_picked"


def take_gestures() -> None:
    """Apply what is new since the last run."""
    _take_map()
    _take_once(WEEKLY_CHART, _take_period)
    _take_once(HOURS_CHART, _take_hours)


def viewport() -> Viewport | None:
    """Where the map looked last; None until it has said so."""
    seen: Viewport | None = st.session_state.get(_VIEWPORT)
    return seen


def picked() -> Pick | None:
    """What was clicked on the map last."""
    pick: Pick | None = st.session_state.get(_PICKED)
    return pick


def _take_map() -> None:
    try:
        state = read_map_state(st.session_state.get(MAP))
    except (RequestError, TypeError, ValueError):
        st.toast("That is no box on this earth; draw it again.", icon=":material/help:")
        return
    if state.box_seq and _is_new("box_seen", state.box_seq):
        change_view(box=state.box)
    # The map forgets with its page; the session must not.
    if st.session_state.get(MAP):
        st.session_state[_VIEWPORT] = state.viewport or viewport()
        st.session_state[_PICKED] = state.picked


def _take_once(key: str, apply: Callable[[Mapping[str, Any]], None]) -> None:
    value = st.session_state.get(key)
    if value and _is_new(f"{key}_seen", repr(value)):
        apply(value)


def _is_new(key: str, value: object) -> bool:
    if st.session_state.get(key) == value:
        return False
    st.session_state[key] = value
    return True


def _take_period(value: Mapping[str, Any]) -> None:
    if period := read_period(_brushed(value, PERIOD_BRUSH)):
        change_view(from_on=period[0], to_on=period[1])


def _take_hours(value: Mapping[str, Any]) -> None:
    hours = read_hours(_brushed(value, HOURS_BRUSH))
    if hours and hours[0] < hours[1]:
        change_view(hours=hours)


def _brushed(value: Mapping[str, Any], name: str) -> list[float]:
    ranges = value.get("selection", {}).get(name, {})
    return next(iter(ranges.values()), [])
