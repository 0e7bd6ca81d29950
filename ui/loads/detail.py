"""One load: what came of it, its rejects by reason with examples, and what can be done with it."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import streamlit as st

from shared.domain.load_states import TERMINAL_STATES
from shared.loads import Load, list_rejects
from shared.platform.safe_text import escape_controls
from ui.loads.labels import STATES, WARNINGS, describe_duration, describe_instant, describe_rate, visitor_zone
from ui.loads.publication import render_publication
from ui.loads.times import render_times
from ui.services.hub_client import Order, RejectForm
from ui.services.resources import Resources
from ui.session.navigation import LOADS, open_load_on_map
from ui.style.error_messages import explained
from ui.style.text import NOTHING, escape_markdown, format_bytes, format_count, format_plural

_ASKED: Final = "order_asked"
_EXAMPLES: Final = 50
_EXAMPLES_HEIGHT: Final = 230

_DOWNLOADS: Final[dict[RejectForm, tuple[str, str, str]]] = {
    "csv": ("All rejects as CSV", "rejects-of-load", "The file's columns, then where and why each row failed."),
    "rows": ("Rows to mend", "rejected-rows-of-load", "Header and rejected rows as they were: mend them and load the file."),
}
_COLUMNS: Final = {
    "line": st.column_config.NumberColumn("Line", format="%d", width=70),
    "record": st.column_config.NumberColumn("Record", format="%d", width=70, help="Records count from 1; a header is none."),
    "column": st.column_config.TextColumn("Column"),
    "reason": st.column_config.TextColumn("Reason"),
    "value": st.column_config.TextColumn("Value"),
    "raw": st.column_config.TextColumn("The row as it came", width="large"),
}
_ORDER_LABELS: Final[dict[Order, tuple[str, str]]] = {
    "cancel": ("Cancel", ":material/cancel:"),
    "undo": ("Undo", ":material/undo:"),
    "retry": ("Retry", ":material/refresh:"),
}


def render_load(resources: Resources, load: Load) -> None:
    """Draw a load."""
    with st.container(border=True):
        _render_head(resources, load)
        _render_outcome(resources, load)
        _render_numbers(load)
        render_times(resources, load)
        render_publication(resources, load)
        if load["warnings"]:
            _render_warnings(load["warnings"])
        if load["rejects"]:
            _render_rejects(resources, load)
    _render_question(resources, load)


def list_orders(load: Load) -> list[Order]:
    """What the state of a load allows to be done with it."""
    if load["state"] not in TERMINAL_STATES:
        return ["cancel"]
    if load["needs_cleaning"] and load["state"] != "succeeded":
        return []
    if load["state"] == "succeeded":
        return ["undo"]
    return ["retry", "undo"] if load["state"] == "failed" and load["rows_loaded"] else ["retry"]


def _render_head(resources: Resources, load: Load) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader(f"Load {load['load_id']}: {escape_markdown(load['file_name'])}", width="content")
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            has_trips = load["rows_loaded"] and load["state"] == "succeeded"
            if has_trips and st.button("Show on map", key=f"map_{load['load_id']}", icon=":material/map:"):
                open_load_on_map(resources, load["load_id"])
            for order in list_orders(load):
                label, icon = _ORDER_LABELS[order]
                key = f"{order}_{load['load_id']}"
                st.button(label, key=key, icon=icon, on_click=_ask, args=(load["load_id"], order))


def _render_outcome(resources: Resources, load: Load) -> None:
    zone = visitor_zone()
    when = load["finished_at"] or load["started_at"] or load["requested_at"]
    at = escape_markdown(f"{describe_instant(when, zone)} ({zone}). {_describe_options(load['options'])}")
    st.markdown(f"**{STATES[load['state']]}**, {at}")
    if load["duplicate_of"]:
        other = load["duplicate_of"]
        st.info(f"The same file was loaded before, as load {other}; nothing was added.", icon=":material/content_copy:")
        st.page_link(LOADS, label=f"See load {other}", query_params={"load": str(other)})
    elif load["error_message"]:
        said = (load["question"] or {}).get("statement") or load["error_message"]
        st.error(escape_markdown(said), icon=":material/error:")
    if load["question"] and "retry" in list_orders(load):
        _render_choices(resources, load)
    for number, note in enumerate(load["notes"]):
        if number == 0 and load["rows_rejected"] > load["rows_loaded"]:  # how it ended comes first
            st.warning(escape_markdown(note), icon=":material/warning:")
        else:
            st.info(escape_markdown(note), icon=":material/info:")


def _render_choices(resources: Resources, load: Load) -> None:
    """A button for each answer to what the load asks: it is then read again so, without another upload."""
    with st.container(horizontal=True):
        for number, choice in enumerate(load["question"].get("choices") or ()):
            label, key = escape_markdown(choice["label"]), f"answer_{load['load_id']}_{number}"
            st.button(label, key=key, on_click=_answer, args=(resources, load["load_id"], choice["options"]))


def _answer(resources: Resources, load_id: int, options: Mapping[str, object]) -> None:
    with explained():
        resources.hub.order(load_id, "retry", options)


def _render_numbers(load: Load) -> None:
    numbers = {
        "Rows read": format_count(load["rows_read"]),
        "Loaded": format_count(load["rows_loaded"]),
        "Rejected": format_count(load["rows_rejected"]),
        "Size": format_bytes(load["bytes_total"]),
        "Took": describe_duration(load),
        "Rate": describe_rate(load),
    }
    with st.container(key="load_numbers"):
        columns = st.columns(len(numbers))
    for column, (label, value) in zip(columns, numbers.items(), strict=True):
        column.metric(label, value)


def _render_rejects(resources: Resources, load: Load) -> None:
    reasons: Mapping[str, int] = load["rejects"]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        reason = st.pills(
            "Rejects by reason",
            list(reasons),
            key=f"reason_{load['load_id']}",
            default=next(iter(reasons)),
            required=True,
            format_func=lambda name: f"{name}: {format_count(reasons[name])}",
        )
        _render_downloads(resources, load)
    rejects = list_rejects(resources.engine, load["load_id"], limit=_EXAMPLES, reason=reason)
    examples = [{name: _show(value) for name, value in reject.items()} for reject in rejects]
    st.dataframe(
        examples,
        hide_index=True,
        placeholder=NOTHING,
        column_config=_COLUMNS,
        height=min(_EXAMPLES_HEIGHT, 40 + 36 * len(examples)),
        alt=f"Rejected rows because of {reason}: line, record, column, value and the raw line.",
    )
    if reasons[str(reason)] > len(examples):
        st.caption(f"The first {len(examples)} of {format_plural(reasons[str(reason)], 'row')}; the download has all.")


def _show(value: object) -> object:
    return escape_controls(value) if isinstance(value, str) else value


def _render_warnings(warnings: Mapping[str, int]) -> None:
    counted = ", ".join(f"{WARNINGS.get(code, code)}: {format_count(rows)}" for code, rows in warnings.items())
    st.caption(f"Loaded, but odd: {escape_markdown(counted)}.")


def _render_downloads(resources: Resources, load: Load) -> None:
    load_id = load["load_id"]
    is_text = (load["plan"] or {}).get("kind") != "parquet"
    with st.container(horizontal=True, width="content"):
        for form, (label, name, about) in _DOWNLOADS.items():
            if form == "rows" and not is_text:
                continue
            url = resources.hub.rejects_url(load_id, form)
            if url:
                st.link_button(label, url, icon=":material/download:", help=about)
                continue
            st.download_button(
                label,
                partial(resources.hub.fetch_rejects, load_id, form),
                file_name=f"{name}-{load_id}.csv",
                mime="text/csv",
                on_click="ignore",
                icon=":material/download:",
                help=about,
            )


def _describe_options(options: Mapping[str, object]) -> str:
    named = [f"{name} {options[name]}" for name in ("region", "datasource", "timezone") if options.get(name) not in (None, "UTC")]
    return f"Asked for with {', '.join(named)}." if named else ""


def _describe_order(load: Load, order: Order) -> str:
    trips = format_plural(load["rows_loaded"], "trip")
    return {
        "cancel": "The load stops, and what it has loaded so far is removed.",
        "undo": f"Its {trips} are removed from every answer. The file stays, so that it can be loaded again by Retry.",
        "retry": "The load goes on where it stood, or begins anew when nothing of it is left.",
    }[order]


def _ask(load_id: int, order: Order) -> None:
    st.session_state[_ASKED] = (load_id, order)


def _forget() -> None:
    st.session_state.pop(_ASKED, None)


def _render_question(resources: Resources, load: Load) -> None:
    """Ask before anything is done; what was asked for stays in the session, so that a rerun doesn't close the question."""
    load_id, order = st.session_state.get(_ASKED, (None, None))
    if load_id != load["load_id"] or order not in list_orders(load):
        return
    label = _ORDER_LABELS[order][0]

    @st.dialog(f"{label} load {load_id}?", on_dismiss=_forget)
    def ask() -> None:
        st.write(_describe_order(load, order))
        with st.container(horizontal=True, horizontal_alignment="right"):
            is_no = st.button("Keep as it is", key="order_no")
            is_yes = st.button(f"{label} load", key="order_yes", type="primary")
        with explained():
            if is_yes:
                resources.hub.order(load_id, order)
            if is_no or is_yes:
                _forget()
                st.rerun()

    ask()
