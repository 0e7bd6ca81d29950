"""The page Load."""

from ui.load import render_load

render_load()
