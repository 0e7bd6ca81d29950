"""Sources: addresses that workers read trip files from, how they stand, and what can be done with them."""

from collections.abc import Mapping
from typing import Any, Final

import polars as pl
import streamlit as st

from shared.sources import Source, list_source_objects, list_sources
from ui.services.resources import Resources
from ui.style.error_messages import explained
from ui.style.text import escape_markdown, format_count, format_plural

_REFRESH_S: Final = 5
_SHOWN_OBJECTS: Final = 20
_STATES: Final = {"active": "✓ Watched", "paused": "⏸ Paused", "ended": "Ended"}
_DRIFT: Final = {"ask": "ask", "refuse": "refuse", "load": "load"}
_UNDECIDED: Final = ("failed", "waiting", "refused")
_INTERVALS_S: Final = {"every minute": 60, "every 10 minutes": 600, "every hour": 3_600, "every day": 86_400}


def render_sources(resources: Resources, options: Mapping[str, str]) -> None:
    """Draw the sources and the form that adds one. options: of each load of a new source."""
    with st.expander("Sources: files from buckets and web servers", icon=":material/cloud_sync:"):
        if not resources.settings.source_allow:
            st.caption("No address may be read yet: whoever runs Tripdeck lists them in TRIPDECK_SOURCE_ALLOW.")
        else:
            _render_form(resources, options)
        _render_table(resources)


def _render_form(resources: Resources, options: Mapping[str, str]) -> None:
    with st.form("source_form", clear_on_submit=True, border=False):
        left, middle, right, button = st.columns([46, 20, 20, 14], gap="small", vertical_alignment="bottom")
        address = left.text_input("Address", key="source_address", placeholder="s3://bucket/prefix/ or https://host/file.csv")
        interval = middle.selectbox("Look for new files", list(_INTERVALS_S), key="source_interval")
        drift = right.selectbox(
            "Changed columns",
            list(_DRIFT),
            key="source_drift",
            help="What happens to a file whose columns are not those of the files before: wait for you, be refused, be loaded.",
        )
        is_sent = button.form_submit_button("Watch", icon=":material/add:")
    st.caption("Region, datasource and time zone are the defaults above. The command line has all options of a load.")
    if is_sent:
        with explained():
            body = {"address": address.strip(), "options": dict(options), "interval_s": _INTERVALS_S[interval], "on_drift": drift}
            added = resources.hub.add_source(body)
            st.toast(f"Source {added['source_id']} is watched.")


@st.fragment(run_every=_REFRESH_S)
def _render_table(resources: Resources) -> None:
    with explained():
        found = [source for source in list_sources(resources.engine) if source["is_watched"] or count_undecided(source)]
        if not found:
            st.caption("Nothing is watched.")
            return
        st.dataframe(make_table(found), hide_index=True, width="stretch", key="source_table")
        by_number = {source["source_id"]: source for source in found}
        number = st.selectbox("Source", list(by_number), format_func=lambda number: _name(by_number[number]), key="source_chosen")
        _render_actions(resources, by_number[number])
        _render_undecided(resources, by_number[number])


def _name(source: Source) -> str:
    return f"{source['source_id']}: {source['address']} (changed columns: {source['on_drift']})"


def make_table(sources: list[Source]) -> pl.DataFrame:
    """Return the table of sources, a row each."""
    return pl.DataFrame(
        {
            "Source": [source["source_id"] for source in sources],
            "Address": [source["address"] for source in sources],
            "State": [_describe_state(source) for source in sources],
            "Loaded": [source["objects_loaded"] for source in sources],
            "To read": [source["objects_found"] for source in sources],
            "To decide": [count_undecided(source) for source in sources],
            "Failed loads": [source["loads_failed"] for source in sources],
            "Defaults": [_describe_options(source["options"]) for source in sources],
            "Listed": [(source["listed_at"] or "")[:16].replace("T", " ") for source in sources],
        }
    )


def count_undecided(source: Source) -> int:
    """Count the objects that wait for a person."""
    return sum(source[f"objects_{state}"] for state in _UNDECIDED)


def _describe_state(source: Source) -> str:
    return f"✗ {source['error_message']}" if source["error_message"] else _STATES[source["state"]]


def _describe_options(options: Mapping[str, Any]) -> str:
    given = {name: options.get(name) for name in ("region", "datasource", "timezone")}
    return ", ".join(str(value) for name, value in given.items() if value and (name, value) != ("timezone", "UTC"))


def _render_actions(resources: Resources, source: Source) -> None:
    number = source["source_id"]
    with st.container(horizontal=True, vertical_alignment="center"):
        if source["state"] == "active":
            _add_button(resources, number, "pause", label="Pause", icon="pause")
            _add_button(resources, number, "run", label="Look now", icon="refresh")
        elif source["state"] == "paused":
            _add_button(resources, number, "resume", label="Go on", icon="play_arrow")
        if count := count_undecided(source):
            said = f"Read {format_plural(count, 'object')} again"
            _add_button(resources, number, "retry", label=said, icon="replay", tip="Changed columns are then taken.")
        _add_button(resources, number, "remove", label="Remove", icon="delete", tip="Its loads stay.")


def _add_button(resources: Resources, number: int, order: str, *, label: str, icon: str, tip: str | None = None) -> None:
    key, picture = f"source_{order}_{number}", f":material/{icon}:"
    st.button(label, key=key, icon=picture, help=tip, on_click=_order, args=(resources, number, order))


def _order(resources: Resources, number: int, order: str) -> None:
    with explained():
        resources.hub.order_source(number, order)


def _render_undecided(resources: Resources, source: Source) -> None:
    if not count_undecided(source):
        return
    rows = [
        row
        for state in _UNDECIDED
        for row in list_source_objects(resources.engine, source["source_id"], state=state, limit=_SHOWN_OBJECTS)
    ]
    lines = [f"- {escape_markdown(row['key'])}: {escape_markdown(row['error_message'] or row['state'])}" for row in rows]
    more = count_undecided(source) - len(rows)
    st.markdown("\n".join([*lines[:_SHOWN_OBJECTS], *([f"- and {format_count(more)} more"] if more > 0 else [])]))
