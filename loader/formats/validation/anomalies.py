"""Warnings: odd trips that are loaded all the same, counted per batch."""

import numpy as np

from loader.formats.coordinates.degrees import Coordinates
from loader.formats.model.reject_reasons import TripWarning
from loader.formats.model.time_format import MISSING
from loader.formats.text.records import Mask
from loader.formats.validation.rules import Columns

Area = tuple[float, float, float, float]


def count_warnings(columns: Columns, good: Mask, *, area: Area | None, is_zones: bool = False) -> dict[str, int]:
    """Count the good rows that each warning fits. area: where the file's trips are to be expected.

    is_zones: ends are zones, so that many trips have both in one.
    """
    origin, destination, ended = columns.origin, columns.destination, columns.ended
    is_same = (origin.longitude == destination.longitude) & (origin.latitude == destination.latitude)
    found = {} if is_zones else {TripWarning.SAME_ENDS: is_same}
    if ended is not None:
        unreadable = ended.exact_us == MISSING
        found[TripWarning.ENDED_AT_UNREADABLE] = unreadable
        found[TripWarning.END_BEFORE_START] = ~unreadable & (ended.exact_us < columns.started.exact_us)
    if area is not None:
        far = ~(_is_inside(origin, area) & _is_inside(destination, area))
        if far.any():
            swapped = _is_swapped(origin, area) | _is_swapped(destination, area)
            found[TripWarning.SWAPPED_PAIR] = swapped
            found[TripWarning.FAR_FROM_OTHERS] = far & ~swapped
    counts = {str(name): int(np.count_nonzero(mask & good)) for name, mask in found.items()}
    return {name: count for name, count in counts.items() if count}


def _is_inside(ends: Coordinates, area: Area) -> Mask:
    west, south, east, north = area
    inside: Mask = (ends.longitude >= west) & (ends.longitude <= east) & (ends.latitude >= south) & (ends.latitude <= north)
    return inside


def _is_swapped(ends: Coordinates, area: Area) -> Mask:
    return ~_is_inside(ends, area) & _is_inside(Coordinates(ends.latitude, ends.longitude), area)
