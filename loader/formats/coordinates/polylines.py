"""Polylines: lines of points as Google encodes them (`_p~iF~ps|U_ulLnnqC`), to their first and last points.

A number is five digits behind the point, or six as OSRM and Valhalla write: nothing in the text says which.
Source: Google Maps Platform, "Encoded Polyline Algorithm Format".
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.formats.coordinates.degrees import Coordinates

# Two points at least, and as many signs as they need at most a thousandth of a degree apart.
POLYLINE: Final = r"^[?-~]{6,}$"
PRECISIONS: Final = (5, 6)
_LONGEST_DEG: Final = 100.0  # of a trip of 10 degrees whose numbers have a digit more
_CHUNK: Final = 0x20
_OFFSET: Final = 63


def parse_polylines(text: pl.Series, precision: int) -> tuple[Coordinates, Coordinates]:
    """Return the first and the last point of each line. Shape: one value per text, NaN where it is no line of two points."""
    ends = [np.full(len(text), np.nan) for _ in range(4)]
    rows = np.flatnonzero(text.str.contains(POLYLINE).fill_null(value=False).to_numpy())
    for row, line in zip(rows.tolist(), text.gather(rows), strict=True):
        places = _decode_ends(line)
        for axis, place in zip(ends, places or (), strict=False):
            axis[row] = place
    scale = 10.0**precision
    first_latitude, first_longitude, last_latitude, last_longitude = (axis / scale for axis in ends)
    return Coordinates(first_longitude, first_latitude), Coordinates(last_longitude, last_latitude)


def find_polylines(text: pl.Series) -> npt.NDArray[np.bool_]:
    """Return which texts are lines with a place on Earth: capital letters alone are a line near longitude and latitude 0."""
    first, last = parse_polylines(text, PRECISIONS[0])
    near: npt.NDArray[np.bool_] = np.hypot(last.longitude - first.longitude, last.latitude - first.latitude) < _LONGEST_DEG
    on_earth = (np.abs(first.longitude) <= 10 * 180) & (np.abs(first.latitude) <= 10 * 90)
    return near & on_earth & (np.hypot(first.longitude, first.latitude) > 1.0)


def _decode_ends(line: str) -> tuple[int, int, int, int] | None:
    steps = list(_read_steps(line.encode()))
    if None in steps or len(steps) < 4 or len(steps) % 2:
        return None
    numbers = [step for step in steps if step is not None]
    return numbers[0], numbers[1], sum(numbers[0::2]), sum(numbers[1::2])


def _read_steps(line: bytes) -> Iterator[int | None]:
    """Read the steps from one number to the next; None where the text breaks off, or a step passes the Earth."""
    value = shift = 0
    for sign in line:
        bits = sign - _OFFSET
        value |= (bits & (_CHUNK - 1)) << shift
        shift += 5
        if shift > 35:
            yield None
            return
        if bits < _CHUNK:
            yield ~(value >> 1) if value & 1 else value >> 1
            value = shift = 0
    if shift:
        yield None
