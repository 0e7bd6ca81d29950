"""The page Explore."""

from ui.explore.page import render_explore

render_explore()
