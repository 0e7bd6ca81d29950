"""Rows of a run, made of sorted points: blocks (of a batch too), cells, flows, days.

    points = sort_points(origins, stamps, destinations)
    for row in make_blocks(points): ...

A stamp is hour << 32 | region << 16 | datasource, the hour counted from 0001-01-01 0 h, a Monday.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.bits import Numbers, Words, pack_numbers
from shared.blocks import BLOCK_TRIPS, HOURS, encode_times, split_axes
from shared.patches import part_patches
from shared.position import POSITION_BITS, X_MASK, Y_MASK
from shared.run_writing import Row, encode_arrays
from shared.runs import CELL_SHIFT
from shared.sorting import count_numbers, order_numbers

DAY_ONE: Final = date(1, 1, 1)
_DAYS_TO_2000: Final = (date(2000, 1, 1) - DAY_ONE).days
PATCH_BLOCKS: Final = 96
"""Blocks of a patch at most: what a part of a packing has of a cell.

With 16 a box of 8 km cuts twice as many destinations, and of origins two thirds of what it cuts so.
"""

TRIPS_PER_HOUR: Final = 4
"""Cells keep hours where they have so many trips to each number."""

BATCH_BLOCK_TRIPS: Final = 2_048
"""Trips of a batch's block at most: the smaller, the fewer cells it passes, so questions and packing read less for nothing."""

SUMMED_WEEKS: Final = 1_024
"""Weeks of a block that has sums at most: twenty years. The numbers of more would outweigh its bits."""

FLOW_SHIFT: Final = 32
FINE_SHIFT: Final = 24


@dataclass(frozen=True, slots=True)
class Points:
    """One end of trips, by region and position. Shape: n each; others, the other ends, only of origins."""

    ends: Numbers
    stamps: Numbers
    others: Numbers | None = None

    @property
    def regions(self) -> Numbers:
        """Each trip's region."""
        return self.stamps >> 16 & 65_535

    def list_starts(self, shift: int) -> Numbers:
        """List where each cell of position >> shift of a region begins."""
        keys = np.stack([self.ends >> shift, self.regions])
        return np.flatnonzero(np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)))

    def choose(self, chosen: npt.NDArray[Any]) -> "Points":
        """The points of an index."""
        return Points(self.ends[chosen], self.stamps[chosen], None if self.others is None else self.others[chosen])


def sort_points(ends: Numbers, stamps: Numbers, others: Numbers | None = None) -> Points:
    """Sort one end of trips by region and position."""
    order = order_numbers(ends)
    regions = (stamps[order] >> 16).astype(np.uint16)
    if len(regions) and (regions != regions[0]).any():
        order = order[np.argsort(regions, kind="stable")]
    return Points(ends, stamps, others).choose(order)


def make_blocks(points: Points, *, block_trips: int = BLOCK_TRIPS) -> Iterator[Row]:
    """Make the rows of run_point, without the run; of origins where there are other ends."""
    starts = points.list_starts(CELL_SHIFT)
    if points.others is None:
        cuts = _cut(starts, len(points.ends), block_trips)
    else:
        patches = _cut(starts, len(points.ends), PATCH_BLOCKS * block_trips)
        cuts = _cut(patches[:-1], len(points.ends), block_trips)
        points = points.choose(part_patches(points.others, patches, cuts))
    has_hours = [column is not None for column in _pack_hours(points, starts)]
    cells = np.searchsorted(starts, cuts[:-1], side="right").tolist()
    for cell, row in zip(cells, _encode_blocks(points, cuts), strict=True):
        yield (*row, has_hours[cell - 1])


def make_batch_blocks(
    origins: Numbers, destinations: Numbers, stamps: Numbers, *, block_trips: int = BATCH_BLOCK_TRIPS
) -> Iterator[Row]:
    """Make the rows of batch_point, without the load, of the trips of a batch. Shape: n each."""
    for points in (sort_points(origins, stamps, destinations), sort_points(destinations, stamps)):
        yield from _encode_blocks(points, _cut(points.list_starts(POSITION_BITS), len(points.ends), block_trips))


