"""The packaged browser components, ready to mount."""

import importlib.util
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.components.build import BuildError


@cache
def get_component(name: str) -> ComponentRenderer:
    """Get a component by its name in pyproject.toml. Call it inside a page: Streamlit finds packages when its server starts.

    Raises: BuildError when the components are not built or Tripdeck is not installed.
    """
    package = importlib.util.find_spec("tripdeck")
    if package is None or package.origin is None:
        raise BuildError("Tripdeck is not installed in this Python: run `pip install --no-deps -e .` in its folder.")
    if not list((Path(package.origin).parent / "assets").glob(f"{name}-*.js")):
        raise BuildError("The browser components are not built: run `python -m ui.components.build`.")
    return st.components.v2.component(f"tripdeck.{name}", js=f"{name}-*.js")
