"""Rollup writer: trips of a segment per cell and per day, counted from sorted ends."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from shared.compaction.segment_copy import Row, encode_arrays
from shared.compaction.sorted_ends import SortedEnds
from shared.index.layout import CELL_SHIFT, DAY_ONE, FINE_SHIFT, HOURS, number_day
from shared.index.stamps import ID_LIMIT, get_datasource, get_hour, get_pair, get_region
from shared.kernels.bit_packing import list_columns, pack_numbers
from shared.kernels.compiler import compile_kernel
from shared.kernels.radix_sort import count_keys, number_kinds
from shared.platform.arrays import Numbers

TRIPS_PER_HOUR: Final = 4
"""A cell stores its trips per hour where it has at least so many trips for each hour of its weeks."""


_DAYS_TO_2000: Final = number_day(date(2000, 1, 1))


def make_cells(sorted_ends: SortedEnds, hours_of_cells: Sequence[bytes | None]) -> Iterator[Row]:
    """Yield trips per cell, without the segment's id; origins with fine cells. hours_of_cells: as encode_cell_hours returns."""
    starts = sorted_ends.list_cell_offsets(CELL_SHIFT)
    number = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(sorted_ends.positions)))
    hours = get_hour(sorted_ends.stamps)
    first_week = int(hours.min()) // HOURS
    sources, codes = number_kinds(get_datasource(sorted_ends.stamps))
    weeks = int(hours.max()) // HOURS + 1 - first_week
    cell_weeks = number * weeks + hours // HOURS - first_week
    keys, trips = count_keys(cell_weeks * len(sources) + codes, len(starts) * weeks * len(sources))
    cell_weeks, codes = np.divmod(keys, len(sources))
    offsets = np.append(np.searchsorted(cell_weeks, np.arange(len(starts)) * weeks), len(keys))
    mondays = (first_week + cell_weeks % weeks) * 7 - _DAYS_TO_2000
    first_of_week = np.flatnonzero(np.diff(cell_weeks, prepend=-1))
    week_cuts = np.append(np.searchsorted(first_of_week, offsets[:-1]), len(first_of_week))
    columns = zip(
        encode_arrays("date[]", mondays, offsets),
        encode_arrays("int2[]", sources[codes], offsets),
        encode_arrays("int4[]", trips, offsets),
        encode_arrays("date[]", mondays[first_of_week], week_cuts),
        encode_arrays("int4[]", np.add.reduceat(trips, first_of_week), week_cuts),
        strict=True,
    )
    fine = _list_fine_cells(sorted_ends, starts) if sorted_ends.others is not None else [(None, None)] * len(starts)
    corners = (sorted_ends.positions[starts] >> CELL_SHIFT << CELL_SHIFT).tolist()
    for n, (region, column) in enumerate(zip(sorted_ends.regions[starts].tolist(), columns, strict=True)):
        yield (region, sorted_ends.others is not None, corners[n], *column, *fine[n], hours_of_cells[n])


def make_days(counts: Numbers) -> Iterator[Row]:
    """Yield trips per day, without the segment's id. counts: hours, pairs (region << 15 | datasource), trips.

    Shape: 3 by n, in any order.
    """
    hours, pairs, trips = counts[:, np.lexsort((counts[0], counts[1], counts[0] // 24))]
    days = hours // 24
    starts = np.flatnonzero(np.diff(days, prepend=-1) | np.diff(pairs, prepend=-1))
    offsets = np.append(starts, len(hours))
    columns = zip(encode_arrays("int2[]", hours % 24, offsets), encode_arrays("int4[]", trips, offsets), strict=True)
    for day, pair, column in zip(days[starts].tolist(), pairs[starts].tolist(), columns, strict=True):
        yield DAY_ONE + timedelta(day), get_region(pair), get_datasource(pair), *column


def count_hours(stamps: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Count trips per hour and pair (region << 15 | datasource). Shape: n stamps in order of regions → m each, in no order."""
    pairs, numbers = _number_pairs(stamps)
    first, last = int(get_hour(stamps.min())), int(get_hour(stamps.max()))
    keys, trips = count_keys(numbers * (last + 1 - first) + get_hour(stamps) - first, len(pairs) * (last + 1 - first))
    number, hours = np.divmod(keys, last + 1 - first)
    return hours + first, pairs[number], trips


@compile_kernel
def _number_pairs(stamps: Numbers) -> tuple[Numbers, Numbers]:
    """Number the pairs (region << 15 | datasource) of stamps. Shape: n stamps in order of regions → m pairs, n numbers."""
    pairs, numbers, count = np.empty(len(stamps), np.int64), np.empty(len(stamps), np.int64), 0
    slots = np.full(ID_LIMIT, -1, np.int64)
    for trip in range(len(stamps)):
        pair = get_pair(stamps[trip])
        slot = slots[get_datasource(pair)]
        # The same datasource in another region is another pair.
        if slot < 0 or pairs[slot] != pair:
            slot, count = count, count + 1
            pairs[slot], slots[get_datasource(pair)] = pair, slot
        numbers[trip] = slot
    return pairs[:count].copy(), numbers


def encode_cell_hours(sorted_ends: SortedEnds) -> list[bytes | None]:
    """Encode each cell's trips per hour, from its first week to its last, as bits; None where trips are few."""
    starts = sorted_ends.list_cell_offsets(CELL_SHIFT)
    columns: list[bytes | None] = []
    for first, last in pairwise([*starts.tolist(), len(sorted_ends.positions)]):
        hours = get_hour(sorted_ends.stamps[first:last])
        start = int(hours.min()) // HOURS * HOURS
        numbers = (int(hours.max()) // HOURS + 1) * HOURS - start
        if TRIPS_PER_HOUR * numbers > last - first:
            columns.append(None)
            continue
        counts = np.bincount(hours - start, minlength=numbers)
        columns += list_columns(*pack_numbers(counts, np.array([0, numbers])))
    return columns


def _list_fine_cells(sorted_ends: SortedEnds, starts: Numbers) -> list[tuple[bytes, bytes]]:
    """Each cell's fine cells (their last 10 bits) and the trips of those, as arrays."""
    fine = sorted_ends.list_cell_offsets(FINE_SHIFT)
    trips = np.diff(fine, append=len(sorted_ends.positions))
    limits = np.append(np.searchsorted(fine, starts), len(fine))
    cells = encode_arrays("int2[]", sorted_ends.positions[fine] >> FINE_SHIFT & 1_023, limits)
    return list(zip(cells, encode_arrays("int4[]", trips, limits), strict=True))
