"""Made-up cities for generated trips: a dense centre, quarters, hubs, streets on a grid, and water nobody starts a trip in.

    places = make_places(CITIES[0])      # longitude and latitude of homes and of destinations of daily life

CRS: WGS 84, longitude before latitude. Distances are metres on a plane around the city's centre, good to a few metres in 30 km.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
"""Shape: n rows of 2, east then north; metres from the city's centre, or degrees."""

PLACES: Final = 1 << 16
_M_PER_DEGREE: Final = 111_320.0
_BLOCK_M: Final = np.array([95.0, 170.0])
_STREET_NOISE_M: Final = 5.0
_BANK_M: Final = 25.0


@dataclass(frozen=True)
class Hub:
    """A place where many trips begin and end, such as a station or an airport."""

    longitude: float
    latitude: float
    weight: float
    spread_m: float = 160.0


@dataclass(frozen=True)
class Water:
    """A river or lake: a line with a width."""

    line: tuple[tuple[float, float], ...]
    width_m: float


@dataclass(frozen=True)
class City:
    """One region of a generated file."""

    name: str
    share: float
    centre: tuple[float, float]
    radius_m: float
    street_bearing_deg: float
    hubs: tuple[Hub, ...]
    waters: tuple[Water, ...]


@dataclass(frozen=True)
class Places:
    """Where trips of a city begin and end; degrees, PLACES of each kind."""

    homes: Points
    goals: Points


@cache
def make_places(city: City) -> Places:
    """Draw a city's places, the same ones every time: a city does not change with a file's seed."""
    random = np.random.default_rng(crc32(city.name.encode()))
    homes = _make_homes(city, random)
    goals = _make_goals(city, random, homes)
    return Places(*(_to_degrees(city, _leave_water(city, _snap_to_streets(city, points, random))) for points in (homes, goals)))


def _make_homes(city: City, random: np.random.Generator) -> Points:
    """Half of the homes around the centre, half in sixteen quarters."""
    central = random.normal(0.0, city.radius_m * 0.33, (PLACES, 2))
    angle, distance = random.uniform(0, 2 * np.pi, 16), city.radius_m * np.sqrt(random.uniform(0.15, 1.0, 16))
    quarters = np.column_stack([np.cos(angle), np.sin(angle)]) * distance[:, None]
    chosen = random.integers(0, 16, PLACES)
    quarter = quarters[chosen] + random.normal(0.0, 1.0, (PLACES, 2)) * random.uniform(350, 900, 16)[chosen, None]
    return np.where(random.random(PLACES)[:, None] < 0.5, central, quarter)


def _make_goals(city: City, random: np.random.Generator, homes: Points) -> Points:
    """Half of the goals at hubs, a third in the centre, the rest anywhere people live."""
    weights = np.array([hub.weight for hub in city.hubs])
    hubs = _to_metres(city, np.array([(hub.longitude, hub.latitude) for hub in city.hubs]))
    spreads = np.array([hub.spread_m for hub in city.hubs])
    chosen = random.choice(len(hubs), PLACES, p=weights / weights.sum())
    at_hub = hubs[chosen] + random.normal(0.0, 1.0, (PLACES, 2)) * spreads[chosen, None]
    central = random.normal(0.0, city.radius_m * 0.14, (PLACES, 2))
    kind = random.random(PLACES)[:, None]
    return np.where(kind < 0.5, at_hub, np.where(kind < 0.83, central, homes))


