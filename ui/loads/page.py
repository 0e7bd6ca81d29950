"""Loads: the history with states, counts and rates; one load in detail; changes arrive by the hub's feed."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Final

import streamlit as st

from shared.loads import Load, fetch_load, list_loads
from ui.loads.detail import render_load
from ui.loads.labels import STATES, describe_duration, describe_instant, describe_rate, visitor_zone
from ui.loads.times import render_compaction
from ui.services.hub_address import hub_address
from ui.services.resources import Resources, get_resources
from ui.session.navigation import LOAD
from ui.style.error_messages import explained
from ui.style.tables import make_table
from ui.style.text import format_bytes
from ui.transfer import LoadNews, render_load_feed

_LOAD: Final = "load"
_PAGE: Final = 50
_TABLE: Final = "loads_table"
_STATE: Final = "loads_state"
_BEFORE: Final = "loads_before"
_ROW_HEIGHT: Final = 28
_MAX_HEIGHT: Final = 330


@st.fragment
def render_loads() -> None:
    """Draw the page."""
    with explained():
        resources = get_resources()
        if resources.hub.is_up():
            hub, selected = hub_address(resources), _find_chosen(resources)
            render_load_feed(key="feed", hub=hub, selected=selected, on_change=_hear, on_choose=_choose)
        else:
            _render_still(resources)
        with explained():
            render_compaction(resources)
            _render_chosen(resources, _find_chosen(resources))


def _find_chosen(resources: Resources) -> int | None:
    """The load that the address names, else the newest."""
    text = st.query_params.get(_LOAD, "")
    if text.isdigit():
        return int(text)
    newest = list_loads(resources.engine, limit=1)
    return newest[0]["load_id"] if newest else None


def _render_chosen(resources: Resources, load_id: int | None) -> None:
    if load_id is None:
        st.page_link(LOAD, label="Load a file", icon=":material/upload:")
    else:
        render_load(resources, fetch_load(resources.engine, load_id))


def _choose(load_id: int) -> None:
    st.query_params[_LOAD] = str(load_id)


def _hear(_news: LoadNews) -> None:
    """Nothing to do: the run that follows reads the database."""


def _render_still(resources: Resources) -> None:
    """The history from the database, while the hub can't tell what changes."""
    st.warning(
        "The hub does not answer: this list does not move, and loads can't be changed. Reload the page later.",
        icon=":material/cloud_off:",
    )
    state = _render_states()
    loads = list_loads(resources.engine, before=st.session_state.get(_BEFORE), limit=_PAGE + 1, state=state)
    if not loads:
        st.info(f"No load is {state}." if state else "No file has been loaded yet.", icon=":material/search_off:")
        return
    _take_row(loads)
    _render_table(loads[:_PAGE], visitor_zone())
    _render_pages(loads)


def _render_states() -> str | None:
    return st.pills(
        "State", list(STATES), key=_STATE, format_func=str.capitalize, label_visibility="collapsed", on_change=_forget_page
    )


def _render_table(loads: Sequence[Load], zone: tzinfo) -> None:
    st.dataframe(
        make_table([_make_row(load, zone) for load in loads]),
        key=_TABLE,
        height=min(_MAX_HEIGHT, 40 + _ROW_HEIGHT * len(loads)),
        row_height=_ROW_HEIGHT,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        column_config=_COLUMNS,
        alt="Loads, newest first. Choose a row to see the load below.",
    )


def _make_row(load: Load, zone: tzinfo) -> dict[str, Any]:
    return {
        "Load": load["load_id"],
        "State": STATES[load["state"]],
        "File": load["file_name"],
        "Size": format_bytes(load["bytes_total"]),
        "Rows read": load["rows_read"],
        "Loaded": load["rows_loaded"],
        "Rejected": load["rows_rejected"],
        "Requested": describe_instant(load["requested_at"], zone),
        "Took": describe_duration(load),
        "Rate": describe_rate(load),
    }


def _render_pages(loads: Sequence[Load]) -> None:
    older, newer = len(loads) > _PAGE, st.session_state.get(_BEFORE) is not None
    if not older and not newer:
        return
    with st.container(horizontal=True):
        st.button(
            "Newest", key="loads_newest", on_click=_forget_page, disabled=not newer, type="tertiary", icon=":material/first_page:"
        )
        if older:
            st.button(
                "Older",
                key="loads_older",
                on_click=_turn_page,
                args=(loads[_PAGE - 1]["load_id"],),
                type="tertiary",
                icon=":material/chevron_right:",
            )


def _take_row(loads: Sequence[Load]) -> None:
    """A row that was chosen since the last run puts its load into the address."""
    rows = st.session_state.get(_TABLE, {}).get("selection", {}).get("rows", [])
    chosen = loads[rows[0]]["load_id"] if rows and rows[0] < len(loads) else None
    if chosen != st.session_state.get("loads_chosen"):
        st.session_state["loads_chosen"] = chosen
        if chosen is not None:
            _choose(chosen)


def _turn_page(before: int) -> None:
    st.session_state[_BEFORE] = before


def _forget_page() -> None:
    st.session_state[_BEFORE] = None


_COLUMNS: Final = {
    "Load": st.column_config.NumberColumn(width=56, format="%d"),
    "State": st.column_config.TextColumn(width=110),
    "File": st.column_config.TextColumn(width=260),
    "Size": st.column_config.TextColumn(width=80),
    **{name: st.column_config.NumberColumn(width=92) for name in ("Rows read", "Loaded", "Rejected")},
    "Requested": st.column_config.TextColumn(width=140),
    "Took": st.column_config.TextColumn(width=90),
    "Rate": st.column_config.TextColumn(width=120),
}
