"""Scan: count or list the selected trips of blocks in this process, ten times faster than SQL reads arrays.

counter = TimeCounter(scan_filter, by_hour=False)
for _, blocks in read_blocks(connection, headers): counter.add(blocks)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from shared.domain.area import AxisArea
from shared.index.block_fetch import Blocks
from shared.index.block_filter import AreaLimits, Limits, TimeLimits
from shared.index.layout import HOURS, number_day
from shared.index.scan_kernels import count_times, list_cells, list_trips
from shared.kernels.bit_packing import unpack_numbers
from shared.platform.arrays import Numbers


@dataclass(frozen=True, slots=True)
class ScanFilter:
    """Which trips of a block count. hours: of the week, Monday 0 h is 0 (None: all); area None: anywhere; both days included."""

    area: AxisArea | None
    hours: Sequence[int] | None
    from_on: date
    to_on: date

    @property
    def area_limits(self) -> AreaLimits:
        """The area as the kernels take it; without an area any, as no trip is tested then."""
        if self.area is None:
            return AreaLimits(*[0] * len(AreaLimits._fields))
        _, _, x_low, x_high, _, _, next_x_low, next_x_high, y_low, y_high = self.area.bounds()
        return AreaLimits(x_low, x_high, next_x_low, next_x_high, y_low, y_high, *self.area.steps())

    def time_limits(self, from_on: date | None = None, to_on: date | None = None) -> TimeLimits:
        """Hours and days as the kernels take them; other days than the filter's where they are given."""
        hours = np.full(HOURS, self.hours is None)
        hours[list(self.hours or ())] = True
        return TimeLimits(hours, number_day(from_on or self.from_on), number_day(to_on or self.to_on))

    @property
    def limits(self) -> Limits:
        """Area and times as the kernels take them."""
        return Limits(self.area_limits, self.time_limits())


class TimeCounter:
    """Counts the selected trips of blocks per week of the period, or per week and hour."""

    def __init__(self, scan_filter: ScanFilter, *, by_hour: bool) -> None:
        self._filter = scan_filter
        self._area = scan_filter.area_limits
        self._first_week = number_day(scan_filter.from_on) // 7
        weeks = number_day(scan_filter.to_on) // 7 - self._first_week + 1
        self.counts = np.zeros((weeks, HOURS if by_hour else 1), np.int64)

    def add(self, blocks: Blocks, from_on: date | None = None, to_on: date | None = None) -> None:
        """Count trips, on the filter's days or on others of its period."""
        limits = self._filter.time_limits(from_on, to_on)
        counts = self.counts[limits.first_day // 7 - self._first_week :]
        count_times(blocks.table, blocks.words, self._area, limits, counts)

    def add_sums(self, weeks: Sequence[int], lengths: Sequence[int], sums: bytes, *, whole_weeks: tuple[date, date]) -> None:
        """Count blocks by their week sums, in whole weeks of the period. weeks: each block's first week since 0001-01-01."""
        trips, sizes = np.frombuffer(sums, "<u2"), np.array(lengths)
        numbers = np.repeat(np.array(weeks) - (np.cumsum(sizes) - sizes), sizes) + np.arange(len(trips))
        selected = (numbers >= number_day(whole_weeks[0]) // 7) & (numbers <= number_day(whole_weeks[1]) // 7)
        np.add.at(self.counts[:, 0], numbers[selected] - self._first_week, trips[selected])

    def add_cell(self, week: date, column: bytes, *, weeks: int, whole_weeks: tuple[date, date]) -> None:
        """Count a cell's hours in whole weeks of the period. week, weeks: the cell's first week and how many; column: bits."""
        hours = np.empty(weeks * HOURS, np.int64)
        unpack_numbers(np.frombuffer(column + bytes(8), np.uint64), 0, hours)
        selected_hours = hours.reshape(weeks, HOURS) * self._filter.time_limits().hours
        first = number_day(week) // 7
        low = max(first, number_day(whole_weeks[0]) // 7)
        high = min(first + weeks, (number_day(whole_weeks[1]) + 1) // 7)
        if low < high:
            selected = selected_hours[low - first : high - first]
            rows = self.counts[low - self._first_week : high - self._first_week]
            rows += selected if rows.shape[1] == HOURS else selected.sum(axis=1, keepdims=True)


def find_trips(blocks: Blocks, scan_filter: ScanFilter) -> Numbers:
    """List the selected trips of origin blocks. Shape: 4 by n: origins, destinations, regions, hours since 0001-01-01."""
    found = np.empty((4, blocks.trips), np.int64)
    return found[:, : list_trips(blocks.table, blocks.words, scan_filter.limits, found)]


def find_cells(blocks: Blocks, scan_filter: ScanFilter, *, shift: int) -> Numbers:
    """List the cells of the selected trips of origin blocks, on any day. Shape: 2 by n: origins' and destinations'."""
    # The kernel writes a trip before it knows whether the trip is selected.
    found = np.empty((2, blocks.trips + 1), np.int64)
    return found[:, : list_cells(blocks.table, blocks.words, scan_filter.limits, shift, found)]
