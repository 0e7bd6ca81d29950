"""Positions: coordinates in other units and reference systems, to degrees (WGS 84, longitude first).

    to_degrees(ends, crs="EPSG:2056", unit=None)

PROJ does the projections (through pyproj): exact to a millimetre within a system's area where only a projection is needed.
Between datums it takes the best transformation that needs no grid from the network: about a metre in Europe and North America, up
to 5 m with old datums (OSGB 1936, DHDN). What lies far beyond a system's area becomes
infinite, and is out of range.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from pyproj import Transformer
from pyproj.exceptions import ProjError

from loader.formats.coordinates.degrees import Coordinates
from loader.formats.coordinates.known_crs import KNOWN_CRS
from loader.formats.model.crs import parse_crs
from shared.gazetteer.cities import find_city, find_named

# Degrees in one unit: of GPS trackers (Google's E7), of older GPS devices (microdegrees), of polylines, and of mathematics.
UNITS: Final[dict[str, float]] = {"degrees": 1.0, "e7": 1e-7, "e6": 1e-6, "e5": 1e-5, "radians": 180 / np.pi}
UNIT_LABELS: Final[dict[str, str]] = {
    "degrees": "Degrees, as they are",
    "e7": "Degrees times 10,000,000 (E7)",
    "e6": "Degrees times 1,000,000 (microdegrees)",
    "e5": "Degrees times 100,000",
    "radians": "Radians",
}
# A city lies this near to the middle of a file in the right system. Unit: km.
_NEAR_KM: Final = 30.0
# UTM's eastings and northings. Unit: m.
_UTM_EAST: Final = (100_000.0, 900_000.0)
_UTM_NORTH: Final = (0.0, 10_000_000.0)


@dataclass(frozen=True)
class Candidate:
    """One way to read coordinates that are no degrees: the option and its value, what it is called, and the city it leads to."""

    option: Literal["crs", "coordinate_unit"]
    value: str
    label: str
    city: str
    distance_km: float


def to_degrees(ends: Coordinates, *, crs: str | None, unit: str | None) -> Coordinates:
    """Return ends in degrees. ends: x or longitude, then y or latitude, in the unit or the system named."""
    if unit:
        ends = Coordinates(ends.longitude * UNITS[unit], ends.latitude * UNITS[unit])
    if not crs:
        return ends
    x, y = _find_transformer(crs).transform(ends.longitude, ends.latitude)
    west, south, east, north = _find_bounds(crs)
    is_far = (ends.longitude < west) | (ends.longitude > east) | (ends.latitude < south) | (ends.latitude > north)
    x, y = (np.where(is_far, np.inf, axis) for axis in (x, y))
    # An origin of (0, 0) was never measured, and unreadable values stay so.
    is_zero = (ends.longitude == 0) & (ends.latitude == 0)
    is_none = np.isnan(ends.longitude) | np.isnan(ends.latitude)
    return Coordinates(*(np.where(is_none, np.nan, np.where(is_zero, 0.0, axis)) for axis in (x, y)))


@lru_cache(maxsize=64)
def _find_transformer(crs: str) -> Transformer:
    """Make the transformation to WGS 84. Transformers may be used by several threads since pyproj 3.1."""
    return Transformer.from_crs(parse_crs(crs), "EPSG:4326", always_xy=True)


@lru_cache(maxsize=64)
def _find_bounds(crs: str) -> tuple[float, float, float, float]:
    """Return the system's own bounds (west, south, east, north), its area of use and as much again on each side.

    Far beyond, a projection may give positions that look right. Units: the system's.
    """
    area = parse_crs(crs).area_of_use
    if area is None:
        return -np.inf, -np.inf, np.inf, np.inf
    to_system = Transformer.from_crs("EPSG:4326", parse_crs(crs), always_xy=True)
    west, south, east, north = to_system.transform_bounds(*area.bounds)
    width, height = east - west, north - south
    return west - width, south - height, east + width, north + height


def find_candidates(x: float, y: float, *, region: str | None = None) -> list[Candidate]:
    """Find units and systems in which a file's middle lies near a city, the likeliest first. region: a city's name, if known."""
    units = [_try_unit(x, y, unit) for unit in UNITS if unit != "degrees"]
    near = [f"EPSG:{code}" for code, (west, south, east, north) in KNOWN_CRS.items() if west <= x <= east and south <= y <= north]
    known = [_try_crs(x, y, crs) for crs in dict.fromkeys([*near, *_list_utm(x, y, region)])]
    found = [candidate for candidate in (*units, *known) if candidate is not None]
    return sorted(found, key=lambda candidate: candidate.distance_km)


def may_be_utm(x: float, y: float) -> bool:
    """Return whether a position may be metres of some UTM zone; which one, only its region tells."""
    return _UTM_EAST[0] <= x <= _UTM_EAST[1] and _UTM_NORTH[0] <= y <= _UTM_NORTH[1]


def _list_utm(x: float, y: float, region: str | None) -> list[str]:
    city = find_named(region) if region and may_be_utm(x, y) else None
    if city is None:
        return []
    longitude, latitude = city
    zone = int((longitude + 180) // 6) + 1
    return [f"EPSG:{(32600 if latitude >= 0 else 32700) + near}" for near in (zone, zone - 1, zone + 1) if 1 <= near <= 60]


def _try_unit(x: float, y: float, unit: str) -> Candidate | None:
    city = find_city(x * UNITS[unit], y * UNITS[unit])
    if city is None or city.distance_km > _NEAR_KM:
        return None
    return Candidate("coordinate_unit", unit, UNIT_LABELS[unit], city.name, city.distance_km)


def _try_crs(x: float, y: float, name: str) -> Candidate | None:
    crs = parse_crs(name)
    try:
        longitude, latitude = _find_transformer(name).transform(x, y)
    except ProjError:
        return None
    area = crs.area_of_use
    if not np.isfinite([longitude, latitude]).all() or area is None:
        return None
    west, south, east, north = area.bounds
    if not (west <= longitude <= east and south <= latitude <= north):
        return None
    city = find_city(float(longitude), float(latitude))
    if city is None or city.distance_km > _NEAR_KM:
        return None
    return Candidate("crs", name, f"{crs.name} ({name})", city.name, city.distance_km)
