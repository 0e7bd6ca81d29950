"""What one visitor's session remembers: the view, the views before it, and the address that shows it.

The view is the only truth. Controls are set from it before they are drawn and change it in their callbacks; the address
follows it, and is followed when somebody opens a link, goes back, or comes from another page.
"""

from dataclasses import replace
from typing import Final

import streamlit as st

from ui.view import PARAMETERS, View, parse_view

_VIEW: Final = "view"
_PAST: Final = "view_past"
_ADDRESS: Final = "view_address"
_PROBLEMS: Final = "view_problems"
# Undo is for the last few slips, and the session lives in the server's memory.
_PAST_LENGTH: Final = 20


def current_view() -> View:
    """The session's view."""
    view: View = st.session_state.setdefault(_VIEW, View())
    return view


def address_problems() -> list[str]:
    """What the address got wrong when it was last read."""
    problems: list[str] = st.session_state.get(_PROBLEMS, [])
    return problems


def follow_address() -> None:
    """Take the view from the address when it isn't the one written last; a page opened without parameters keeps its view."""
    address = {name: st.query_params[name] for name in PARAMETERS if name in st.query_params}
    if address and address != st.session_state.get(_ADDRESS):
        view, st.session_state[_PROBLEMS] = parse_view(address)
        _keep(current_view(), view)
    _write_address()


def change_view(**changes: object) -> None:
    """Change some fields of the view; the view before can be had back by undo_view."""
    st.session_state[_PROBLEMS] = []
    _keep(current_view(), replace(current_view(), **changes))  # type: ignore[arg-type]
    _write_address()


def replace_view(view: View) -> None:
    """Take another view, from a page that isn't Explore: the address is left alone."""
    _keep(current_view(), view)


def reset_view() -> None:
    """Drop every filter."""
    change_view(**{name: getattr(View(), name) for name in View.__slots__})


def can_undo() -> bool:
    """Whether there is a view to go back to."""
    return bool(st.session_state.get(_PAST))


def undo_view() -> None:
    """Go back to the view before."""
    past: list[View] = st.session_state.get(_PAST, [])
    if past:
        st.session_state[_VIEW] = past.pop()
        _write_address()


def _keep(old: View, new: View) -> None:
    if new == old:
        return
    st.session_state[_VIEW] = new
    st.session_state[_PAST] = [*st.session_state.get(_PAST, []), old][-_PAST_LENGTH:]


def _write_address() -> None:
    params = current_view().to_params()
    st.session_state[_ADDRESS] = params
    for name in PARAMETERS:
        if name in params:
            if st.query_params.get(name) != params[name]:
                st.query_params[name] = params[name]
        elif name in st.query_params:
            del st.query_params[name]
