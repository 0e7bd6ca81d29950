"""The page Loads."""

import streamlit as st


def render_loads() -> None:
    """Draw the page."""
    st.write("soon")
