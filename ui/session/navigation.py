"""From one page to another with something to show there."""

from typing import Final

import streamlit as st
from sqlalchemy import Connection

from shared.services.database import execute
from ui.services.resources import Resources
from ui.session.view import View
from ui.session.view_state import replace_view

EXPLORE: Final = "app_pages/explore.py"
LOAD: Final = "app_pages/load.py"
LOADS: Final = "app_pages/loads.py"


def open_load(load_id: int) -> None:
    """Show a load in the history; ends the run."""
    st.switch_page(LOADS, query_params={"load": str(load_id)})


def open_load_on_map(resources: Resources, load_id: int) -> None:
    """Show the trips around a load's; ends the run."""
    view = resources.answers.open()(fetch_load_view, load_id)
    replace_view(view)
    st.switch_page(EXPLORE, query_params=view.to_params())


def fetch_load_view(connection: Connection, load_id: int) -> View:
    """The view that shows a load: its region and its datasource where it has one of each, else all."""
    scope = execute(connection, "fetch_load_scope", load_id=load_id).one()
    return View(region=_only(scope.regions), datasource=_only(scope.datasources))


def _only(names: list[str] | None) -> str | None:
    return names[0] if names and len(names) == 1 else None
