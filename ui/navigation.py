"""From one page to another with something to show there."""

from typing import Final

import streamlit as st

from ui.ground import fetch_load_ground
from ui.resources import Resources
from ui.view import View

EXPLORE: Final = "app_pages/explore.py"
LOAD: Final = "app_pages/load.py"
LOADS: Final = "app_pages/loads.py"


def open_load(load_id: int) -> None:
    """Show a load in the history; ends the run."""
    st.switch_page(LOADS, query_params={"load": str(load_id)})


def open_load_on_map(resources: Resources, load_id: int) -> None:
    """Show where a load's trips start; ends the run."""
    with resources.answers.open() as ask:
        box = ask(fetch_load_ground, load_id)
    st.switch_page(EXPLORE, query_params=View(box=box).to_params())
