"""Ground: which part of the earth the map shows at first, and the cell size that suits it.

CRS: WGS 84. A map of zoom z is 512 * 2^z pixels round the equator (web Mercator, as MapLibre counts).
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

from shared.domain.area import Box
from shared.groups.listing import fetch_flows
from shared.groups.question import FlowQuestion
from shared.questions.density import fetch_density

Weighted = tuple[float, float, int]
"""Longitude, latitude, trips."""

_WORLD_PIXELS: Final = 512
# Finer cells run into each other; coarser ones show the grid they lie on rather than the city.
_LEAST_CELL_PIXELS: Final = 14
_PRECISIONS: Final = range(2, 8)
_MAX_ZOOM: Final = 15.0
# A trip with a wrong coordinate must not make the map show half the earth.
_OUTLIERS: Final = 0.005
# Coarse cells do for a first look: they are read and decoded in a tenth of the time.
_GROUND_CELLS: Final = 3_000
_MARGIN: Final = 0.08
_LEAST_SPAN_DEG: Final = 0.02


def fetch_ground(connection: Connection, region: str | None, datasource: str | None) -> Box | None:
    """Find the ground that nearly all trips of a region and a datasource cover; None without trips."""
    if region is None and datasource is None:
        return fit_box((cell.longitude, cell.latitude, cell.trips) for cell in fetch_density(connection, limit=_GROUND_CELLS))
    flow_map = fetch_flows(connection, FlowQuestion(region=region, datasource=datasource, precision=5, limit=2_000))
    places = (
        (each.longitude, each.latitude, each.in_trips + each.out_trips + each.internal_trips) for each in flow_map.locations
    )
    return fit_box(places)


def fit_box(places: Iterable[Weighted]) -> Box | None:
    """The box around all places but the outermost 0.5 % of trips on each side, with a margin."""
    found = list(places)
    if not found:
        return None
    west, east = _spread([(longitude, trips) for longitude, _, trips in found], 180.0)
    south, north = _spread([(latitude, trips) for _, latitude, trips in found], 90.0)
    return Box(west, south, east, north)


def choose_zoom(ground: Box, width_pixels: int) -> float:
    """The zoom at which the ground is as wide as the map."""
    span = max(_LEAST_SPAN_DEG, ground.east - ground.west if ground.east >= ground.west else 360 + ground.east - ground.west)
    return min(_MAX_ZOOM, math.log2(360 * width_pixels / (_WORLD_PIXELS * span)))


def choose_precision(zoom: float) -> int:
    """The finest geohash precision whose cells can be told apart at a zoom."""
    fitting = [precision for precision in _PRECISIONS if _cell_pixels(precision, zoom) >= _LEAST_CELL_PIXELS]
    return max(fitting, default=_PRECISIONS.start)


def _cell_pixels(precision: int, zoom: float) -> float:
    longitude_bits = (5 * precision + 1) // 2
    return float(_WORLD_PIXELS * 2**zoom / 2**longitude_bits)


def _spread(values: Sequence[tuple[float, int]], limit: float) -> tuple[float, float]:
    values = sorted(values)
    allowed = sum(trips for _, trips in values) * _OUTLIERS
    low, high = _skip(values, allowed), _skip(values[::-1], allowed)
    margin = max(_LEAST_SPAN_DEG, high - low) * _MARGIN
    return max(-limit, low - margin), min(limit, high + margin)


def _skip(values: Sequence[tuple[float, int]], allowed: float) -> float:
    passed = 0
    for value, trips in values:
        passed += trips
        if passed > allowed:
            return value
    return values[-1][0]
