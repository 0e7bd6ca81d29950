"""The filter row of Explore: region, datasource, periods, days, hours, size of cells; undo and reset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import streamlit as st
from sqlalchemy import Connection
from streamlit.delta_generator import DeltaGenerator

from shared.domain.clock import WEEKDAYS, parse_weekdays
from shared.platform.safe_text import escape_controls
from shared.questions.catalog import list_datasources, list_regions
from ui.explore.comparison import render_comparison_choice
from ui.session.view import View
from ui.session.view_state import can_undo, change_view, current_view, reset_view, undo_view
from ui.session.widget_keys import place_control, take_control
from ui.style.text import format_count, format_weekdays

# Width of a geohash cell on the equator; half as high at even precisions.
_CELLS: Final = {0: "by zoom", 3: "156 km", 4: "39 km", 5: "4.9 km", 6: "1.2 km", 7: "153 m", 8: "38 m"}
_HOURS: Final = tuple(range(25))
_DAYS: Final = {WEEKDAYS: "All days", parse_weekdays("weekday"): "Weekdays", parse_weekdays("weekend"): "Weekend"}
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
    with st.container(key="filters"):
        columns = st.columns([1.7, 1.7, 3.75, 1.25, 0.95, 0.95, 1.25, 0.95], vertical_alignment="bottom", gap="xsmall")
    with columns[0]:
        _render_choice("region", view.region, catalog.regions)
    with columns[1]:
        _render_choice("datasource", view.datasource, catalog.datasources)
    with columns[2], _row("period_row"):
        _render_period(view, catalog)
        render_comparison_choice(view, first_on=catalog.first_on, last_on=catalog.last_on)
    with columns[3]:
        _render_days(view.weekdays)
    with columns[4]:
        _render_hour("From hour", "hour_from", view.hours[0])
    with columns[5]:
        _render_hour("To hour", "hour_to", view.hours[1])
    with columns[6]:
        _render_precision()
    with columns[7], _row("filter_steps"):
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
    st.selectbox(
        field.capitalize(),
        [_ALL, *names],
        key=place_control(field, value or _ALL),
        format_func=lambda name: f"{escape_controls(name)} ({format_count(trips.get(name, 0))})" if name else f"All {field}s",
        on_change=_take,
        args=(field,),
    )


def _render_period(view: View, catalog: Catalog) -> None:
    chosen = tuple(day for day in (view.from_on, view.to_on) if day)
    first, last = (min([catalog.first_on, *chosen]), max([catalog.last_on, *chosen]))
    st.date_input(
        "Period of the weeks",
        key=place_control("period", chosen if len(chosen) == 2 else ()),
        min_value=first.replace(day=1),
        max_value=last.replace(month=12, day=31),
        format="YYYY-MM-DD",
        on_change=_take_period,
        help="Empty: from the first to the last week with trips. Also: drag along the weekly chart.",
    )
    _render_step("All weeks", "all_weeks", ":material/close:", on_click=_drop_period, disabled=not chosen)


def _render_days(weekdays: frozenset[int]) -> None:
    # A link or the weekdays chart may choose any days.
    choices = [*_DAYS, *([weekdays] if weekdays not in _DAYS else [])]
    st.selectbox(
        "Days",
        choices,
        key=place_control("days", weekdays),
        format_func=lambda days: _DAYS.get(days) or format_weekdays(days),
        on_change=_take_days,
    )


def _render_hour(label: str, name: str, value: int) -> None:
    st.selectbox(label, _HOURS, key=place_control(name, value), format_func=lambda hour: f"{hour:02}:00", on_change=_take_hours)


def _render_precision() -> None:
    st.selectbox(
        "Cells",
        _CELLS,
        key=place_control("precision", current_view().precision or 0),
        format_func=lambda precision: _CELLS.get(precision, f"geohash {precision}"),
        on_change=_take_precision,
        help="Size of the cells that make places, flows and trip groups (geohash). By zoom: the map decides.",
    )


def _take_precision() -> None:
    change_view(precision=take_control("precision") or None)


def _take(field: str) -> None:
    change_view(**{field: take_control(field) or None})


def _take_period() -> None:
    days: Sequence[Any] = take_control("period") or (None, None)
    if len(days) == 2:
        change_view(from_on=days[0], to_on=days[1])


def _drop_period() -> None:
    change_view(from_on=None, to_on=None)


def _take_days() -> None:
    change_view(weekdays=take_control("days"))


def _take_hours() -> None:
    hours = (take_control("hour_from"), take_control("hour_to"))
    if hours[0] != hours[1]:
        change_view(hours=hours)
