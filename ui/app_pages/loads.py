"""The page Loads."""

from ui.loads import render_loads

render_loads()