def _encode_blocks(points: Points, cuts: Numbers) -> Iterator[Row]:
    first = cuts[:-1]
    weeks = np.minimum.reduceat(points.stamps >> 32, first) // HOURS
    steps = np.diff(points.ends, prepend=0)
    steps[first] = 0
    columns = [pack_numbers(steps, cuts)]
    codes, datasources, datasource_cuts = encode_times(points.stamps, cuts, weeks)
    columns.append(pack_numbers(codes, cuts, 1))
    other_bounds: list[Any] = [[None] * 4] * len(first)
    if points.others is not None:
        columns.append(pack_numbers(*split_axes(points.others, cuts), 2))
        other_bounds = _list_bounds(points.others, first)
    bits = map(b"".join, zip(*(_list_columns(*column) for column in columns), strict=True))
    places_words, times_words = (np.diff(starts) for _, starts in columns[:2])
    starts = np.stack([np.diff(cuts), places_words, places_words + times_words], axis=1).tolist()
    sums = _sum_weeks(points.stamps, cuts, weeks)
    heads = zip(points.regions[first].tolist(), points.ends[first].tolist(), strict=True)
    bounds = _list_bounds(points.ends, first)
    sources = encode_arrays("int2[]", datasources, datasource_cuts)
    mondays = [_monday(week) for week in weeks.tolist()]
    is_origin = points.others is not None
    for n, ((region, base), week_trips, block_bits) in enumerate(zip(heads, sums, bits, strict=True)):
        yield (
            *(region, is_origin, *starts[n], mondays[n], base, *bounds[n], *other_bounds[n]),
            *(sources[n], week_trips, block_bits),
        )


def make_cells(points: Points) -> Iterator[Row]:
    """Make the rows of run_cell, without the run; of origins with the fine cells."""
    starts = points.list_starts(CELL_SHIFT)
    number = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(points.ends)))
    hours = points.stamps >> 32
    first_week = int(hours.min()) // HOURS
    keys, trips = count_numbers(number << 40 | hours // HOURS - first_week << 16 | points.stamps & 65_535)
    cuts = np.append(np.searchsorted(keys >> 40, np.arange(len(starts))), len(keys))
    mondays = (first_week + (keys >> 16 & 0xFF_FFFF)) * 7 - _DAYS_TO_2000
    first_of_week = np.flatnonzero(np.diff(keys >> 16, prepend=-1))
    week_cuts = np.append(np.searchsorted(first_of_week, cuts[:-1]), len(first_of_week))
    columns = zip(
        encode_arrays("date[]", mondays, cuts),
        encode_arrays("int2[]", keys & 65_535, cuts),
        encode_arrays("int4[]", trips, cuts),
        encode_arrays("date[]", mondays[first_of_week], week_cuts),
        encode_arrays("int4[]", np.add.reduceat(trips, first_of_week), week_cuts),
        strict=True,
    )
    fine = _list_fine_cells(points, starts) if points.others is not None else [(None, None)] * len(starts)
    hour_columns = _pack_hours(points, starts)
    corners = (points.ends[starts] >> CELL_SHIFT << CELL_SHIFT).tolist()
    for n, (region, column) in enumerate(zip(points.regions[starts].tolist(), columns, strict=True)):
        yield (region, points.others is not None, corners[n], *column, *fine[n], hour_columns[n])


def make_flows(points: Points, kinds: Numbers) -> Iterator[tuple[int, Row]]:
    """Make the rows of run_flow for each kind of origins' points: the kind, and region and the columns after slot.

    Shape: a kind of 0 to 65,535 for each point.
    """
    if points.others is None:
        raise ValueError("flows need both ends")
    order = np.argsort(kinds.astype(np.uint16), kind="stable")
    others, kinds = points.others[order], kinds[order]
    points = Points(points.ends[order], points.stamps[order])
    starts = np.union1d(np.flatnonzero(np.diff(kinds, prepend=-1)), points.list_starts(FLOW_SHIFT))
    number = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(points.ends)))
    keys, trips = count_numbers(number << 31 | others >> FLOW_SHIFT)
    cuts = np.append(np.searchsorted(keys >> 31, np.arange(len(starts))), len(keys))
    cells = keys & 0x7FFF_FFFF
    steps = np.diff(cells, prepend=0)
    steps[cuts[:-1]] = 0
    columns = zip(_list_columns(*pack_numbers(steps, cuts)), _list_columns(*pack_numbers(trips, cuts)), strict=True)
    heads = np.stack(
        [points.regions[starts], points.ends[starts] >> FLOW_SHIFT, np.diff(cuts), cells[cuts[:-1]], cells[cuts[1:] - 1]], axis=1
    )
    for kind, head, column in zip(kinds[starts].tolist(), heads.tolist(), columns, strict=True):
        yield kind, (*head, *column)


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


