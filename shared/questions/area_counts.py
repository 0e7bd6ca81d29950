"""Area counts: trips per week, hour or duration with an end in an area.

Cells and blocks that lie whole in the area count by their sums, as far as the filters allow; of the blocks that its edge cuts the
trips are read.

An area that covers most of a region cuts the other ends of nearly all blocks in the region. Such a region is counted by its
complement, the few trips with no end in the area: either = all - neither,
both = origin inside + destination inside + neither - all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from shared.domain.area import CUT, INSIDE, OUTSIDE, Bounds, GridArea
from shared.domain.trip_end import End
from shared.index import layout
from shared.index.block_cache import DELTAS, DURATIONS, TIMES, X, Y
from shared.index.block_fetch import BlockScan, read_blocks
from shared.index.count_kernels import WholeWeeks, add_block_sums, add_cell_hours, add_cell_weeks, add_datasource_weeks
from shared.index.layout import ANY, CELL_SHIFT, number_day
from shared.index.scan import CountBy, ScanFilter, TimeCounter
from shared.index.segment import BlockHeaders
from shared.index.snapshot import Reader
from shared.platform.arrays import Flags, Numbers
from shared.questions.period import Period
from shared.questions.unindexed import AreaFilter, add_unindexed


class _Term(NamedTuple):
    """A term of the sum: trips counted by one end, and where that end and the other must lie. A question's terms are disjoint."""

    is_origin: bool
    end_test: int
    other_test: int


_ORIGIN_INSIDE: Final = _Term(True, layout.INSIDE, ANY)
_DESTINATION_INSIDE: Final = _Term(False, layout.INSIDE, ANY)
_NEITHER: Final = _Term(True, layout.OUTSIDE, layout.OUTSIDE)
_TERMS: Final[Mapping[End, Sequence[_Term]]] = {
    "origin": [_ORIGIN_INSIDE],
    "destination": [_DESTINATION_INSIDE],
    "both": [_Term(True, layout.INSIDE, layout.INSIDE)],
    "either": [_DESTINATION_INSIDE, _Term(True, layout.INSIDE, layout.OUTSIDE)],
}
# Terms of complement regions. _TOTAL_SIGNS: the sign of all trips of such a region.
_COMPLEMENT_TERMS: Final[Mapping[End, Sequence[_Term]]] = {
    "both": [_ORIGIN_INSIDE, _DESTINATION_INSIDE, _NEITHER],
    "either": [_NEITHER],
}
# A region is counted by its complement where a larger share of its trips begins in the area. At 100 million trips and boxes over
# three cities, that is faster from shares of 0.53 to 0.58 on for `either`, and of 0.66 to 0.73 for `both`, which then reads the
# edges of three terms.
_COMPLEMENT_SHARES: Final[Mapping[End, float]] = {"both": 2 / 3, "either": 1 / 2}
_TOTAL_SIGNS: Final[Mapping[End, int]] = {"both": -1, "either": 1}


def count_area(reader: Reader, area: AreaFilter, period: Period, *, by: CountBy = "week") -> Numbers:
    """Count the trips of a period with an end in an area. Shape: as make_counts. Raises: StaleError."""
    end = area.end
    counter = _AreaCounter(reader, area.area, period, by=by)
    regions = find_complement_regions(reader, area.area, end) if counter.is_by_whole_week else np.empty(0, np.int64)
    for term in _TERMS[end]:
        counter.add(term, 1, without_regions=regions)
    if len(regions):
        counter.add_all(regions, _TOTAL_SIGNS[end])
        for term in _COMPLEMENT_TERMS[end]:
            counter.add(term, -_TOTAL_SIGNS[end], only_regions=regions)
    add_unindexed(reader, period, counter.counts, area=area, by=by)
    return counter.counts


