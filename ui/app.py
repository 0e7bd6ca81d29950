"""The script that Streamlit runs for every visitor: the frame around the pages."""

from pathlib import Path
from typing import Final

import streamlit as st

from ui.theme import STYLE

_PAGES: Final = Path(__file__).resolve().parent / "app_pages"
_ICON: Final = str(Path(__file__).resolve().parent / "icon.svg")
_ABOUT: Final = "Tripdeck: load trip files of any size, see them as flows, and read exact weekly averages for any region or box."

st.set_page_config(page_title="Tripdeck", page_icon=_ICON, layout="wide", menu_items={"About": _ABOUT})
st.logo(_ICON)
st.html(STYLE)
page = st.navigation(
    [
        st.Page(_PAGES / "explore.py", title="Explore", icon=":material/map:", default=True),
        st.Page(_PAGES / "load.py", title="Load", icon=":material/upload:"),
        st.Page(_PAGES / "loads.py", title="Loads", icon=":material/list_alt:"),
        st.Page(_PAGES / "questions.py", title="Questions", icon=":material/help_center:"),
    ],
    position="top",
)
page.run()
