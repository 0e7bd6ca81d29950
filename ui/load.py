"""The page Load."""

import streamlit as st


def render_load() -> None:
    """Draw the page."""
    st.write("soon")
