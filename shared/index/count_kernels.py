"""Count kernels: trips per week or hour of rows whose counts are stored: blocks that lie whole in an area, cells, and days.

Shape: counts has a row for each week of the period, and a column for each hour of the week or one.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from shared.index.layout import HOURS
from shared.kernels.bit_packing import unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Flags, Numbers, Words

_Integers = npt.NDArray[Any]


class WholeWeeks(NamedTuple):
    """The first week of counts, and the first and last week that count. Weeks since 0001-01-01."""

    first: int
    from_week: int
    to_week: int


@compile_kernel
def add_block_sums(rows: Numbers, weeks: Numbers, sums: _Integers, offsets: Numbers, limits: WholeWeeks, counts: Numbers) -> None:
    """Add the trips of rows, whose sums are one per week from the row's first week on. weeks: of each row."""
    for i in range(len(rows)):
        start = offsets[rows[i]]
        for at in range(start, offsets[rows[i] + 1]):
            week = weeks[i] + at - start
            if limits.from_week <= week <= limits.to_week:
                counts[week - limits.first, 0] += sums[at]


@compile_kernel
def add_cell_weeks(
    rows: Numbers, weeks: _Integers, trips: _Integers, offsets: Numbers, limits: WholeWeeks, counts: Numbers
) -> None:
    """Add the trips of rows, each entry of which has a week and its trips."""
    for row in rows:
        for at in range(offsets[row], offsets[row + 1]):
            if limits.from_week <= weeks[at] <= limits.to_week:
                counts[weeks[at] - limits.first, 0] += trips[at]


@compile_kernel
def add_datasource_weeks(
    rows: Numbers,
    entries: tuple[_Integers, _Integers, _Integers],
    offsets: Numbers,
    selected: tuple[int, WholeWeeks],
    counts: Numbers,
) -> None:
    """Add the trips of a datasource. entries: weeks, datasources, trips. selected: the datasource, and the weeks."""
    weeks, datasources, trips = entries
    datasource, limits = selected
    for row in rows:
        for at in range(offsets[row], offsets[row + 1]):
            if datasources[at] == datasource and limits.from_week <= weeks[at] <= limits.to_week:
                counts[weeks[at] - limits.first, 0] += trips[at]


@compile_kernel
def add_cell_hours(
    rows: Numbers,
    spans: tuple[Numbers, Numbers],
    column: tuple[Words, Numbers],
    selected: tuple[Flags, WholeWeeks],
    counts: Numbers,
) -> None:
    """Add the trips of cells that keep them per hour, as bits. spans: first week of each row, and how many."""
    words, offsets = column
    hours, limits = selected
    by_hour = counts.shape[1] == HOURS
    for i in range(len(rows)):
        first, weeks = spans[0][i], spans[1][i]
        numbers = np.empty(weeks * HOURS, np.int64)
        unpack_numbers(words, offsets[rows[i]], numbers)
        for week in range(max(first, limits.from_week), min(first + weeks - 1, limits.to_week) + 1):
            for hour in range(HOURS):
                if hours[hour]:
                    counts[week - limits.first, hour if by_hour else 0] += numbers[(week - first) * HOURS + hour]


@compile_kernel
def add_days(
    days: tuple[_Integers, ...],
    selected: tuple[int, int, Flags],
    first_week: int,
    counts: Numbers,
) -> None:
    """Add trips of days.

    days: day, region, datasource, hour, trips. selected: region and datasource (-1: any), and hours of the week.
    """
    by_hour = counts.shape[1] == HOURS
    region, datasource, hours = selected
    for i in range(len(days[0])):
        day = days[0][i]
        hour = day % 7 * 24 + days[3][i]
        if hours[hour] and (region < 0 or days[1][i] == region) and (datasource < 0 or days[2][i] == datasource):
            counts[day // 7 - first_week, hour if by_hour else 0] += days[4][i]
