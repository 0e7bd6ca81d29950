"""Shapes: polygons and multipolygons with holes, as GeoJSON gives them (RFC 7946).

    shape = parse_shape(json.loads(text))
    shape.on_grid().contains(positions)

Vertices are rounded to the grid of positions as trip ends are; edges are straight lines between them in longitude and latitude. A
position lies in the shape if it lies on an edge, or if a ray from it crosses an odd number of edges of all rings (even-odd rule):
a ring in another is a hole, and rings may cross themselves and one another.

CRS: WGS 84. A ring over the antimeridian goes on beyond 180 or -180 degrees; a shape that is split there means the same.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from shared.areas.shape_area import ShapeArea, make_shape_area
from shared.domain.area import Extent
from shared.domain.position import AXIS_STEPS, Degrees
from shared.platform.arrays import Numbers
from shared.platform.errors import RequestError

MAX_VERTICES: Final = 100_000
"""Coastlines of countries at full detail have some tens of thousands; more vertices take seconds to prepare."""

_LEAST_POSITIONS: Final = 4
_NAME_KEYS: Final = ("name", "NAME", "Name", "id")
_MOST_NAME: Final = 60
_MAX_LONGITUDE: Final = 540.0


@dataclass(frozen=True)
class Shape:
    """A shape. rings: vertices of each ring in degrees, closed. digest: tells shapes apart. Shape: n vertices by 2 each."""

    digest: str
    rings: Sequence[Degrees] = field(repr=False, compare=False)

    def on_grid(self) -> ShapeArea:
        """The shape on the grid of positions."""
        return self._grid_area

    @cached_property
    def _grid_area(self) -> ShapeArea:
        return self.make_area()

    @property
    def extent(self) -> Extent:
        """The rectangle around it; east lies beyond 180 where it crosses the antimeridian."""
        west, south = np.min([ring.min(axis=0) for ring in self.rings], axis=0).tolist()
        east, north = np.max([ring.max(axis=0) for ring in self.rings], axis=0).tolist()
        return (west + 360, south, east + 360, north) if west < -180 else (west, south, east, north)

    def make_area(self, *, bits: int | None = None) -> ShapeArea:
        """Make the shape on the grid of positions. bits: see grid_tree.make_tree."""
        rings = [_quantise(ring) for ring in self.rings]
        x_low = _find_first_x(rings)
        edges, x_high = [], x_low
        for ring in rings:
            ring[:, 0] += (x_low - int(ring[:, 0].min())) // -AXIS_STEPS * -AXIS_STEPS
            x_high = max(x_high, int(ring[:, 0].max()))
            edges.append(np.concatenate([ring[:-1], ring[1:]], axis=1))
            if x_high >= x_low + AXIS_STEPS:  # rings all around the Earth
                edges.append(edges[-1] - (AXIS_STEPS, 0, AXIS_STEPS, 0))
        found = np.concatenate(edges)
        is_down = found[:, 1] > found[:, 3]
        found[is_down] = found[is_down][:, [2, 3, 0, 1]]
        y_low, y_high = int(found[:, 1].min()), int(found[:, 3].max())
        return make_shape_area(found, (x_low, min(x_high, x_low + AXIS_STEPS - 1), y_low, y_high), bits=bits)

    def to_json(self) -> dict[str, Any]:
        """A GeoJSON geometry whose even-odd reading is the shape."""
        return {"type": "MultiPolygon", "coordinates": [[ring.tolist()] for ring in self.rings]}


def parse_shape(document: object, *, parameter: str = "shape") -> Shape:
    """Read a GeoJSON polygon or multipolygon, a feature of such, or a collection of such features, whose rings count together.

    Raises: RequestError that names the feature and the ring.
    """
    try:
        return _make_shape(_list_polygons(document))
    except _ShapeError as error:
        raise RequestError(str(error), parameter=parameter) from error


def parse_zones(document: object, *, parameter: str = "zones") -> list[tuple[str, Shape]]:
    """Read a GeoJSON FeatureCollection as zones: name and shape of each feature; one without a name is called by its number.

    Raises: RequestError that names the feature and the ring.
    """
    if not isinstance(document, Mapping) or document.get("type") != "FeatureCollection" or not document.get("features"):
        raise RequestError("Zones are a GeoJSON FeatureCollection.", parameter=parameter)
    try:
        return [
            (_find_name(feature) or str(number), _make_shape(_list_feature_polygons(feature, f"feature {number}")))
            for number, feature in enumerate(document["features"], start=1)
        ]
    except _ShapeError as error:
        raise RequestError(str(error), parameter=parameter) from error


def _make_shape(polygons: Iterable[tuple[str, Any]]) -> Shape:
    rings: list[Degrees] = []
    vertices = 0
    for label, coordinates in polygons:
        if not isinstance(coordinates, Sequence) or isinstance(coordinates, str) or not coordinates:
            raise _ShapeError(f"{_begin(label)} has no rings.")
        for number, ring in enumerate(coordinates, start=1):
            rings.append(_read_ring(ring, f"Ring {number} of {label}"))
            vertices += len(rings[-1]) - 1
            if vertices > MAX_VERTICES:
                raise _ShapeError(f"The shape has more than {MAX_VERTICES:,} vertices; simplify it.")
    if not rings:
        raise _ShapeError("The shape has no polygon.")
    digest = hashlib.sha256(b"|".join(ring.tobytes() for ring in rings)).hexdigest()[:32]
    return Shape(digest, tuple(rings))


class _ShapeError(ValueError):
    """What is wrong with a shape, as a sentence."""


def _list_polygons(document: object) -> Iterator[tuple[str, Any]]:
    """Yield each polygon's label and coordinates."""
    if not isinstance(document, Mapping):
        raise _ShapeError("A shape is a GeoJSON object.")
    if document.get("type") == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, Sequence) or isinstance(features, str):
            raise _ShapeError("The feature collection has no features.")
        for number, feature in enumerate(features, start=1):
            yield from _list_feature_polygons(feature, f"feature {number}")
    elif document.get("type") == "Feature":
        yield from _list_feature_polygons(document, "the feature")
    else:
        yield from _list_geometry_polygons(document, "the shape")