def _cut(starts: Numbers, trips: int, most: int) -> Numbers:
    """Cut what begins at starts into pieces of about the same size, each of at most so many trips."""
    sizes = np.diff(starts, append=trips)
    blocks = -(-sizes // most)
    number = np.arange(blocks.sum()) - np.repeat(np.cumsum(blocks) - blocks, blocks)
    cuts = np.repeat(starts, blocks) + np.repeat(sizes, blocks) * number // np.repeat(blocks, blocks)
    return np.append(cuts, trips)


def _sum_weeks(stamps: Numbers, cuts: Numbers, weeks: Numbers) -> list[bytes]:
    """Per block, the trips in each week from its first on, two bytes each; none where they are of very many weeks."""
    number = np.repeat(np.arange(len(weeks)), np.diff(cuts))
    after = (stamps >> 32) // HOURS - weeks[number]
    spans = np.maximum.reduceat(after, cuts[:-1]) + 1
    spans[spans > SUMMED_WEEKS] = 0
    limits = np.append(0, np.cumsum(spans))
    places = (limits[number] + after)[spans[number] > 0]
    data = np.bincount(places, minlength=int(limits[-1])).astype("<u2").tobytes()
    return [data[first:last] for first, last in pairwise((2 * limits).tolist())]


def _pack_hours(points: Points, starts: Numbers) -> list[bytes | None]:
    """Per cell, the trips in each hour of each week from its first to its last, where that is few numbers."""
    columns: list[bytes | None] = []
    for first, last in pairwise([*starts.tolist(), len(points.ends)]):
        hours = points.stamps[first:last] >> 32
        start = int(hours.min()) // HOURS * HOURS
        numbers = (int(hours.max()) // HOURS + 1) * HOURS - start
        if TRIPS_PER_HOUR * numbers > last - first:
            columns.append(None)
            continue
        counts = np.bincount(hours - start, minlength=numbers)
        columns += _list_columns(*pack_numbers(counts, np.array([0, numbers])))
    return columns


def _list_fine_cells(points: Points, starts: Numbers) -> list[tuple[bytes, bytes]]:
    """Per cell, the fine cells in it (their last 10 bits), and their trips, as arrays."""
    fine = points.list_starts(FINE_SHIFT)
    trips = np.diff(fine, append=len(points.ends))
    limits = np.append(np.searchsorted(fine, starts), len(fine))
    cells = encode_arrays("int2[]", points.ends[fine] >> FINE_SHIFT & 1_023, limits)
    return list(zip(cells, encode_arrays("int4[]", trips, limits), strict=True))


def _list_bounds(positions: Numbers, first: Numbers) -> list[list[int]]:
    """x_low, x_high, y_low, y_high of each block, as masked positions."""
    x, y = positions & X_MASK, positions & Y_MASK
    bounds = [reduce.reduceat(axis, first) for axis in (x, y) for reduce in (np.minimum, np.maximum)]
    return np.stack(bounds, axis=1).tolist()  # type: ignore[no-any-return]


def _list_columns(words: Words, starts: Numbers) -> list[bytes]:
    data = words.astype("<u8").tobytes()
    limits = (8 * starts).tolist()
    return [data[first:last] for first, last in pairwise(limits)]


def _monday(week: int) -> date:
    return DAY_ONE + timedelta(7 * week)
