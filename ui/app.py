"""The script that Streamlit runs for every visitor: the frame around the pages."""

from pathlib import Path
from typing import Final

import streamlit as st

from ui.services.hub_token import render_hub_pass
from ui.services.resources import get_resources
from ui.services.sign_in import is_admitted, name_user, render_sign_in, render_sign_out
from ui.session.view_state import remember_page
from ui.style.html_shell import PAGES
from ui.style.theme import STYLE

_PAGES: Final = Path(__file__).resolve().parent / "app_pages"
_ICON: Final = str(Path(__file__).resolve().parent / "icon.svg")
_ABOUT: Final = "Tripdeck: load trip files of any size, see them as flows, and read exact weekly averages for any region or box."

st.set_page_config(page_title="Tripdeck", page_icon=_ICON, layout="wide", menu_items={"About": _ABOUT})
st.logo(_ICON)
st.html(STYLE)
settings = get_resources().settings
if is_admitted(settings):
    pages = [
        st.Page(_PAGES / "explore.py", title="Explore", icon=":material/map:", default=True),
        st.Page(_PAGES / "load.py", title="Load", icon=":material/upload:"),
        st.Page(_PAGES / "loads.py", title="Loads", icon=":material/list_alt:"),
        st.Page(_PAGES / "questions.py", title="Questions", icon=":material/help_center:"),
    ]
    if settings.sign_in_file:
        pages.append(st.Page(render_sign_out, title=f"Sign out {name_user()}", icon=":material/logout:", url_path="sign-out"))
    page = st.navigation(pages, position="top")
    if settings.hub_secret:
        render_hub_pass()
    remember_page(page.title)
    page.run()
else:
    # Every address of a page leads here, and none says whether there is such a page.
    names = ("", *(name for name in PAGES if name != "explore"))
    doors = [
        st.Page(render_sign_in, title="Sign in", url_path=name, default=not name, visibility="hidden" if name else "visible")
        for name in names
    ]
    st.navigation(doors, position="hidden").run()
