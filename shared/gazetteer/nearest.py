"""Nearest place to a point, exact: rows of a tenth of a degree are searched outwards, each from the point's longitude on.

A k-d tree of scipy takes as long, for 40 MB of wheel that nothing else needs.
"""

from typing import Final, NamedTuple

import numpy as np

from shared.domain.position import Degrees
from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Numbers

EARTH_RADIUS_KM: Final = 6371.0088
_ROWS_PER_DEGREE: Final = 10
_ROWS: Final = 180 * _ROWS_PER_DEGREE
_ROW_KM: Final = np.pi / 180 * EARTH_RADIUS_KM / _ROWS_PER_DEGREE


class PlaceGrid(NamedTuple):
    """Points by rows of latitude, in a row by longitude. starts: index of each row's first point, and the end."""

    longitude: Degrees
    latitude: Degrees
    starts: Numbers


def make_grid(longitude: Degrees, latitude: Degrees) -> tuple[PlaceGrid, Numbers]:
    """Sort points into rows. Gives the grid, and the index that each of its points has in the arguments."""
    row = ((latitude + 90) * _ROWS_PER_DEGREE).astype(np.int64).clip(0, _ROWS - 1)
    order = np.lexsort((longitude, row))
    starts = np.searchsorted(row[order], np.arange(_ROWS + 1))
    return PlaceGrid(longitude[order], latitude[order], starts), order


@compile_kernel
def find_nearest(grid: PlaceGrid, longitude: Degrees, latitude: Degrees) -> Numbers:
    """Find the nearest point of a grid for each of many points. Shape: n → n indexes into the grid, which is not empty."""
    found = np.zeros(len(longitude), np.int64)
    for n in range(len(longitude)):
        row = min(int((latitude[n] + 90) * _ROWS_PER_DEGREE), _ROWS - 1)
        best = np.inf
        for step in range(_ROWS):
            if (step - 1) * _ROW_KM > best:
                break
            for way in range(-1, 2 if step else 0, 2):
                other = row + way * step
                if 0 <= other < _ROWS and grid.starts[other] < grid.starts[other + 1]:
                    best, found[n] = _search_row(grid, other, (longitude[n], latitude[n]), (best, found[n]))
    return found


@compile_kernel
def _search_row(grid: PlaceGrid, row: int, point: tuple[float, float], best: tuple[float, int]) -> tuple[float, int]:
    """Search both ways from the point's longitude until the points of the row are farther than the best. Units: km."""
    first, end = grid.starts[row], grid.starts[row + 1]
    count = end - first
    at = np.searchsorted(grid.longitude[first:end], point[0])
    south = row / _ROWS_PER_DEGREE - 90
    narrow = np.cos(np.radians(max(abs(south), abs(south + 1 / _ROWS_PER_DEGREE)))) * np.cos(np.radians(point[1]))
    least, number = best
    for way in (1, -1):
        for step in range(count):
            index = first + (at + step if way > 0 else at - 1 - step) % count
            turn = (grid.longitude[index] - point[0]) * way % 360
            # The haversine is at least narrow * sin²(turn / 2), and sin(x / 2) at least x / π.
            if turn > 180 or 2 * EARTH_RADIUS_KM * np.sqrt(max(narrow, 0.0)) * turn / 180 > least:
                break
            distance = measure_km(point, (grid.longitude[index], grid.latitude[index]))
            if distance < least:
                least, number = distance, index
    return least, number


@compile_kernel
def measure_km(point: tuple[float, float], other: tuple[float, float]) -> float:
    """Great-circle distance (haversine) of two points, longitude before latitude."""
    x, y = np.radians(other[0] - point[0]), np.radians(other[1] - point[1])
    a = np.sin(y / 2) ** 2 + np.cos(np.radians(point[1])) * np.cos(np.radians(other[1])) * np.sin(x / 2) ** 2
    return float(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(min(a, 1.0))))


@compile_kernel
def find_largest(people: Numbers, starts: Numbers, ends: Numbers) -> Numbers:
    """Index of the largest number of each range, -1 for an empty one. Shape: n starts and n ends → n indexes."""
    found = np.full(len(starts), -1, np.int64)
    for n in range(len(starts)):
        for index in range(starts[n], ends[n]):
            if found[n] < 0 or people[index] > people[found[n]]:
                found[n] = index
    return found
