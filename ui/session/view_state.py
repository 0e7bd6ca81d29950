"""What one visitor's session remembers: the view, the views before it, and the address that shows it.

The view is the only truth. Controls are set from it before they are drawn and change it in their callbacks; the address
follows it, and is followed when somebody opens a link, goes back, or comes from another page: always a run of the whole page.
A gesture runs the fragment alone and brings the address that its browser knew, which may be older than the view.
"""

from dataclasses import replace
from typing import Final

import streamlit as st

from shared.areas.shape import Shape
from ui.session.view import PARAMETERS, View, parse_view

_VIEW: Final = "view"
_PAST: Final = "view_past"
_ADDRESS: Final = "view_address"
_PROBLEMS: Final = "view_problems"
_PAGE: Final = "page"
_PAGE_BEFORE: Final = "page_before"
# Undo is for the last few slips, and the session lives in the server's memory.
_PAST_LENGTH: Final = 20
_NO_AREA: Final = {"box": None, "shape": None, "place_id": None, "place_name": None}


def current_view() -> View:
    """The session's view."""
    view: View = st.session_state.setdefault(_VIEW, View())
    return view


def address_problems() -> list[str]:
    """What the address got wrong when it was last read."""
    problems: list[str] = st.session_state.get(_PROBLEMS, [])
    return problems


def remember_page(name: str) -> None:
    """Remember which page is run, and which one was before."""
    st.session_state[_PAGE_BEFORE] = st.session_state.get(_PAGE)
    st.session_state[_PAGE] = name


def follow_address() -> None:
    """Take the view from the address when it isn't the one written last. A return from another page keeps the view."""
    address = {name: st.query_params[name] for name in PARAMETERS if name in st.query_params}
    is_return = not address and st.session_state.get(_PAGE_BEFORE) != st.session_state.get(_PAGE)
    if address != st.session_state.get(_ADDRESS) and not is_return:
        view, st.session_state[_PROBLEMS] = parse_view(address)
        _keep(current_view(), view)
    write_address()


def write_address() -> None:
    """Let the address show the view, in one step of the browser's history."""
    params = current_view().to_params()
    st.session_state[_ADDRESS] = params
    shown = st.query_params.to_dict()
    address = {name: value for name, value in shown.items() if name not in PARAMETERS} | params
    if shown != address:
        st.query_params.from_dict(address)


def change_view(**changes: object) -> None:
    """Change some fields of the view; an area replaces the one before. The view before can be had back by undo_view."""
    st.session_state[_PROBLEMS] = []
    if changes.keys() & _NO_AREA.keys():
        changes = _NO_AREA | changes
    _keep(current_view(), replace(current_view(), **changes))  # type: ignore[arg-type]
    write_address()


def settle_place(shape: Shape, name: str) -> None:
    """Fill in what the view's named area is: no other view, and nothing to undo."""
    st.session_state[_VIEW] = replace(current_view(), shape=shape, place_name=name)


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
        write_address()


def _keep(old: View, new: View) -> None:
    if new == old:
        return
    st.session_state[_VIEW] = new
    st.session_state[_PAST] = [*st.session_state.get(_PAST, []), old][-_PAST_LENGTH:]
