"""Counted groups: the largest trip groups, counted and described from stored flows per hour and from blocks.

The few trips of unindexed loads are added.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from heapq import merge
from typing import Any, Final

import numpy as np
import polars as pl

from shared.domain.area import WHOLE_WORLD
from shared.domain.position import AXIS_STEPS
from shared.groups.descriptions import KEY, Partial, describe_groups, fetch_names, group_parameters, read_partials
from shared.groups.ordered_counter import OrderedCounter
from shared.groups.question import DAY_MINUTES, GroupQuestion, TripGroup, find_last_row
from shared.groups.top_k import TopK
from shared.index.flow_reader import FlowCoverage, split_rows
from shared.index.layout import ANY, DAY_ONE, FLOW_SHIFT
from shared.index.scan import ScanFilter, find_cells
from shared.index.scan_kernels import BUCKET_BITS, GROUP_SUMS, GroupKeys, GroupSums, sum_groups
from shared.index.snapshot import Reader
from shared.index.trip_scan import BLOCK_TESTS, ReachedCells, TripBlocks, find_uncovered_trips, stream_trip_blocks
from shared.kernels.pair_counter import PairCounter
from shared.platform.arrays import Flags, Numbers
from shared.services.database import execute

# With more cells, reading every block costs less than filtering blocks by cell.
_MOST_CELLS: Final = 1_000
_HOUR_MINUTES: Final = 60

_Part = tuple[Numbers, int]
"""Trips, and an origin before which no later trip begins. Shape: 3 by n: origin and destination cells, kinds (region <<
BUCKET_BITS | bucket); or 4 by n: numbers of trips, too."""


def find_groups(reader: Reader, question: GroupQuestion) -> list[TripGroup]:
    """Find the largest trip groups and describe them. Raises: StaleError."""
    counter, names = _GroupCounter(reader, question), fetch_names(reader.connection)
    selected = counter.select(regions=names[True])
    partials = [*counter.describe(selected, most_datasources=max(names[False], default=0) + 1)]
    reader.check()
    return describe_groups(question, selected, partials, names=names)


class _GroupCounter:
    """Counts and describes the trip groups of one question."""

    def __init__(self, reader: Reader, question: GroupQuestion) -> None:
        self._reader = reader
        self._question = question
        self._scan_filter = ScanFilter(
            question.area.on_grid() if question.area else WHOLE_WORLD, question.hours, date.min, date.max
        )
        self._tests = BLOCK_TESTS[question.end] if question.area else (ANY, ANY)
        self._parameters = group_parameters(reader, question, loads=reader.snapshot.unindexed_loads)
        self._is_hourly = question.bucket_minutes % _HOUR_MINUTES == 0
        self._buckets = np.arange(DAY_MINUTES) // question.bucket_minutes

    def select(self, *, regions: Mapping[int, str]) -> pl.DataFrame:
        """Count the trips per group and select the largest groups. Shape: columns KEY and trips."""
        top = TopK(KEY, limit=self._question.limit, after=find_last_row(self._question, regions))

        def add(keys: Numbers, trips: Numbers) -> None:
            origins, destinations, kinds = keys
            top.add((kinds >> BUCKET_BITS, origins, destinations, kinds & (1 << BUCKET_BITS) - 1), trips)

        coverage = FlowCoverage.find(self._question, by_slot=True) if self._is_hourly else None
        counter = OrderedCounter(add, keys=3)
        if coverage is None and not self._reader.snapshot.unindexed_loads:
            counter.count(self._list_blocks(None))
        else:
            counter.count(self._list_numbers(coverage))
        return top.rows

    def _list_numbers(self, coverage: FlowCoverage | None) -> Iterator[_Part]:
        """Yield numbers of trips: of unindexed loads, then stored flows and trips in blocks in order of origins."""
        if self._reader.snapshot.unindexed_loads:
            yield self._read_unindexed(), 0
        blocks = ((np.concatenate([trips, np.ones_like(trips[:1])]), first) for trips, first in self._list_blocks(coverage))
        flows = self._list_flows(coverage) if coverage is not None else ()
        yield from merge(blocks, flows, key=lambda part: part[1])

    def _list_blocks(self, coverage: FlowCoverage | None) -> Iterator[_Part]:
        """Yield the trips in blocks that stored flows do not cover."""
        shift = self._question.cell_shift
        for found in self._stream_blocks(coverage=coverage):
            if coverage is None:
                trips = find_cells(found.blocks, self._scan_filter, shift=shift, buckets=self._buckets)
            else:
                origins, destinations, regions, minutes = find_uncovered_trips(found, self._scan_filter, coverage)
                kinds = regions << BUCKET_BITS | self._buckets[minutes % DAY_MINUTES]
                trips = np.stack([origins >> shift, destinations >> shift, kinds])
            yield trips, found.first_base >> shift

    def _list_flows(self, coverage: FlowCoverage) -> Iterator[_Part]:
        """Yield stored flows per hour."""
        flows, shift = self._reader.read_flows(), self._question.cell_shift - FLOW_SHIFT
        for rows in split_rows(coverage.select(flows, self._reader.trips)):
            found, origins, destinations, trips = coverage.count_rows(flows, rows)
            kinds = flows.region[found] << BUCKET_BITS | self._buckets[flows.slot[found] % 24 * _HOUR_MINUTES]
            yield np.stack([origins >> shift, destinations >> shift, kinds, trips]), int(flows.origin[rows[0]]) >> shift

    def _read_unindexed(self) -> Numbers:
        """Count the trips of unindexed loads."""
        loads = self._reader.snapshot.unindexed_loads
        rows = execute(self._reader.connection, "count_unindexed_groups", **self._parameters, unindexed_loads=loads).all()
        regions, origins, destinations, buckets, trips = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 5).T
        return np.stack([origins, destinations, regions << BUCKET_BITS | buckets, trips])

    def describe(self, selected: pl.DataFrame, *, most_datasources: int) -> Iterator[Partial]:
        """Yield the partials of the selected groups, from blocks and from the trips of unindexed loads."""
        totals = np.zeros(selected.height, GROUP_SUMS)
        totals["first_hour"] = np.iinfo(np.int64).max
        seen = np.zeros((selected.height, most_datasources), np.bool_)
        self._describe_blocks({name: selected[name].to_numpy() for name in KEY}, totals, seen)
        for number, (trips, *steps, first_hour, last_hour) in enumerate(totals.tolist()):
            if trips:
                spans = (360.0, 180.0, 360.0, 180.0)
                sums = [
                    (step + trips / 2) * span / AXIS_STEPS - trips * span / 2 for step, span in zip(steps, spans, strict=True)
                ]
                first_on, last_on = (DAY_ONE + timedelta(days=hour // 24) for hour in (first_hour, last_hour))
                yield Partial(number, trips, sums, first_on, last_on, np.flatnonzero(seen[number]).tolist())
        yield from read_partials(self._reader.connection, self._parameters, selected, loads=self._reader.snapshot.unindexed_loads)

    def _describe_blocks(self, keys: Mapping[str, Numbers], totals: GroupSums, seen: Flags) -> None:
        if len(totals) == 0:
            return
        ends = np.stack([keys["origin"], keys["destination"]])
        distinct, numbers = np.unique(ends, axis=1, return_inverse=True)
        flows, groups = PairCounter(), PairCounter()
        flows.add(distinct[0], distinct[1], np.arange(1, distinct.shape[1] + 1))
        groups.add(numbers + 1, keys["region"] << BUCKET_BITS | keys["bucket"], np.arange(1, len(totals) + 1))
        lookup = GroupKeys(flows.slots, groups.slots, self._question.cell_shift, self._buckets)
        cells = ReachedCells(self._question.cell_shift, *(_list_cells(end) for end in ends))
        limits = self._scan_filter.limits
        for found in self._stream_blocks(cells=cells):
            sum_groups(found.blocks.table, found.blocks.words, limits, lookup, found.datasources, (totals, seen))

    def _stream_blocks(self, **options: Any) -> Iterator[TripBlocks]:  # noqa: ANN401
        has_minutes = not self._is_hourly
        return stream_trip_blocks(self._reader, self._scan_filter, tests=self._tests, has_minutes=has_minutes, **options)


def _list_cells(cells: Numbers) -> Numbers | None:
    distinct = np.unique(cells)
    return distinct if len(distinct) <= _MOST_CELLS else None
