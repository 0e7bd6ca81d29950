"""Load: files go from the browser to the object store, progress comes from the hub; this process sees neither.

Python runs again only when a load ends or somebody asks to see one.
"""

from functools import cache
from typing import Final

import streamlit as st

from shared.domain.time_zones import list_timezones
from ui.loads.sources import render_sources
from ui.services.hub_address import hub_address, require_hub
from ui.services.resources import Resources, get_resources
from ui.session.navigation import open_load, open_load_on_map
from ui.style.error_messages import explained
from ui.transfer import ShownLoad, render_transfers

_SHOWN: Final = "load_shown"
_DEFAULT_ZONE: Final = "UTC"


def render_load_page() -> None:
    """Draw the page."""
    with explained():
        resources = get_resources()
        _follow_shown(resources)
        st.subheader("Load trip files")
        require_hub(resources, so="no file can be loaded")
        left, right = st.columns([72, 28], gap="medium")
        with right:
            options = _render_options()
        with left:
            render_transfers(key="transfers", hub=hub_address(resources), options=options, on_show=_remember_shown)
        render_sources(resources, options)


def _render_options() -> dict[str, str]:
    st.markdown("**Defaults for missing columns**")
    region = st.text_input(
        "Region", key="load_region", placeholder="unknown", help="Name for all trips of files without a region column."
    )
    datasource = st.text_input(
        "Datasource",
        key="load_datasource",
        placeholder="unknown",
        help="Name for all trips of files without a datasource column.",
    )
    zone = st.selectbox(
        "Time zone of the trips",
        _list_zones(),
        key="load_timezone",
        help="Start times with an offset, Z or as an epoch are turned into this zone's local time; others are kept as written.",
    )
    st.caption(
        "Each file is shown as it was understood before it is loaded; there every column can be set otherwise. "
        "Until then only its beginning is sent."
    )
    named = {"region": region.strip(), "datasource": datasource.strip(), "timezone": zone if zone != _DEFAULT_ZONE else ""}
    return {name: value for name, value in named.items() if value}


@cache
def _list_zones() -> list[str]:
    return [_DEFAULT_ZONE, *sorted(zone for zone in list_timezones() if "/" in zone and not zone.startswith("Etc/"))]


def _remember_shown(shown: ShownLoad) -> None:
    # A callback can't change the page; the run after it can.
    st.session_state[_SHOWN] = shown


def _follow_shown(resources: Resources) -> None:
    shown: ShownLoad | None = st.session_state.pop(_SHOWN, None)
    if shown is None:
        return
    if shown.aim == "map":
        open_load_on_map(resources, shown.load_id)
    else:
        open_load(shown.load_id)
