"""Street pattern of a made-up city: arterials that leave the centre or ring it, and districts with grids of side streets.

    streets = make_streets(city, np.random.default_rng(1))

Units: metres on a plane, east then north, from the city's centre.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from loader.sample.cities import City, Points, Water

DISTRICTS: Final = 18
_RADIALS: Final = 11
_RINGS: Final = (0.16, 0.36, 0.68)
_PIECE_M: Final = 120.0
_BLOCK_M: Final = (85.0, 165.0)
# Side streets that a grid lacks, so that blocks differ in size.
_GAPS: Final = 0.16
# Shape of the gamma distribution of side streets' shares: a quarter of them take half of the trip ends.
_BUSY: Final = 0.9
_BANK_M: Final = 20.0
_WIDE_WATER_M: Final = 400.0
# Share of an arterial's trip ends that it keeps on a bridge: enough for the bridge to be seen.
_BRIDGE_SHARE: Final = 0.35


@dataclass(frozen=True)
class Streets:
    """Straight pieces of streets. Shape: starts and ends n rows of 2; is_arterial and share n.

    share: trip ends a metre against the usual.
    """

    starts: Points
    ends: Points
    is_arterial: npt.NDArray[np.bool_]
    share: npt.NDArray[np.float64]

    @property
    def middles(self) -> Points:
        """Middle of each piece."""
        return (self.starts + self.ends) / 2

    @property
    def lengths(self) -> npt.NDArray[np.float64]:
        """Length of each piece in metres."""
        length: npt.NDArray[np.float64] = np.hypot(*(self.ends - self.starts).T)
        return length


def make_streets(city: City, random: np.random.Generator) -> tuple[Streets, Points]:
    """Draw the streets of a city, and the middles of its districts."""
    districts = _place_districts(city, random)
    arterials = np.concatenate([*_draw_radials(city, random), *_draw_rings(city, random)])
    side_streets, side_shares = map(np.concatenate, zip(*_draw_grids(city, districts, random), strict=True))
    pieces = np.concatenate([arterials, _bend(side_streets, city.bend_m, random)])
    is_arterial = np.arange(len(pieces)) < len(arterials)
    share = np.concatenate([np.ones(len(arterials)), side_shares])
    for water in city.waters:
        crossing = _BRIDGE_SHARE if water.width_m < _WIDE_WATER_M else 0.0
        share *= np.where(_is_wet(city, pieces, water), is_arterial * crossing, 1.0)
    is_dry = share > 0
    return Streets(pieces[is_dry, 0], pieces[is_dry, 1], is_arterial[is_dry], share[is_dry]), districts


def _place_districts(city: City, random: np.random.Generator) -> Points:
    """The centre first, the others around it, none right beside another."""
    angle = 2 * np.pi * (np.arange(DISTRICTS - 1) * 0.381966 + random.uniform(-0.06, 0.06, DISTRICTS - 1))
    distance = city.radius_m * np.sqrt(np.linspace(0.1, 1.15, DISTRICTS - 1))
    return np.concatenate([np.zeros((1, 2)), np.column_stack([np.cos(angle), np.sin(angle)]) * distance[:, None]])


def _draw_radials(city: City, random: np.random.Generator) -> list[Points]:
    """Roads outwards from a ring around the centre, which swing a little. Shape: pieces, start and end, 2."""
    count = round(city.radius_m * 1.5 / _PIECE_M)
    bearings = (
        np.radians(city.street_bearing_deg) + 2 * np.pi * (np.arange(_RADIALS) + random.uniform(-0.3, 0.3, _RADIALS)) / _RADIALS
    )
    swings = np.cumsum(random.normal(0.0, 0.045, (_RADIALS, count)), axis=1)
    roads = []
    for bearing, swing in zip(bearings, swings, strict=True):
        steps = _PIECE_M * _unit(bearing + swing)
        roads.append(_join(np.cumsum(np.concatenate([200.0 * _unit(np.array([bearing])), steps]), axis=0)))
    return roads


def _draw_rings(city: City, random: np.random.Generator) -> list[Points]:
    rings = []
    for share in _RINGS:
        radius = share * city.radius_m
        angle = np.linspace(0, 2 * np.pi, round(2 * np.pi * radius / _PIECE_M) + 1)
        dents = random.uniform(0, 2 * np.pi, 3)
        swing = sum(0.05 * np.sin(number * angle + dent) for number, dent in enumerate(dents, 1))
        rings.append(_join(_unit(angle) * (radius * (1 + swing))[:, None]))
    return rings


def _draw_grids(city: City, districts: Points, random: np.random.Generator) -> list[tuple[Points, npt.NDArray[np.float64]]]:
    """A turned grid in each district, up to the next one; blocks grow outwards. Gives pieces and their shares."""
    grids = []
    for number, middle in enumerate(districts):
        turn = 0.0 if number == 0 else random.normal(0.0, city.bearing_spread_deg)
        growth = 1 + 0.35 * np.hypot(*middle) / city.radius_m
        block = np.array(_BLOCK_M) * growth * random.uniform(0.85, 1.2, 2)
        grid, share = _make_grid(block, city.radius_m * 0.55, random)
        grid = grid @ rotate(city.street_bearing_deg + turn) + middle
        distance = np.hypot(*(grid.mean(axis=1)[:, None] - districts).transpose(2, 0, 1))
        is_own = (distance.argmin(axis=1) == number) & (random.random(len(grid)) >= _GAPS)
        grids.append((grid[is_own], share[is_own]))
    return grids


def _make_grid(block: Points, reach: float, random: np.random.Generator) -> tuple[Points, npt.NDArray[np.float64]]:
    """Pieces of one block each, along both axes. Some streets are busier than others over their whole length."""
    east, north = (np.arange(-reach, reach, step) for step in block)
    corners = np.stack(np.meshgrid(east, north, indexing="ij"), axis=-1)
    along_east = np.stack([corners[:-1], corners[1:]], axis=2)
    along_north = np.stack([corners[:, :-1], corners[:, 1:]], axis=2)
    busy_east, busy_north = random.gamma(_BUSY, 1 / _BUSY, len(north)), random.gamma(_BUSY, 1 / _BUSY, len(east))
    shares = [np.broadcast_to(busy_east, along_east.shape[:2]), np.broadcast_to(busy_north[:, None], along_north.shape[:2])]
    pieces = np.concatenate([along_east.reshape(-1, 2, 2), along_north.reshape(-1, 2, 2)])
    return pieces, np.concatenate([share.ravel() for share in shares])


def _bend(points: Points, bend_m: float, random: np.random.Generator) -> Points:
    """Move points along slow waves, so that no street is quite straight."""
    for wave_m in (900.0, 2_300.0):
        angle, phase = random.uniform(0, 2 * np.pi, (2, 2))
        waves = np.sin(2 * np.pi / wave_m * (points @ _unit(angle).T) + phase)
        points = points + bend_m * wave_m / 2_300.0 * waves
    return points


def _is_wet(city: City, pieces: Points, water: Water) -> npt.NDArray[np.bool_]:
    """Whether a piece touches the water."""
    line = city.to_metres(np.array(water.line))
    near = water.width_m / 2 + _BANK_M
    points = np.stack([pieces[:, 0], pieces.mean(axis=1), pieces[:, 1]])
    is_near: npt.NDArray[np.bool_] = np.any(measure_to_line(points.reshape(-1, 2), line).reshape(3, -1) < near, axis=0)
    return is_near


def measure_to_line(points: Points, line: Points) -> npt.NDArray[np.float64]:
    """Distance of each point to the nearest point of a line, in the unit of both."""
    nearest = np.full(len(points), np.inf)
    for start, end in pairwise(line):
        along = end - start
        share = np.clip((points - start) @ along / (along @ along), 0.0, 1.0)
        nearest = np.minimum(nearest, np.hypot(*(points - (start + share[:, None] * along)).T))
    return nearest


def _join(points: Points) -> Points:
    """Pieces from each point to the next."""
    return np.stack([points[:-1], points[1:]], axis=1)


def _unit(angle: npt.NDArray[np.float64]) -> Points:
    return np.column_stack([np.cos(angle), np.sin(angle)])


def rotate(degrees: float) -> Points:
    """Matrix that turns rows of points counter-clockwise."""
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
