"""The page Load."""

from ui.loads.load_page import render_load_page

render_load_page()
