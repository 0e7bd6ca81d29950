"""Period counts: trips per week, or per hour, anywhere.

Whole weeks come from the weeks of segments and loads, hours and odd days from the days of segments, and of loads that are not
compacted from the times of blocks.
"""

from dataclasses import replace
from datetime import date

import numpy as np

from shared.index.block_cache import TIMES
from shared.index.block_fetch import BlockScan, read_blocks
from shared.index.count_kernels import add_days
from shared.index.layout import HOURS, number_day
from shared.index.scan import CountBy, ScanFilter, TimeCounter
from shared.index.snapshot import Reader
from shared.platform.arrays import Numbers
from shared.questions.period import Period
from shared.questions.unindexed import add_unindexed


def count_anywhere(reader: Reader, period: Period, *, by: CountBy = "week") -> Numbers:
    """Count the trips of a period per week or hour. Shape: as make_counts. Raises: StaleError."""
    scan_filter = ScanFilter(None, period.hours, period.from_on, period.to_on)
    counter = TimeCounter(scan_filter, by=by)
    first_week = number_day(period.from_on) // 7
    days = period.cut_days
    if by == "hour" or period.hours is not None:
        days = [(period.from_on, period.to_on)]
    else:
        weeks = reader.snapshot.select_weeks(reader.trips.region_id, reader.trips.datasource_id)
        first, last = (number_day(day) // 7 for day in period.whole_weeks)
        selected = (weeks.week >= first) & (weeks.week <= last)
        np.add.at(counter.counts[:, 0], weeks.week[selected] - first_week, weeks.trips[selected])
    for from_on, to_on in days:
        part = replace(period, from_on=from_on, to_on=to_on)
        _add_days(reader, part, counter.counts[number_day(from_on) // 7 - first_week :])
        add_unindexed(reader, part, counter.counts[number_day(from_on) // 7 - first_week :], by=by)
    if days:
        _add_uncompacted(reader, counter, days)
    return counter.counts


def _add_days(reader: Reader, period: Period, counts: Numbers) -> None:
    """Add the trips of segments on the days of a period."""
    days = reader.snapshot.data.days
    first, last = np.searchsorted(days.day, [number_day(period.from_on), number_day(period.to_on) + 1])
    hours = np.ones(HOURS, np.bool_)
    if period.hours is not None:
        hours = np.isin(np.arange(HOURS), period.hours)
    region, datasource = (-1 if name is None else name for name in (reader.trips.region_id, reader.trips.datasource_id))
    add_days(tuple(column[first:last] for column in days), (region, datasource, hours), number_day(period.from_on) // 7, counts)


def _add_uncompacted(reader: Reader, counter: TimeCounter, days: list[tuple[date, date]]) -> None:
    """Add the trips of loads that are in no segment, by the times of their blocks."""
    headers = reader.snapshot.data.origins
    headers = headers.take(~headers.is_compacted & reader.trips.select_blocks(headers))
    scan = BlockScan.without_tests(headers, TIMES, reader.trips.find_datasource(headers))
    for _, blocks in read_blocks(reader.connection, reader.snapshot.cache, scan):
        for from_on, to_on in days:
            counter.add(blocks, from_on, to_on)
