"""The page Explore."""

from ui.explore import render_explore

render_explore()
