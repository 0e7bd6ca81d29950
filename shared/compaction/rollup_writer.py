"""Rows of a run beside its blocks, made of sorted points: cells and days."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from shared.compaction.segment_copy import Row, encode_arrays
from shared.compaction.sorted_ends import Points
from shared.index.layout import CELL_SHIFT, DAY_ONE, FINE_SHIFT, HOURS
from shared.kernels.bit_packing import list_columns, pack_numbers
from shared.kernels.compiler import compile_kernel
from shared.kernels.radix_sort import count_keys, number_kinds
from shared.platform.arrays import Numbers

TRIPS_PER_HOUR: Final = 4
"""Cells keep hours where they have so many trips to each number."""


_DAYS_TO_2000: Final = (date(2000, 1, 1) - DAY_ONE).days


def make_cells(points: Points, hours_of_cells: Sequence[bytes | None]) -> Iterator[Row]:
    """Make the rows of run_cell, without the run; of origins with the fine cells. hours_of_cells: what pack_hours gives."""
    starts = points.list_starts(CELL_SHIFT)
    number = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(points.ends)))
    hours = points.stamps >> 32
    first_week = int(hours.min()) // HOURS
    sources, codes = number_kinds(points.stamps & 65_535)
    weeks = int(hours.max()) // HOURS + 1 - first_week
    cell_weeks = number * weeks + hours // HOURS - first_week
    keys, trips = count_keys(cell_weeks * len(sources) + codes, len(starts) * weeks * len(sources))
    cell_weeks, codes = np.divmod(keys, len(sources))
    cuts = np.append(np.searchsorted(cell_weeks, np.arange(len(starts)) * weeks), len(keys))
    mondays = (first_week + cell_weeks % weeks) * 7 - _DAYS_TO_2000
    first_of_week = np.flatnonzero(np.diff(cell_weeks, prepend=-1))
    week_cuts = np.append(np.searchsorted(first_of_week, cuts[:-1]), len(first_of_week))
    columns = zip(
        encode_arrays("date[]", mondays, cuts),
        encode_arrays("int2[]", sources[codes], cuts),
        encode_arrays("int4[]", trips, cuts),
        encode_arrays("date[]", mondays[first_of_week], week_cuts),
        encode_arrays("int4[]", np.add.reduceat(trips, first_of_week), week_cuts),
        strict=True,
    )
    fine = _list_fine_cells(points, starts) if points.others is not None else [(None, None)] * len(starts)
    corners = (points.ends[starts] >> CELL_SHIFT << CELL_SHIFT).tolist()
    for n, (region, column) in enumerate(zip(points.regions[starts].tolist(), columns, strict=True)):
        yield (region, points.others is not None, corners[n], *column, *fine[n], hours_of_cells[n])


def make_days(counts: Numbers) -> Iterator[Row]:
    """Make the rows of run_day, without the run, from the trips per hour and place (region << 16 | datasource).

    Shape: 3 by n, in any order.
    """
    hours, places, trips = counts[:, np.lexsort((counts[0], counts[1], counts[0] // 24))]
    days = hours // 24
    starts = np.flatnonzero(np.diff(days, prepend=-1) | np.diff(places, prepend=-1))
    cuts = np.append(starts, len(hours))
    columns = zip(encode_arrays("int2[]", hours % 24, cuts), encode_arrays("int4[]", trips, cuts), strict=True)
    for day, place, column in zip(days[starts].tolist(), places[starts].tolist(), columns, strict=True):
        yield DAY_ONE + timedelta(day), place >> 16, place & 65_535, *column


def count_hours(stamps: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Count trips per hour and place (region << 16 | datasource). Shape: n stamps in order of regions → m each, in no order."""
    places, numbers = _number_places(stamps)
    first, last = int(stamps.min()) >> 32, int(stamps.max()) >> 32
    keys, trips = count_keys(numbers * (last + 1 - first) + (stamps >> 32) - first, len(places) * (last + 1 - first))
    number, hours = np.divmod(keys, last + 1 - first)
    return hours + first, places[number], trips


@compile_kernel
def _number_places(stamps: Numbers) -> tuple[Numbers, Numbers]:
    """Number the places of stamps in order of regions. Shape: n → m places, n numbers."""
    places, numbers, count = np.empty(len(stamps), np.int64), np.empty(len(stamps), np.int64), 0
    slots = np.full(65_536, -1, np.int64)
    for trip in range(len(stamps)):
        place = stamps[trip] & 0xFFFF_FFFF
        slot = slots[place & 65_535]
        # A datasource's place in another region is another one.
        if slot < 0 or places[slot] != place:
            slot, count = count, count + 1
            places[slot], slots[place & 65_535] = place, slot
        numbers[trip] = slot
    return places[:count].copy(), numbers


def pack_hours(points: Points) -> list[bytes | None]:
    """List per cell the trips in each hour of each week from its first to its last, as bits; None where trips are few."""
    starts = points.list_starts(CELL_SHIFT)
    columns: list[bytes | None] = []
    for first, last in pairwise([*starts.tolist(), len(points.ends)]):
        hours = points.stamps[first:last] >> 32
        start = int(hours.min()) // HOURS * HOURS
        numbers = (int(hours.max()) // HOURS + 1) * HOURS - start
        if TRIPS_PER_HOUR * numbers > last - first:
            columns.append(None)
            continue
        counts = np.bincount(hours - start, minlength=numbers)
        columns += list_columns(*pack_numbers(counts, np.array([0, numbers])))
    return columns


def _list_fine_cells(points: Points, starts: Numbers) -> list[tuple[bytes, bytes]]:
    """Per cell, the fine cells in it (their last 10 bits), and their trips, as arrays."""
    fine = points.list_starts(FINE_SHIFT)
    trips = np.diff(fine, append=len(points.ends))
    limits = np.append(np.searchsorted(fine, starts), len(fine))
    cells = encode_arrays("int2[]", points.ends[fine] >> FINE_SHIFT & 1_023, limits)
    return list(zip(cells, encode_arrays("int4[]", trips, limits), strict=True))
