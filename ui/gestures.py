"""Gestures: what somebody did on the map or a chart, turned into a change of the view before anything is drawn.

Components keep their last value over reruns, so each value counts once: when it differs from the one seen before.
"""

from collections.abc import Callable, Hashable
from typing import Final

import streamlit as st

from shared.errors import RequestError
from ui.charts import read_hours, read_period
from ui.flowmap import Pick, Viewport, read_map_state
from ui.state import change_view, current_view
from ui.view import WHOLE_DAY

MAP: Final = "map"
WEEKLY_CHART: Final = "weekly_chart"
HOURS_CHART: Final = "hours_chart"


_VIEWPORT: Final = "map_viewport"
_PICKED: Final = "map_picked"


def take_gestures() -> None:
    """Apply what is new since the last run."""
    _take_map()
    _take_brush(WEEKLY_CHART, _take_period)
    _take_brush(HOURS_CHART, _take_hours)


def chart_key(chart: str, chosen: Hashable) -> str:
    """Key of a chart whose brush shows what is chosen; a new one when it was chosen elsewhere, so that the brush moves there."""
    shown = st.session_state.setdefault(f"{chart}_shown", chosen)
    if shown != chosen:
        st.session_state[f"{chart}_shown"] = chosen
        st.session_state[f"{chart}_turn"] = st.session_state.get(f"{chart}_turn", 0) + 1
    return _current_key(chart)


def viewport() -> Viewport | None:
    """Where the map looked last; None until it has said so."""
    seen: Viewport | None = st.session_state.get(_VIEWPORT)
    return seen


def picked() -> Pick | None:
    """What was clicked on the map last."""
    pick: Pick | None = st.session_state.get(_PICKED)
    return pick


def forget_pick() -> None:
    """Drop what was clicked on the map."""
    st.session_state[_PICKED] = None


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
        if _is_new("pick_seen", state.picked):
            st.session_state[_PICKED] = state.picked


def _take_brush(chart: str, apply: Callable[[list[float]], Hashable]) -> None:
    value = st.session_state.get(_current_key(chart))
    if not value:  # the chart isn't on the page: what it says when it is back is a beginning, not a gesture
        st.session_state.pop(f"{chart}_seen", None)
        return
    ranges = next(iter(value["selection"].values()), None) or {}
    brushed: list[float] = next(iter(ranges.values()), [])
    is_first = f"{chart}_seen" not in st.session_state
    if _is_new(f"{chart}_seen", (_current_key(chart), *brushed)) and (brushed or not is_first):
        st.session_state[f"{chart}_shown"] = apply(brushed)


def _current_key(chart: str) -> str:
    return f"{chart}_{st.session_state.get(f'{chart}_turn', 0)}"


def _is_new(key: str, value: object) -> bool:
    if st.session_state.get(key) == value:
        return False
    st.session_state[key] = value
    return True


def _take_period(brushed: list[float]) -> Hashable:
    from_on, to_on = read_period(brushed) or (None, None)
    change_view(from_on=from_on, to_on=to_on)
    return from_on, to_on


def _take_hours(brushed: list[float]) -> Hashable:
    hours = read_hours(brushed) or WHOLE_DAY
    if hours[0] < hours[1]:
        change_view(hours=hours)
    return current_view().hours
