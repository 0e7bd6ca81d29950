"""Named areas: the polygons of places, as shapes that questions take."""

import json
from functools import lru_cache

from sqlalchemy import Connection

from shared.areas.shape import Shape, parse_shape
from shared.places.model import Place
from shared.places.reading import fetch_place, find_place
from shared.platform.errors import RequestError

# Nine digits fit into an id; more are somebody's name.
_MAX_ID_DIGITS = 9


def find_area(connection: Connection, text: str) -> Shape:
    """The shape of a place, given by its id, name or key, or by SET/NAME.

    Raises: NotFoundError; RequestError for a point, or where several places are called so.
    """
    if text.isdecimal() and len(text) <= _MAX_ID_DIGITS:
        return make_place_shape(fetch_place(connection, int(text)))
    return make_place_shape(find_place(connection, text))


def make_place_shape(place: Place) -> Shape:
    """The shape of a place. Raises: RequestError for one that is a point."""
    if place.polygon is None:
        raise RequestError(f"{place.name} is a point, and no area.", parameter="area")
    return _read_polygon(place.polygon)


@lru_cache(maxsize=512)
def _read_polygon(polygon: bytes) -> Shape:
    import shapely  # GEOS

    return parse_shape(json.loads(shapely.to_geojson(shapely.from_wkb(polygon))))
