"""Random shapes that look for trouble: holes, spikes, collinear edges, vertices on cells and trips, antimeridian, poles."""

import math
import random
from typing import Any

from shared.areas.shape import Shape, parse_shape
from shared.domain.area import Area
from shared.domain.position import decode_position
from tests.random_trips import draw_box, draw_place
from tests.trip_maker import MadeTrip

Point = tuple[float, float]
_SIZES = [1e-6, 0.003, 0.05, 1.0, 30.0]


def draw_area(dice: random.Random, trips: list[MadeTrip]) -> Area | None:
    """A box, a shape or nothing."""
    return draw_shape(dice, trips) if dice.random() < 0.6 else draw_box(dice)


def draw_shape(dice: random.Random, trips: list[MadeTrip]) -> Shape:
    """One to three polygons, near trips where there are some."""
    polygons = [_draw_polygon(dice, trips) for _ in range(dice.choice([1, 1, 1, 3]))]
    return parse_shape({"type": "MultiPolygon", "coordinates": polygons})


def _draw_polygon(dice: random.Random, trips: list[MadeTrip]) -> list[list[Point]]:
    centre = _draw_point(dice, trips)
    size = dice.choice(_SIZES)
    rings = [_draw_ring(dice, trips, centre, size)]
    if dice.random() < 0.4:  # a hole, or what even-odd makes of it
        rings.append(_draw_ring(dice, trips, centre, size * dice.choice([0.1, 0.5, 1.0])))
    return rings


def _draw_ring(dice: random.Random, trips: list[MadeTrip], centre: Point, size: float) -> list[Point]:
    kind = dice.random()
    count = dice.choice([3, 4, 5, 8, 40])
    if kind < 0.3:  # any points: edges cross, spikes, on trips and cell borders
        points = [_draw_point(dice, trips) for _ in range(count)]
    elif kind < 0.4:  # collinear
        points = [(centre[0] + size * part, centre[1] + size * part) for part in (0.0, 0.25, 1.0, 0.5)]
    elif kind < 0.55:  # along the axes
        west, south, east, north = centre[0], centre[1], centre[0] + size, centre[1] + size / 2
        points = [(west, south), ((west + east) / 2, south), (east, south), (east, north), (west, north)]
    else:  # a star
        turn = dice.random()
        points = [
            (
                centre[0] + size * dice.choice([0.3, 1.0]) * math.cos(turn + 2 * math.pi * number / count),
                centre[1] + size * dice.choice([0.3, 1.0]) * math.sin(turn + 2 * math.pi * number / count),
            )
            for number in range(count)
        ]
    shift = dice.choice([0, 0, 0, 360, -360])
    low = min(point[0] for point in points)
    wide = [(min(540.0, max(-540.0, min(x, low + 359) + shift)), min(90.0, max(-90.0, y))) for x, y in points]
    return [*wide, wide[0]]


def _draw_point(dice: random.Random, trips: list[MadeTrip]) -> Point:
    if not trips or dice.random() < 0.3:
        return draw_place(dice)
    trip = dice.choice(trips)
    return decode_position(dice.choice([trip.origin, trip.destination]))


def make_polygon(points: list[Any]) -> dict[str, Any]:
    """GeoJSON of one ring, which is closed here."""
    return {"type": "Polygon", "coordinates": [[*points, points[0]]]}
