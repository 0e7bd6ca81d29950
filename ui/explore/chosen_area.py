"""The named area that the address chooses, read from its place set."""

import streamlit as st

from shared.areas.named_area import make_place_shape
from shared.places.reading import fetch_place
from shared.platform.errors import NotFoundError, RequestError
from shared.services.database import transaction
from ui.services.resources import Resources
from ui.session.view_state import change_view, current_view, settle_place
from ui.style.text import escape_markdown


def take_place(resources: Resources) -> None:
    """Read the shape of the view's named area; one that isn't there is dropped, and the page says so."""
    view = current_view()
    if view.place_id is None or view.shape:
        return
    try:
        with transaction(resources.engine) as connection:
            place = fetch_place(connection, view.place_id)
        settle_place(make_place_shape(place), place.name)
    except (NotFoundError, RequestError) as error:
        change_view(place_id=None)
        st.warning(escape_markdown(error.message), icon=":material/link_off:")
