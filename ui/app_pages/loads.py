"""The page Loads."""

from ui.loads.page import render_loads

render_loads()
