"""Scan: count or list the selected trips of blocks in this process.

counter = TimeCounter(scan_filter, by="week")
for _, blocks in read_blocks(connection, cache, scan): counter.add(blocks)
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from threading import Lock
from typing import Final, Literal

import numpy as np

from shared.domain.area import WHOLE_WORLD, AreaLimits, GridArea
from shared.index.block_fetch import Blocks
from shared.index.block_filter import Limits, TimeLimits
from shared.index.layout import DURATION_CODES, HOURS, number_day
from shared.index.scan_kernels import count_times, list_cells, list_trips
from shared.platform.arrays import Numbers

CountBy = Literal["week", "hour", "duration"]
_COLUMNS: Final = {"week": 1, "hour": HOURS, "duration": DURATION_CODES}
# Fewer blocks take about as long as starting another thread.
_BLOCKS_PER_THREAD: Final = 64


@dataclass(frozen=True, slots=True)
class ScanFilter:
    """Which trips of a block count. hours: of the week, Monday 0 h is 0 (None: all); area None: anywhere; both days included."""

    area: GridArea | None
    hours: Sequence[int] | None
    from_on: date
    to_on: date

    @property
    def area_limits(self) -> AreaLimits:
        """The area as the kernels take it; without an area any, as no trip is tested then."""
        return (self.area or WHOLE_WORLD).limits()

    def time_limits(self, from_on: date | None = None, to_on: date | None = None) -> TimeLimits:
        """Hours and days as the kernels take them; other days than the filter's where they are given."""
        hours = np.full(HOURS, self.hours is None)
        hours[list(self.hours or ())] = True
        return TimeLimits(hours, number_day(from_on or self.from_on), number_day(to_on or self.to_on))

    @property
    def limits(self) -> Limits:
        """Area and times as the kernels take them."""
        return Limits(self.area_limits, self.time_limits())


def make_counts(weeks: int, by: CountBy) -> Numbers:
    """Zeros. Shape: a row per week of the period, a column per hour of the week or one; of durations a row, a column per code."""
    return np.zeros((1 if by == "duration" else weeks, _COLUMNS[by]), np.int64)


class TimeCounter:
    """Counts the selected trips of blocks. Shape: see make_counts."""

    def __init__(self, scan_filter: ScanFilter, *, by: CountBy) -> None:
        self._filter = scan_filter
        self._area = scan_filter.area_limits
        self._first_week = number_day(scan_filter.from_on) // 7
        self.counts = make_counts(number_day(scan_filter.to_on) // 7 - self._first_week + 1, by)

    def add(self, blocks: Blocks, from_on: date | None = None, to_on: date | None = None) -> None:
        """Count trips, on the filter's days or on others of its period. All cores count when no other question scans."""
        limits = self._filter.time_limits(from_on, to_on)
        counts = self.counts[limits.first_day // 7 - self._first_week :]

        def count(part: Blocks) -> Numbers:
            found = np.zeros_like(counts)
            count_times(part.table, part.words, self._area, limits, found)
            return found

        parts = min(len(blocks.table) // _BLOCKS_PER_THREAD, os.cpu_count() or 1)
        if parts > 1 and _all_cores.acquire(blocking=False):
            try:
                limits_of_parts = pairwise(len(blocks.table) * part // parts for part in range(parts + 1))
                selected = [blocks.select(slice(first, last)) for first, last in limits_of_parts]
                for found in _start_threads().map(count, selected):
                    counts += found
            finally:
                _all_cores.release()
        else:
            counts += count(blocks)


# One question at a time scans on all cores: more would only wait for one another.
_all_cores: Final = Lock()


@cache
def _start_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="scan")


def find_trips(blocks: Blocks, scan_filter: ScanFilter) -> Numbers:
    """List the selected trips of origin blocks. Shape: 4 by n: origins, destinations, regions, minutes since 0001-01-01."""
    found = np.empty((4, blocks.trips), np.int64)
    return found[:, : list_trips(blocks.table, blocks.words, scan_filter.limits, found)]


def find_cells(blocks: Blocks, scan_filter: ScanFilter, *, shift: int, buckets: Numbers | None = None) -> Numbers:
    """List the cells of the selected trips of origin blocks, on any day.

    buckets: of each minute of the day. Shape: 2 by n: origins' and destinations' cells; with buckets 3 by n: region <<
    BUCKET_BITS | bucket, too.
    """
    # The kernel writes a trip before it knows whether the trip is selected.
    found = np.empty((2 if buckets is None else 3, blocks.trips + 1), np.int64)
    cells = shift, np.empty(0, np.int64) if buckets is None else buckets
    return found[:, : list_cells(blocks.table, blocks.words, scan_filter.limits, cells, found)]
