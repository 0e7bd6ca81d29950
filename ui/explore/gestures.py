"""Gestures: what somebody did on the map or a chart, turned into a change of the view before anything is drawn.

Components keep their last value over reruns, so each value counts once: when it differs from the one seen before.
"""

from collections.abc import Callable, Hashable
from datetime import date, timedelta
from typing import Any, Final

import streamlit as st

from shared.domain.clock import WEEKDAYS
from shared.platform.errors import RequestError
from ui.explore.brushes import Brush, read_hours, read_period, read_weekdays
from ui.explore.charts import CLICK
from ui.flowmap import Pick, Viewport, read_map_state
from ui.session.shape_text import make_shape
from ui.session.view import WHOLE_DAY
from ui.session.view_state import change_view, current_view
from ui.session.widget_keys import current_key, mark_shown, turn_key

MAP: Final = "map"
WEEKLY_CHART: Final = "weekly_chart"
HOURS_CHART: Final = "hours_chart"
WEEKDAYS_CHART: Final = "weekdays_chart"

# Two pixels of the narrowest chart.
_ECHO_SHARE: Final = 0.012
_VIEWPORT: Final = "map_viewport"
_PICKED: Final = "map_picked"


def take_gestures() -> None:
    """Apply what is new since the last run."""
    _take_map()
    _take_brush(WEEKLY_CHART, _take_period)
    _take_brush(HOURS_CHART, _take_hours)
    _take_brush(WEEKDAYS_CHART, _take_weekdays)


def chart_key(chart: str, chosen: Hashable, *, drawn: Brush | None = None) -> str:
    """Key of a chart whose brush shows what is chosen; a new one when it was chosen elsewhere: then the brush moves there.

    drawn: where the page draws the brush. The chart reports it back, out by a pixel or so: no gesture.
    """
    st.session_state[f"{chart}_drawn"] = drawn
    return turn_key(chart, chosen)


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
        shape = make_shape(state.rings) if state.rings else None
    except (RequestError, TypeError, ValueError):
        st.toast("That is no area on this earth; draw it again.", icon=":material/help:")
        return
    if state.box_seq and _is_new("box_seen", state.box_seq):
        change_view(box=state.box, shape=shape)
    # The map forgets with its page; the session must not.
    if st.session_state.get(MAP):
        st.session_state[_VIEWPORT] = state.viewport or viewport()
        if _is_new("pick_seen", state.picked):
            st.session_state[_PICKED] = state.picked


def _take_brush(chart: str, apply: Callable[[list[float], list[Any]], Hashable]) -> None:
    """Apply what was brushed, or else clicked. A chart that has just come, or come anew, says nothing at first: no gesture."""
    key = current_key(chart)
    value = st.session_state.get(key)
    if not value:
        st.session_state.pop(f"{chart}_seen", None)
        return
    selections = dict(value["selection"])
    clicked = tuple(each["bin"] for each in selections.pop(CLICK, None) or ())
    ranges = next(iter(selections.values()), None) or {}
    brushed: tuple[float, ...] = tuple(next(iter(ranges.values()), ()))
    seen = st.session_state.get(f"{chart}_seen")
    is_first = seen is None or seen[0] != key
    is_new = _is_new(f"{chart}_seen", (key, brushed, clicked)) and (brushed or clicked or not is_first)
    if is_new and not _is_echo(brushed, st.session_state.get(f"{chart}_drawn")):
        mark_shown(chart, apply(list(brushed), list(clicked)))


def _is_echo(brushed: tuple[float, ...], drawn: Brush | None) -> bool:
    if len(brushed) != 2 or drawn is None:
        return False
    return all(
        abs(edge - at) <= _ECHO_SHARE * drawn.span for edge, at in zip(sorted(brushed), (drawn.start, drawn.stop), strict=True)
    )


def _is_new(key: str, value: object) -> bool:
    if st.session_state.get(key) == value:
        return False
    st.session_state[key] = value
    return True


def _take_period(brushed: list[float], clicked: list[str]) -> Hashable:
    mondays = sorted(date.fromisoformat(each) for each in clicked)
    weeks = (mondays[0], mondays[-1] + timedelta(days=6)) if mondays else (None, None)
    from_on, to_on = read_period(brushed) or weeks
    change_view(from_on=from_on, to_on=to_on)
    return from_on, to_on


def _take_hours(brushed: list[float], clicked: list[int]) -> Hashable:
    hours = read_hours(brushed) or ((min(clicked), max(clicked) + 1) if clicked else WHOLE_DAY)
    if hours[0] < hours[1]:
        change_view(hours=hours)
    return current_view().hours


def _take_weekdays(brushed: list[float], clicked: list[int]) -> Hashable:
    change_view(weekdays=read_weekdays(brushed) or frozenset(clicked) or WEEKDAYS)
    return current_view().weekdays
