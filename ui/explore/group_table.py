"""The table of trip groups, linked to the map: a row shows its flow there, a flow or place clicked there filters the rows."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from shared.groups.question import TripGroup
from ui.explore.gestures import forget_pick, picked
from ui.flowmap import FlowPick, LocationPick, Pick
from ui.style.tables import make_table
from ui.style.text import format_count, format_day, format_minutes

_KEY: Final = "groups"
_SHOWN: Final = "groups_shown"
_HEIGHT: Final = 170
_ROW_HEIGHT: Final = 26


def chosen_flow(precision: int) -> Pick | None:
    """The flow of the row that is chosen, between cells of the map's precision."""
    group = chosen_group()
    return FlowPick(group.origin_cell[:precision], group.destination_cell[:precision]) if group else None


def chosen_group() -> TripGroup | None:
    """The group of the row that is chosen."""
    rows = st.session_state.get(_KEY, {}).get("selection", {}).get("rows", [])
    shown: Sequence[TripGroup] = st.session_state.get(_SHOWN, ())
    return shown[rows[0]] if rows and rows[0] < len(shown) else None


def keep_choice(groups: Sequence[TripGroup]) -> TripGroup | None:
    """The chosen group where it is still among the groups that are shown."""
    chosen = chosen_group()
    return chosen if chosen in filter_groups(groups, picked()) else None


def filter_groups(groups: Sequence[TripGroup], pick: Pick | None) -> Sequence[TripGroup]:
    """The groups that a flow or place of the map is made of."""
    if isinstance(pick, FlowPick):
        return [
            group
            for group in groups
            if _overlaps(group.origin_cell, pick.origin) and _overlaps(group.destination_cell, pick.destination)
        ]
    if isinstance(pick, LocationPick):
        return [
            group
            for group in groups
            if _overlaps(group.origin_cell, pick.location) or _overlaps(group.destination_cell, pick.location)
        ]
    return groups


def render_groups(groups: Sequence[TripGroup], *, bucket_minutes: int) -> None:
    """The largest trip groups; of what was clicked on the map, if anything was."""
    shown = filter_groups(groups, picked())
    st.session_state[_SHOWN] = shown
    if not shown:
        return
    st.dataframe(
        make_table([_make_row(group, bucket_minutes) for group in shown]),
        height=_HEIGHT,
        row_height=_ROW_HEIGHT,
        hide_index=True,
        key=_KEY,
        on_select="rerun",
        selection_mode="single-row",
        alt="Largest trip groups: region, origin and destination with cells, hours, trips. A chosen row is shown on the map.",
        column_config=_COLUMNS,
    )


def describe_groups(groups: Sequence[TripGroup], limit: int) -> str:
    """What the table holds."""
    pick = picked()
    count = len(filter_groups(groups, pick))
    if isinstance(pick, FlowPick):
        return f"{format_count(count)} trip groups from {pick.origin} to {pick.destination}"
    if isinstance(pick, LocationPick):
        return f"{format_count(count)} trip groups at {pick.location}"
    return f"{format_count(count)} largest trip groups" if count == limit else f"{format_count(count)} trip groups"


def render_pick_step() -> None:
    """A way back from what was clicked on the map."""
    if picked():
        st.button("Show all", key="forget_pick", on_click=forget_pick, type="tertiary", icon=":material/close:")


def _overlaps(cell: str, other: str) -> bool:
    return cell.startswith(other) or other.startswith(cell)


def _make_row(group: TripGroup, bucket_minutes: int) -> dict[str, object]:
    return {
        "Region": group.region,
        "From": group.origin_name,
        "To": group.destination_name,
        "Time of day": format_minutes(group.bucket_minute, bucket_minutes),
        "Trips": group.trips,
        "From cell": group.origin_cell,
        "To cell": group.destination_cell,
        "First": format_day(group.first_on),
        "Last": format_day(group.last_on),
        "Datasources": ", ".join(group.datasources),
    }


_COLUMNS: Final = {
    "Region": st.column_config.TextColumn(width=80),
    "From": st.column_config.TextColumn(width=140, help="Largest place in the cell of the origins, or the nearest place"),
    "From cell": st.column_config.TextColumn(width=70, help="Geohash cell of the origins"),
    "To": st.column_config.TextColumn(width=140, help="Largest place in the cell of the destinations, or the nearest place"),
    "To cell": st.column_config.TextColumn(width=70, help="Geohash cell of the destinations"),
    "Time of day": st.column_config.TextColumn(width=96),
    "Trips": st.column_config.NumberColumn(width=60),
}