def _snap_to_streets(city: City, points: Points, random: np.random.Generator) -> Points:
    """Move each point to the nearest street of a turned grid, along one of the two directions."""
    angle = np.radians(city.street_bearing_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = points @ turn
    snapped = np.round(turned / _BLOCK_M) * _BLOCK_M + random.normal(0.0, _STREET_NOISE_M, turned.shape)
    is_snapped = random.random(len(points)) < 0.5
    walked: Points = np.where(np.column_stack([is_snapped, ~is_snapped]), snapped, turned) @ turn.T
    return walked


def _leave_water(city: City, points: Points) -> Points:
    """Move points that fell into water out to its nearer bank."""
    for water in city.waters:
        line = _to_metres(city, np.array(water.line))
        away = _nearest_offset(points, line)
        distance = np.hypot(away[:, 0], away[:, 1])
        half = water.width_m / 2
        reach = np.where(distance < half, (half + _BANK_M + distance * 0.2) / np.maximum(distance, 1e-9) - 1, 0.0)
        points = points + away * reach[:, None]
    return points


def _nearest_offset(points: Points, line: Points) -> Points:
    """Vector from the nearest point of a line to each point."""
    best = np.full(points.shape, np.inf)
    best_distance = np.full(len(points), np.inf)
    for start, end in pairwise(line):
        along = end - start
        share = np.clip((points - start) @ along / (along @ along), 0.0, 1.0)
        offset = points - (start + share[:, None] * along)
        distance = np.hypot(offset[:, 0], offset[:, 1])
        is_nearer = distance < best_distance
        best[is_nearer] = offset[is_nearer]
        best_distance[is_nearer] = distance[is_nearer]
    return best


def _scale(city: City) -> Points:
    return np.array([_M_PER_DEGREE * np.cos(np.radians(city.centre[1])), _M_PER_DEGREE])


def _to_metres(city: City, degrees: Points) -> Points:
    metres: Points = (degrees - np.array(city.centre)) * _scale(city)
    return metres


def _to_degrees(city: City, metres: Points) -> Points:
    degrees: Points = metres / _scale(city) + np.array(city.centre)
    return degrees


CITIES: Final = (
    City(
        name="Prague",
        share=0.42,
        centre=(14.4248, 50.0835),
        radius_m=8_000,
        street_bearing_deg=18.0,
        hubs=(
            Hub(14.4361, 50.0830, 5),
            Hub(14.4036, 50.0713, 3),
            Hub(14.4404, 50.1090, 3),
            Hub(14.3933, 50.1003, 2.5),
            Hub(14.4909, 50.0318, 2),
            Hub(14.5157, 50.1263, 1.5, 250),
            Hub(14.2911, 50.0537, 1.2, 220),
            Hub(14.2600, 50.1008, 3.5, 260),
        ),
        waters=(
            Water(
                (
                    (14.398, 49.95),
                    (14.405, 50.00),
                    (14.411, 50.04),
                    (14.413, 50.065),
                    (14.412, 50.086),
                    (14.421, 50.094),
                    (14.437, 50.096),
                    (14.455, 50.102),
                    (14.457, 50.110),
                    (14.440, 50.116),
                    (14.415, 50.118),
                    (14.398, 50.130),
                    (14.395, 50.18),
                ),
                210,
            ),
        ),
    ),
    City(
        name="Turin",
        share=0.33,
        centre=(7.6760, 45.0690),
        radius_m=6_500,
        street_bearing_deg=26.0,
        hubs=(
            Hub(7.6786, 45.0624, 5),
            Hub(7.6660, 45.0725, 4),
            Hub(7.6630, 45.0290, 2.5),
            Hub(7.6590, 45.0628, 2.5),
            Hub(7.6413, 45.1096, 1.5, 240),
            Hub(7.6230, 45.0330, 1.8, 280),
            Hub(7.6496, 45.2008, 2.2, 220),
        ),
        waters=(
            Water(
                (
                    (7.690, 44.96),
                    (7.678, 45.005),
                    (7.679, 45.035),
                    (7.690, 45.052),
                    (7.700, 45.063),
                    (7.715, 45.080),
                    (7.740, 45.096),
                    (7.790, 45.120),
                ),
                190,
            ),
        ),
    ),
    City(
        name="Hamburg",
        share=0.25,
        centre=(9.9960, 53.5600),
        radius_m=9_500,
        street_bearing_deg=-12.0,
        hubs=(
            Hub(10.0069, 53.5528, 5),
            Hub(9.9351, 53.5527, 3.5),
            Hub(10.0060, 53.6304, 3, 260),
            Hub(10.0447, 53.5870, 2.2),
            Hub(10.0700, 53.5720, 1.8),
            Hub(9.9917, 53.4560, 2, 220),
            Hub(10.2060, 53.4890, 1.2, 200),
        ),
        waters=(
            Water(
                (
                    (9.60, 53.590),
                    (9.80, 53.552),
                    (9.93, 53.541),
                    (9.985, 53.536),
                    (10.04, 53.528),
                    (10.10, 53.490),
                    (10.20, 53.430),
                ),
                620,
            ),
            Water(((10.000, 53.563), (10.006, 53.584)), 720),
        ),
    ),
)