def find_complement_regions(reader: Reader, area: GridArea, end: End) -> Numbers:
    """Find the regions to count by their complement. Faster for regions mostly inside the area; correct for any region.

    None while there are unindexed loads: their trips are in the totals, but in no block.
    """
    snapshot, region_id = reader.snapshot, reader.trips.region_id
    if end not in _COMPLEMENT_TERMS or snapshot.unindexed_loads:
        return np.empty(0, np.int64)
    cells, weeks = snapshot.data.cells, snapshot.data.weeks
    inside = cells.is_origin & area.inner(CELL_SHIFT).contains(cells.corner)
    size = int(max(cells.region.max(initial=0), weeks.region.max(initial=0))) + 1
    begun = np.bincount(cells.region[inside], snapshot.cell_trips[inside], minlength=size)
    is_complement = begun > _COMPLEMENT_SHARES[end] * np.bincount(weeks.region, weeks.trips, minlength=size)
    return np.flatnonzero(is_complement if region_id is None else is_complement & (np.arange(size) == region_id))


@dataclass(frozen=True, slots=True)
class _Touched:
    """Blocks that may have trips of a term. end_tests, other_tests: what is left to test of each trip."""

    headers: BlockHeaders
    end_tests: Numbers
    other_tests: Numbers

    def select(self, rows: Flags) -> "_Touched":
        return _Touched(self.headers.take(rows), self.end_tests[rows], self.other_tests[rows])


