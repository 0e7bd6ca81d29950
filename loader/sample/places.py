"""Where trips of a made-up city begin and end: homes and goals along its streets, and which of them belong together.

places = make_places(CITIES[0])      # the same ones every time: a city does not change with a file's seed
"""

from dataclasses import dataclass
from functools import cache
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from loader.sample.cities import City, Hub, Points
from loader.sample.streets import Streets, make_streets, rotate

PLACES: Final = 1 << 16
_FRONTAGE_M: Final = 6.0
# Trip ends a metre of an arterial, against a side street.
_ARTERIAL_HOMES: Final = 2.4
_ARTERIAL_GOALS: Final = 4.0
# Shape of the gamma distribution of blocks' shares: they differ by about 60 %.
_BLOCKS: Final = 2.5
# Shares of homes that are no homes: people who come into the city by train or by air.
_ARRIVALS: Final = {"station": 0.07, "airport": 0.03}
_HUB_SHARE: Final = 0.3
_FRONTS_M: Final = (-70.0, 0.0, 70.0)
# A job is one of so many goals: near ones are likelier, by this distance.
_JOB_OFFERS: Final = 6
_COMMUTE_M: Final = 3_500.0

Indexes = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Places:
    """Homes and goals (shops, offices, stations), PLACES of each. Units: degrees.

    Goals lie in Morton order: close indexes are close on the ground. jobs, nearest: the goal where somebody of a home works,
    and the one around the corner.
    """

    homes: Points
    goals: Points
    jobs: Indexes
    nearest: Indexes


@cache
def make_places(city: City) -> Places:
    """Draw a city's streets and its places on them."""
    random = np.random.default_rng(crc32(city.name.encode()))
    streets, districts = make_streets(city, random)
    homes = _pick_points(streets, _weigh_homes(city, streets, districts), random, arterials=_ARTERIAL_HOMES)
    goals = _pick_points(streets, _weigh_goals(city, streets, districts), random, arterials=_ARTERIAL_GOALS)
    _move_to_hubs(city, goals, city.hubs, share=_HUB_SHARE, random=random)
    for kind, share in _ARRIVALS.items():
        _move_to_hubs(city, homes, tuple(hub for hub in city.hubs if hub.kind == kind), share=share, random=random)
    goals = goals[np.argsort(_number_cells(city, goals), kind="stable")]
    nearest = np.searchsorted(_number_cells(city, goals), _number_cells(city, homes)).clip(max=PLACES - 1)
    return Places(city.to_degrees(homes), city.to_degrees(goals), _choose_jobs(homes, goals, random), nearest.astype(np.uint16))


def _weigh_homes(city: City, streets: Streets, districts: Points) -> npt.NDArray[np.float64]:
    """People live everywhere in the city, densest around the centre and in the middle of each district."""
    peaks = _add_peaks(streets.middles, districts[1:], 0.09 * city.radius_m)
    weights: npt.NDArray[np.float64] = 1.0 * _fall(streets.middles, 0.36 * city.radius_m) + 0.5 * peaks + 0.008
    return weights


def _weigh_goals(city: City, streets: Streets, districts: Points) -> npt.NDArray[np.float64]:
    """Goals crowd in the centre; each district has a few."""
    peaks = _add_peaks(streets.middles, districts[1:], 0.05 * city.radius_m)
    centre = 4.0 * _fall(streets.middles, 0.11 * city.radius_m) + 0.35 * _fall(streets.middles, 0.4 * city.radius_m)
    weights: npt.NDArray[np.float64] = centre + 0.6 * peaks + 0.003
    return weights


def _pick_points(streets: Streets, density: npt.NDArray[np.float64], random: np.random.Generator, *, arterials: float) -> Points:
    """Draw PLACES points along the streets, on either side of them."""
    weights = streets.lengths * streets.share * density * np.where(streets.is_arterial, arterials, 1.0)
    weights *= random.gamma(_BLOCKS, 1 / _BLOCKS, len(weights))
    chosen = random.choice(len(weights), PLACES, p=weights / weights.sum())
    start, along = streets.starts[chosen], (streets.ends - streets.starts)[chosen]
    across = np.column_stack([-along[:, 1], along[:, 0]]) / np.hypot(*along.T)[:, None]
    frontage = _FRONTAGE_M * random.choice([-1.0, 1.0], PLACES) + random.normal(0.0, 1.5, PLACES)
    points: Points = start + along * random.random(PLACES)[:, None] + across * frontage[:, None]
    return points


def _move_to_hubs(city: City, points: Points, hubs: tuple[Hub, ...], *, share: float, random: np.random.Generator) -> None:
    """Replace a share of the points by points at the fronts of hubs; in place."""
    weights = np.array([hub.weight for hub in hubs])
    moved = np.flatnonzero(random.random(PLACES) < share)
    chosen = random.choice(len(hubs), len(moved), p=weights / weights.sum())
    middles = city.to_metres(np.array([(hub.longitude, hub.latitude) for hub in hubs]))
    along = random.normal(0.0, 1.0, len(moved)) * np.array([hub.spread_m for hub in hubs])[chosen]
    across = random.choice(_FRONTS_M, len(moved)) + random.normal(0.0, 3.0, len(moved))
    points[moved] = middles[chosen] + np.column_stack([along, across]) @ rotate(city.street_bearing_deg)


def _choose_jobs(homes: Points, goals: Points, random: np.random.Generator) -> Indexes:
    """One of a few goals each, likelier a near one."""
    offers = random.integers(0, PLACES, (PLACES, _JOB_OFFERS))
    distance = np.hypot(*(goals[offers] - homes[:, None]).transpose(2, 0, 1))
    chosen = np.argmax(random.gumbel(size=offers.shape) - distance / _COMMUTE_M, axis=1)
    return np.take_along_axis(offers, chosen[:, None], axis=1)[:, 0].astype(np.uint16)


def _number_cells(city: City, points: Points) -> npt.NDArray[np.int64]:
    """Morton numbers of the points in a square of 1,024 by 1,024 cells, four radii wide."""
    cells = ((points / (4 * city.radius_m) + 0.5) * 1024).clip(0, 1023).astype(np.int64)
    number = np.zeros(len(points), np.int64)
    for bit in range(10):
        number |= (cells[:, 0] >> bit & 1) << 2 * bit | (cells[:, 1] >> bit & 1) << 2 * bit + 1
    return number


def _fall(points: Points, reach_m: float) -> npt.NDArray[np.float64]:
    """1 in the centre, less outwards."""
    near: npt.NDArray[np.float64] = np.exp(-(points**2).sum(axis=1) / (2 * reach_m**2))
    return near


def _add_peaks(points: Points, peaks: Points, reach_m: float) -> npt.NDArray[np.float64]:
    total: npt.NDArray[np.float64] = np.sum([_fall(points - peak, reach_m) for peak in peaks], axis=0)
    return total
