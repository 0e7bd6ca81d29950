"""Keys of what shows a part of the view and is changed by hand: controls and charts.

With every gesture a browser sends what all its controls show, even before it has drawn what was set meanwhile. So what was
chosen elsewhere is shown by a control that comes anew, under another key, and what is still said of the old one counts no more.
"""

from collections.abc import Hashable
from typing import Any

import streamlit as st


def turn_key(name: str, value: Hashable) -> str:
    """Key of what shows a value; a new one when the value was chosen elsewhere."""
    if _name_shown(name) not in st.session_state:
        mark_shown(name, value)
    elif st.session_state[_name_shown(name)] != value:
        st.session_state.pop(current_key(name), None)
        st.session_state[_name_turn(name)] = st.session_state.get(_name_turn(name), 0) + 1
        mark_shown(name, value)
    return current_key(name)


def current_key(name: str) -> str:
    """The key that turn_key gave last. theme.py hides the old one's control, which lingers till the run's end."""
    return f"turn_{name}_{st.session_state.get(_name_turn(name), 0)}"


def mark_shown(name: str, value: Hashable) -> None:
    """Say what was chosen by hand and is shown already."""
    st.session_state[_name_shown(name)] = value


def place_control(name: str, value: Hashable) -> str:
    """Key of a control that shows a value."""
    key = turn_key(name, value)
    # A control shows None by itself, and what is set overwrites what is being typed.
    if value is not None:
        st.session_state[key] = value
    return key


def take_control(name: str) -> Any:  # noqa: ANN401 - each control has its own kind of value
    """What was chosen in a control. When it isn't placed with that, it comes anew."""
    # A run that was broken off may have chosen a key and not come to the control.
    value = st.session_state.get(current_key(name), st.session_state[_name_shown(name)])
    mark_shown(name, value)
    return value


def _name_turn(name: str) -> str:
    return f"{name}_turn"


def _name_shown(name: str) -> str:
    return f"{name}_shown"
