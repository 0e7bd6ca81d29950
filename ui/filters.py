"""The filter row of Explore: region, datasource, which end lies in the box, period, hours; undo and reset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import streamlit as st
from sqlalchemy import Connection
from streamlit.delta_generator import DeltaGenerator

from shared.catalog import list_datasources, list_regions
from shared.weekly import ENDS, End
from ui.state import can_undo, change_view, current_view, reset_view, undo_view
from ui.view import View
from ui.wording import format_count

_END_LABELS: Final[dict[End, str]] = {"origin": "Origin", "destination": "Destination", "both": "Both", "either": "Either"}
_HOURS: Final = tuple(range(25))
_ALL: Final = ""  # not None, for which a select box shows its placeholder


@dataclass(frozen=True, slots=True)
class Catalog:
    """Regions and datasources with their trips, most first, and the days of the first and last trip."""

    regions: dict[str, int]
    datasources: dict[str, int]
    first_on: date
    last_on: date


def fetch_catalog(connection: Connection) -> Catalog | None:
    """What can be filtered by; None without trips."""
    regions = list_regions(connection)
    if not regions:
        return None
    return Catalog(
        {region["name"]: region["trips"] for region in regions},
        {datasource["name"]: datasource["trips"] for datasource in list_datasources(connection)},
        min(region["first_at"] for region in regions).date(),
        max(region["last_at"] for region in regions).date(),
    )


def render_filters(catalog: Catalog) -> None:
    """Draw the row; every control shows the view and changes it."""
    view = current_view()
    columns = st.columns([1.85, 1.85, 3.2, 2.95, 0.95, 0.95, 0.95], vertical_alignment="bottom", gap="small")
    with columns[0]:
        _render_choice("region", view.region, catalog.regions)
    with columns[1]:
        _render_choice("datasource", view.datasource, catalog.datasources)
    with columns[2]:
        _render_end(view.end)
    with columns[3], _row("period_row"):
        _render_period(view, catalog)
    with columns[4]:
        _render_hour("From hour", "hour_from", view.hours[0])
    with columns[5]:
        _render_hour("To hour", "hour_to", view.hours[1])
    with columns[6], _row("filter_steps"):
        _render_step("Undo the last filter", "undo", ":material/undo:", on_click=undo_view, disabled=not can_undo())
        _render_step("Drop all filters", "reset", ":material/filter_alt_off:", on_click=reset_view, disabled=view == View())


def _row(key: str) -> DeltaGenerator:
    return st.container(
        horizontal=True, wrap=False, gap="xsmall", horizontal_alignment="right", vertical_alignment="bottom", key=key
    )


def _render_step(label: str, key: str, icon: str, *, on_click: Callable[[], None], disabled: bool) -> None:
    """A button of one icon; the label is for those who can't see it."""
    st.button(label, key=key, icon=icon, on_click=on_click, disabled=disabled, width=36)


def _render_choice(field: str, value: str | None, trips: dict[str, int]) -> None:
    # A link may name what isn't there; the answer then says so, and the control shows the name it was asked for.
    names = [*trips, *([value] if value and value not in trips else [])]
    st.session_state[field] = value or _ALL
    st.selectbox(
        field.capitalize(),
        [_ALL, *names],
        key=field,
        format_func=lambda name: f"{name} ({format_count(trips.get(name, 0))})" if name else f"All {field}s",
        on_change=_take,
        args=(field,),
    )


def _render_end(end: End) -> None:
    st.session_state["end"] = end
    st.segmented_control(
        "End inside the box",
        ENDS,
        key="end",
        format_func=lambda each: _END_LABELS[each],
        required=True,
        on_change=_take,
        args=("end",),
        help="Which end of a trip must lie inside the box to be counted. Edges count as inside.",
    )


def _render_period(view: View, catalog: Catalog) -> None:
    chosen = tuple(day for day in (view.from_on, view.to_on) if day)
    st.session_state["period"] = chosen if len(chosen) == 2 else ()
    first, last = (min([catalog.first_on, *chosen]), max([catalog.last_on, *chosen]))
    st.date_input(
        "Period of the weeks",
        key="period",
        min_value=first.replace(day=1),
        max_value=last.replace(month=12, day=31),
        format="YYYY-MM-DD",
        on_change=_take_period,
        help="Empty: from the first to the last week with trips. Also: drag along the weekly chart.",
    )
    _render_step("All weeks", "all_weeks", ":material/close:", on_click=_drop_period, disabled=not chosen)


def _render_hour(label: str, key: str, value: int) -> None:
    st.session_state[key] = value
    st.selectbox(label, _HOURS, key=key, format_func=lambda hour: f"{hour:02}:00", on_change=_take_hours)


def _take(field: str) -> None:
    change_view(**{field: st.session_state[field] or None})


def _take_period() -> None:
    days: Sequence[Any] = st.session_state["period"] or ()
    if len(days) == 2:
        change_view(from_on=days[0], to_on=days[1])
    elif not days:
        change_view(from_on=None, to_on=None)


def _drop_period() -> None:
    change_view(from_on=None, to_on=None)


def _take_hours() -> None:
    hours = (st.session_state["hour_from"], st.session_state["hour_to"])
    if hours[0] != hours[1]:
        change_view(hours=hours)
