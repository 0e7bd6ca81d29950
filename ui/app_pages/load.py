"""The page Load."""

from ui.load import render_load_page

render_load_page()
