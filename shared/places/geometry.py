"""Geometry of places: from a shapely geometry in WGS 84 to what is stored, and back to GeoJSON.

new = make_place("161", "Midtown Center", shape)     # a Point, Polygon or MultiPolygon
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry.base import BaseGeometry

from shared.domain.position import encode_position
from shared.places.model import NewPlace, Place
from shared.platform.errors import RequestError

if TYPE_CHECKING:
    from shapely import MultiPolygon, Polygon


def make_place(key: str, name: str, shape: BaseGeometry) -> NewPlace:
    """Make a place of a point, or of a polygon or multipolygon, whose trips lie at a point inside it.

    Units: degrees. CRS: WGS 84, longitude first. Raises: RequestError that says what is wrong with the shape.
    """
    if shape.geom_type == "Point":
        _check_range(shape)
        return NewPlace(key, name, encode_position(shape.x, shape.y), (shape.x, shape.y, shape.x, shape.y))
    polygon = check_polygon(shape)
    inside = polygon.representative_point()
    return NewPlace(key, name, encode_position(inside.x, inside.y), polygon.bounds, shapely.to_wkb(polygon))


def parse_geojson(geometry: Mapping[str, Any]) -> BaseGeometry:
    """Return the shape of a GeoJSON geometry. Raises: RequestError where it is none."""
    shape = shapely.from_geojson(json.dumps(geometry), on_invalid="ignore")
    if shape is None or geometry.get("type") in ("Feature", "FeatureCollection"):
        raise RequestError("The geometry is no GeoJSON geometry.", parameter="geometry")
    found: BaseGeometry = shape
    return found


def check_polygon(shape: BaseGeometry) -> "Polygon | MultiPolygon":
    """Return a polygon or multipolygon without heights. Raises: RequestError for another shape, or one with invalid rings."""
    if shape.geom_type not in ("Polygon", "MultiPolygon"):
        raise RequestError(f"it is a {shape.geom_type}, and neither a polygon nor a multipolygon.", parameter="shape")
    if shape.is_empty:
        raise RequestError("it is empty.", parameter="shape")
    _check_range(shape)
    if not shape.is_valid:
        raise RequestError(f"its rings are invalid: {shapely.is_valid_reason(shape)}.", parameter="shape")
    flat: Polygon | MultiPolygon = shapely.force_2d(shape)
    return flat


def make_geojson(place: Place) -> dict[str, Any]:
    """A place as a GeoJSON feature: its polygon, or its point. Properties: key, name, place_id."""
    geometry = json.loads(shapely.to_geojson(place.shape)) if place.shape else {"type": "Point", "coordinates": list(place.point)}
    properties = {"key": place.key, "name": place.name, "place_id": place.place_id}
    return {"type": "Feature", "id": place.place_id, "properties": properties, "geometry": geometry}


def _check_range(shape: BaseGeometry) -> None:
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise RequestError("it lies outside of longitude ±180 and latitude ±90 degrees.", parameter="shape")
