"""Box counts: trips per week, or per hour, with an end in an area.

Cells, block sums, block headers and uncompacted trips come from one statement, so they are of one snapshot; the bits of a block
never change.

A box that covers most of a region cuts the other ends of nearly all blocks in the region. Such a region is counted by its
complement, the few trips with no end in the box: either = all - neither,
both = origin inside + destination inside + neither - all.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from shared.domain.area import AxisArea
from shared.domain.trip_end import End, area_parameters
from shared.index.block_fetch import read_blocks
from shared.index.block_header import BlockHeaders
from shared.index.layout import ANY, CELL_SHIFT, INSIDE, OUTSIDE
from shared.index.scan import ScanFilter, TimeCounter
from shared.index.snapshot import StaleError, TripFilter
from shared.platform.arrays import Numbers
from shared.questions.period import Period
from shared.services.database import execute, stream_rows


class _Term(NamedTuple):
    """A term of the sum: trips counted by one end, and where that end and the other must lie. A question's terms are disjoint."""

    is_origin: bool
    end_test: int
    other_test: int


_ORIGIN_INSIDE: Final = _Term(True, INSIDE, ANY)
_DESTINATION_INSIDE: Final = _Term(False, INSIDE, ANY)
_NEITHER: Final = _Term(True, OUTSIDE, OUTSIDE)
_TERMS: Final[Mapping[End, Sequence[_Term]]] = {
    "origin": [_ORIGIN_INSIDE],
    "destination": [_DESTINATION_INSIDE],
    "both": [_Term(True, INSIDE, INSIDE)],
    "either": [_DESTINATION_INSIDE, _Term(True, INSIDE, OUTSIDE)],
}
# Terms of complement regions. _TOTAL_SIGNS: the sign of all trips of such a region.
_COMPLEMENT_TERMS: Final[Mapping[End, Sequence[_Term]]] = {
    "both": [_ORIGIN_INSIDE, _DESTINATION_INSIDE, _NEITHER],
    "either": [_NEITHER],
}
# A region is counted by its complement where a larger share of its trips begins in the box. At 100 million trips and boxes over
# three cities, that is faster from shares of 0.53 to 0.58 on for `either`, and of 0.66 to 0.73 for `both`, which then reads the
# edges of three terms.
_COMPLEMENT_SHARES: Final[Mapping[End, float]] = {"both": 2 / 3, "either": 1 / 2}
_TOTAL_SIGNS: Final[Mapping[End, int]] = {"both": -1, "either": 1}


def count_box(
    connection: Connection, area: AxisArea, end: End, *, trip_filter: TripFilter, period: Period, by_hour: bool = False
) -> Numbers:
    """Count the trips of a period with an end in an area. Raises: StaleError.

    Shape: a row per week of the period, a column per hour of the week or one.
    """
    cut_days = period.cut_days
    knows_weeks = not by_hour and period.hours is None
    has_datasource = trip_filter.datasource_id is not None
    complement_regions = (
        _list_complement_regions(connection, area, end, trip_filter=trip_filter) if knows_weeks and not cut_days else []
    )
    answer = _Answer(area, end, period, by_hour=by_hour)
    query_parameters = {
        **trip_filter.parameters,
        **period.parameters,
        **area_parameters(area, end),
        **_make_terms(end, complement_regions),
        "area": area.bounds(),
        "inner_34": area.inner(CELL_SHIFT).bounds(),
        "by_hour": by_hour,
        "knows_cells": knows_weeks,
        "knows_cell_hours": not knows_weeks and not has_datasource,
        "knows_sums": knows_weeks and not has_datasource,
        "has_cut_weeks": bool(cut_days),
        "needs_times": not knows_weeks or bool(cut_days) or has_datasource,
    }
    for rows in stream_rows(connection, "count_box", query_parameters):
        if not rows[0].is_current:
            raise StaleError
        answer.add(rows)
    answer.add_blocks(connection, cut_days)
    return answer.counts


def _list_complement_regions(connection: Connection, area: AxisArea, end: End, *, trip_filter: TripFilter) -> list[int]:
    """List the regions to count by their complement. Faster for regions mostly inside the box; correct for any region.

    Empty while there are unindexed loads: their trips are in the totals, but in no block.
    """
    if end not in _COMPLEMENT_TERMS or trip_filter.unindexed_loads:
        return []
    query_parameters = {
        "inner_34": area.inner(CELL_SHIFT).bounds(),
        "region_id": trip_filter.region_id,
        "share": _COMPLEMENT_SHARES[end],
    }
    return list(execute(connection, "list_complement_regions", **query_parameters).scalars())


def _make_terms(end: End, complement_regions: Sequence[int]) -> dict[str, object]:
    terms = [(*term, False) for term in _TERMS[end]]
    if complement_regions:
        terms += [(*term, True) for term in _COMPLEMENT_TERMS[end]]
    are_origins, end_tests, other_tests, are_complements = map(list, zip(*terms, strict=True))
    return {
        "is_origins": are_origins,
        "end_tests": end_tests,
        "other_tests": other_tests,
        "are_complement": are_complements,
        "complement_regions": complement_regions,
        "total_sign": _TOTAL_SIGNS.get(end, 0),
        "lowest_end": int(min(are_origins)),
        "highest_end": int(max(are_origins)),
    }


class _Answer:
    """Adds up the rows of count_box. Counts of complement regions are subtracted where all trips of the region were added."""

    def __init__(self, area: AxisArea, end: End, period: Period, *, by_hour: bool) -> None:
        scan_filter = ScanFilter(area, period.hours, period.from_on, period.to_on)
        self._first_week = period.first_week
        self._whole_weeks = period.whole_weeks
        self._counter = TimeCounter(scan_filter, by_hour=by_hour)
        self._complement = TimeCounter(scan_filter, by_hour=by_hour)
        self._complement_sign = -_TOTAL_SIGNS.get(end, 0)
        self._headers: list[tuple[bool, bool, BlockHeaders]] = []

    @property
    def counts(self) -> Numbers:
        """Trips per week, or per week and hour."""
        return self._counter.counts + self._complement_sign * self._complement.counts

    def add(self, rows: Sequence[Any]) -> None:
        """Add rows; block headers wait for add_blocks."""
        for row in rows:
            if row.headers is None:
                self._add_sums(row)
            else:
                self._headers.append((row.is_complement, row.is_counted, BlockHeaders.from_arrays(row.headers, row.week_index)))

    def add_blocks(self, connection: Connection, cut_days: Sequence[tuple[date, date]]) -> None:
        """Read and count the blocks. Blocks that cells or sums count are read only for the days in no whole week.

        Raises: StaleError.
        """
        for is_complement, is_counted, headers in self._headers:
            counter = self._complement if is_complement else self._counter
            for _, blocks in read_blocks(connection, headers):
                for days in cut_days if is_counted else [()]:
                    counter.add(blocks, *days)

    def _add_sums(self, row: Any) -> None:  # noqa: ANN401 - psycopg's named tuple
        if row.sum_weeks is not None:
            counter = self._complement if row.is_complement else self._counter
            counter.add_sums(row.sum_weeks, row.sum_lengths, row.sums, whole_weeks=self._whole_weeks)
        elif row.week is not None and row.sums is not None:
            self._counter.add_cell(row.week, row.sums, weeks=row.trips, whole_weeks=self._whole_weeks)
        elif row.week is not None:
            self._counter.counts[(row.week - self._first_week).days // 7, row.hour or 0] += row.trips
