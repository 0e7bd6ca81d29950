"""The named area that the address chooses, read from its place set."""

import json
from functools import lru_cache

import streamlit as st

from shared.areas.shape import Shape, parse_shape
from shared.places.model import Place
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


def make_place_shape(place: Place) -> Shape:
    """The shape of a place. Raises: RequestError for one that is a point."""
    if place.polygon is None:
        raise RequestError(f"{place.name} is a point, and no area.", parameter="area")
    return _read_polygon(place.polygon)


@lru_cache(maxsize=512)
def _read_polygon(polygon: bytes) -> Shape:
    import shapely  # GEOS

    return parse_shape(json.loads(shapely.to_geojson(shapely.from_wkb(polygon))))