class _AreaCounter:
    """Counts the terms of one question."""

    def __init__(self, reader: Reader, area: GridArea, period: Period, *, by: CountBy) -> None:
        self._reader = reader
        self._area = area
        self._inner = area.inner(CELL_SHIFT)
        self._period = period
        self._cut_days = period.cut_days
        self._by = by
        self._scan_filter = ScanFilter(area, period.hours, period.from_on, period.to_on)
        self._hours = self._scan_filter.time_limits().hours
        has_datasource = reader.trips.datasource_id is not None
        # What the sums of cells, the hours of cells and the sums of blocks can tell.
        self._is_by_week = by == "week" and period.hours is None
        self._has_cell_hours = by != "duration" and not self._is_by_week and not has_datasource
        self._has_sums = self._is_by_week and not has_datasource
        self._needs_times = by == "hour" or period.hours is not None or bool(self._cut_days) or has_datasource
        first, last = (number_day(day) for day in period.whole_weeks)
        self._whole = WholeWeeks(number_day(period.from_on) // 7, first // 7, last // 7)
        self.is_by_whole_week = self._is_by_week and not self._cut_days
        self.counts = TimeCounter(self._scan_filter, by=by).counts

    def add_all(self, regions: Numbers, sign: int) -> None:
        """Add all trips of regions in whole weeks."""
        weeks = self._reader.snapshot.select_weeks(self._reader.trips.region_id, self._reader.trips.datasource_id)
        selected = np.isin(weeks.region, regions) & (weeks.week >= self._whole.from_week) & (weeks.week <= self._whole.to_week)
        np.add.at(self.counts[:, 0], weeks.week[selected] - self._whole.first, sign * weeks.trips[selected])

    def add(self, term: _Term, sign: int, *, only_regions: Numbers | None = None, without_regions: Numbers | None = None) -> None:
        """Add the trips of a term, of some regions or of all others."""
        counter = TimeCounter(self._scan_filter, by=self._by)

        def select(regions: Numbers) -> Flags:
            if only_regions is not None:
                return np.isin(regions, only_regions)
            if without_regions is not None and len(without_regions):
                return ~np.isin(regions, without_regions)
            return np.ones(len(regions), np.bool_)

        touched = self._touch(term, select(self._reader.snapshot.blocks(is_origin=term.is_origin).region))
        is_inner = np.zeros(touched.headers.size, np.bool_)
        if term.other_test == ANY and term.end_test == layout.INSIDE:
            self._add_cells(counter, term.is_origin, select(self._reader.snapshot.data.cells.region))
            has_cells = (
                touched.headers.is_compacted if self._is_by_week else touched.headers.has_cell_hours & self._has_cell_hours
            )
            is_inner = has_cells & self._inner.contains(touched.headers.base)
        has_sums = touched.headers.week_sums.counts[touched.headers.row] > 0
        is_summed = (touched.end_tests == ANY) & (touched.other_tests == ANY) & has_sums & self._has_sums & ~is_inner
        headers = touched.headers.take(is_summed)
        values, offsets = headers.week_sums
        add_block_sums(headers.row, headers.week, values, offsets, self._whole, counter.counts)
        is_counted = is_inner | is_summed
        self._scan(counter, touched.select(~is_counted), [()])
        if self._cut_days:
            self._scan(counter, touched.select(is_counted), self._cut_days)
        self.counts += sign * counter.counts

    def _touch(self, term: _Term, selected: Flags) -> _Touched:
        """Find the blocks that may have trips of a term."""
        headers = self._reader.snapshot.blocks(is_origin=term.is_origin)
        selected = selected & self._reader.trips.select_blocks(headers)
        end_tests, is_possible = self._test(term.end_test, headers.bounds)
        selected &= is_possible
        other_tests = np.zeros(headers.size, np.int64)
        if term.other_test != ANY:
            other_tests, is_possible = self._test(term.other_test, headers.other_bounds)
            selected &= is_possible
        return _Touched(headers, end_tests, other_tests).select(selected)

    def _test(self, test: int, bounds: Bounds) -> tuple[Numbers, Flags]:
        """What is left to test of each trip of blocks with these bounds, and whether any can pass."""
        found = self._area.classify(bounds)
        excluded = OUTSIDE if test == layout.INSIDE else INSIDE
        return np.where(found == CUT, test, ANY), found != excluded

    def _add_cells(self, counter: TimeCounter, is_origin: bool, selected: Flags) -> None:
        """Add the trips of cells inside the area."""
        cells, region_id = self._reader.snapshot.data.cells, self._reader.trips.region_id
        selected = selected & (cells.is_origin == is_origin)
        if region_id is not None:
            selected &= cells.region == region_id
        rows = np.flatnonzero(selected)
        rows = rows[self._inner.contains(cells.corner[rows])]
        if self._has_sums:
            add_cell_weeks(
                rows, cells.sum_weeks.values, cells.sum_trips.values, cells.sum_weeks.offsets, self._whole, counter.counts
            )
        elif self._is_by_week:
            entries = cells.weeks.values, cells.datasources.values, cells.trips.values
            selected_weeks = self._reader.trips.datasource_id or 0, self._whole
            add_datasource_weeks(rows, entries, cells.weeks.offsets, selected_weeks, counter.counts)
        elif self._has_cell_hours:
            rows = rows[cells.hours.counts[rows] > 0]
            values, offsets = cells.sum_weeks
            first = values[offsets[rows]].astype(np.int64)
            spans = first, values[offsets[rows + 1] - 1] + 1 - first
            add_cell_hours(rows, spans, (cells.hours.values, cells.hours.offsets), (self._hours, self._whole), counter.counts)

    def _scan(self, counter: TimeCounter, touched: _Touched, days: Sequence[tuple[()] | tuple[date, date]]) -> None:
        """Read blocks, and count their trips."""
        headers = touched.headers
        if headers.size == 0:
            return
        needs = np.full(headers.size, TIMES if self._needs_times else 0)
        if self._by == "duration":
            needs[headers.duration_words > 0] |= DURATIONS
        needs[touched.end_tests != ANY] |= DELTAS
        needs_x, needs_y = self._area.find_cut_axes(headers.other_bounds)
        is_tested = touched.other_tests != ANY
        needs[is_tested & needs_x] |= X
        needs[is_tested & needs_y] |= Y
        scan = BlockScan(headers, touched.end_tests, touched.other_tests, needs, self._reader.trips.find_datasource(headers))
        for _, blocks in read_blocks(self._reader.connection, self._reader.snapshot.cache, scan):
            for day in days:
                counter.add(blocks, *day)