def _list_feature_polygons(feature: object, label: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(feature, Mapping) or feature.get("type") != "Feature":
        raise _ShapeError(f"{_begin(label)} is not a GeoJSON feature.")
    name = _find_name(feature)
    label += f' ("{name}")' if name else ""
    yield from _list_geometry_polygons(feature.get("geometry"), label)


def _find_name(feature: object) -> str | None:
    properties = feature.get("properties") if isinstance(feature, Mapping) else None
    if not isinstance(properties, Mapping):
        return None
    names = [str(properties[key])[:_MOST_NAME] for key in _NAME_KEYS if isinstance(properties.get(key), str | int)]
    return names[0] if names else None


def _list_geometry_polygons(geometry: object, label: str) -> Iterator[tuple[str, Any]]:
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    coordinates = geometry.get("coordinates") if isinstance(geometry, Mapping) else None
    if kind == "Polygon":
        yield label, coordinates
    elif kind == "MultiPolygon" and isinstance(coordinates, Sequence) and not isinstance(coordinates, str):
        for number, polygon in enumerate(coordinates, start=1):
            yield f"polygon {number} of {label}", polygon
    else:
        found = f"a {str(kind)[:_MOST_NAME]}" if isinstance(kind, str) else "no geometry"
        raise _ShapeError(f"{_begin(label)} must be a Polygon or a MultiPolygon, not {found}.")


def _read_ring(ring: object, label: str) -> Degrees:
    try:
        vertices = np.array([(position[0], position[1]) for position in ring], np.float64)  # type: ignore[attr-defined]
    except (TypeError, ValueError, IndexError, KeyError, OverflowError) as error:
        raise _ShapeError(f"{label} is not a list of longitudes and latitudes.") from error
    if len(vertices) < _LEAST_POSITIONS:
        raise _ShapeError(f"{label} has {len(vertices)} positions; {_LEAST_POSITIONS} are needed, the last equal to the first.")
    if not np.isfinite(vertices).all():
        raise _ShapeError(f"{label} has a coordinate that is no number.")
    if (vertices[0] != vertices[-1]).any():
        raise _ShapeError(f"{label} is not closed: its last position must equal the first.")
    longitude, latitude = vertices.T
    if (np.abs(latitude) > 90).any():
        raise _ShapeError(f"{label} has a latitude outside -90 to 90 degrees; GeoJSON has the longitude first, in WGS 84.")
    if (np.abs(longitude) > _MAX_LONGITUDE).any() or np.ptp(longitude) > 360:
        raise _ShapeError(f"{label} has longitudes outside -540 to 540 degrees, or more than 360 degrees apart.")
    return vertices


def _begin(label: str) -> str:
    return label[0].upper() + label[1:]


def _quantise(ring: Degrees) -> Numbers:
    """The axis steps of vertices, as position.quantise_longitude and quantise_latitude; beyond 180 degrees steps go on.

    Shape: n by 2.
    """
    longitude, latitude = ring.T
    x = np.floor((longitude + 180.0) / 360.0 * AXIS_STEPS).astype(np.int64) - (longitude == 180.0)
    y = np.minimum(((latitude + 90.0) / 180.0 * AXIS_STEPS).astype(np.int64), AXIS_STEPS - 1)
    return np.stack([x, y], axis=1)


def _find_first_x(rings: Sequence[Numbers]) -> int:
    """The x step after the widest range of steps without a ring, the antimeridian being no border."""
    lows = np.array([ring[:, 0].min() for ring in rings])
    highs = np.array([ring[:, 0].max() for ring in rings]) - lows
    lows %= AXIS_STEPS
    order = np.argsort(lows)
    lows, highs = lows[order], np.maximum.accumulate((lows + highs)[order])
    gaps = np.append(lows[1:], lows[0] + AXIS_STEPS) - highs
    # Rings that reach beyond the last step take from the range before the first ring.
    gaps[np.append(lows[1:], lows[0] + AXIS_STEPS) <= highs[-1] - AXIS_STEPS] = 0
    return int(lows[(int(np.argmax(gaps)) + 1) % len(lows)])
