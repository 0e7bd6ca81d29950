"""Hourly groups: trip groups of whole hours, counted from stored flows per hour or from blocks, then described from blocks.

Buckets are whole hours and cells have at most nine characters here; other questions read the trips.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from shared.domain.area import WHOLE_WORLD
from shared.domain.position import AXIS_STEPS
from shared.groups.descriptions import KEY, Partial, describe_groups, fetch_names, group_parameters, read_partials
from shared.groups.question import GroupQuestion, TripGroup, parse_after
from shared.groups.top_k import TopK
from shared.index.flow_reader import FlowCoverage, split_rows
from shared.index.layout import ANY, DAY_ONE, FLOW_SHIFT
from shared.index.scan import ScanFilter
from shared.index.scan_kernels import GROUP_CELL_BITS, GROUP_SUMS, GroupKeys, GroupSums, sum_groups
from shared.index.snapshot import Reader
from shared.index.trip_scan import BLOCK_TESTS, ReachedCells, TripBlocks, find_uncovered_trips, stream_trip_blocks
from shared.kernels.pair_counter import PairCounter
from shared.platform.arrays import Flags, Numbers
from shared.services.database import execute

# With more cells, reading every block costs less than filtering blocks by cell.
_MOST_CELLS: Final = 1_000
# Slots of the hash table of groups: 12 MB. A table of all groups of fine cells is read at random and takes gigabytes: for the
# groups of 148 million trips in Turin 8.7 GB, and 30 s instead of 10 to 13 s.
_SLOTS: Final = 1 << 18
_MOST_PAIRS: Final = 120_000
_ORIGIN_MASK: Final = (1 << GROUP_CELL_BITS) - 1


def find_groups(reader: Reader, question: GroupQuestion) -> list[TripGroup]:
    """Find the largest trip groups and describe them. Raises: StaleError."""
    counter, names = _GroupCounter(reader, question), fetch_names(reader.connection)
    selected = counter.select(regions=names[True])
    partials = [*counter.describe(selected, most_datasources=max(names[False], default=0) + 1)]
    reader.check()
    return describe_groups(question, selected, partials, names=names)


def list_largest(reader: Reader, question: GroupQuestion, *, regions: Mapping[int, str]) -> pl.DataFrame:
    """Find the largest trip groups. Shape: columns KEY and trips. Raises: StaleError."""
    return _GroupCounter(reader, question).select(regions=regions)


def make_group_keys(groups: Iterable[Numbers]) -> tuple[Numbers, Numbers]:
    """Pack regions, origins, destinations and buckets into the two keys of a PairCounter. Shape: n each."""
    regions, origins, destinations, buckets = groups
    return regions << GROUP_CELL_BITS | origins, destinations << 5 | buckets


class _GroupCounter:
    """Counts and describes the trip groups of one question."""

    def __init__(
        self,
        reader: Reader,
        question: GroupQuestion,
    ) -> None:
        self._reader = reader
        self._question = question
        self._scan_filter = ScanFilter(question.box.area() if question.box else WHOLE_WORLD, question.hours, date.min, date.max)
        self._tests = BLOCK_TESTS[question.end] if question.box else (ANY, ANY)
        self._parameters = group_parameters(question, reader.trips)

    def select(self, *, regions: Mapping[int, str]) -> pl.DataFrame:
        """Count the trips per group and select the largest groups. Shape: columns KEY and trips.

        Blocks and flows are read in order of their first origin, so groups of lower origins are complete.
        """
        largest = _LargestGroups(self._question, regions=regions)
        counter = _OrderedGroups(largest)
        self._count_blocks(counter)
        largest.add(counter.pairs.list_pairs())
        return largest.selected

    def describe(self, selected: pl.DataFrame, *, most_datasources: int) -> Iterator[Partial]:
        """Yield the partials of the selected groups, from blocks and from the trips of unindexed loads."""
        keys = {name: selected[name].to_numpy() for name in KEY}
        totals = np.zeros(selected.height, GROUP_SUMS)
        totals["first_hour"] = np.iinfo(np.int64).max
        seen = np.zeros((selected.height, most_datasources), np.bool_)
        self._describe_blocks(keys, totals, seen)
        for number, (trips, *steps, first_hour, last_hour) in enumerate(totals.tolist()):
            if trips:
                spans = (360.0, 180.0, 360.0, 180.0)
                sums = [
                    (step + trips / 2) * span / AXIS_STEPS - trips * span / 2 for step, span in zip(steps, spans, strict=True)
                ]
                first_on, last_on = (DAY_ONE + timedelta(days=hour // 24) for hour in (first_hour, last_hour))
                yield Partial(number, trips, sums, first_on, last_on, np.flatnonzero(seen[number]).tolist())
        yield from read_partials(self._reader.connection, self._parameters, selected, loads=self._reader.snapshot.unindexed_loads)

    def _count_blocks(self, counter: "_OrderedGroups") -> None:
        """Count the trips of unindexed loads, then stored flows and blocks in order of origins."""
        question, shift = self._question, self._question.cell_shift
        coverage = FlowCoverage.find(question, by_slot=True)
        flows = _SegmentFlows(coverage, self._reader, question)
        if self._reader.snapshot.unindexed_loads:
            self._count_unindexed(counter)
        for found in self._stream_blocks(coverage=coverage):
            first = found.first_base >> shift
            flows.count(counter, before=first)
            counter.drop_complete(first)
            origins, destinations, regions, hours = find_uncovered_trips(found, self._scan_filter, coverage)
            buckets = hours % 24 // question.bucket_hours
            counter.pairs.add(*make_group_keys((regions, origins >> shift, destinations >> shift, buckets)))
        flows.count(counter)

    def _count_unindexed(self, counter: "_OrderedGroups") -> None:
        """Count the trips of unindexed loads."""
        loads = self._reader.snapshot.unindexed_loads
        rows = execute(self._reader.connection, "count_unindexed_groups", **self._parameters, unindexed_loads=loads).all()
        found = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 5)
        counter.pairs.add(*make_group_keys(found[:, :4].T), np.ascontiguousarray(found[:, 4]))

    def _describe_blocks(self, keys: dict[str, Numbers], totals: GroupSums, seen: Flags) -> None:
        lookup = PairCounter()
        lookup.add(*make_group_keys(keys.values()), np.arange(1, len(totals) + 1))
        groups = GroupKeys(lookup.slots, self._question.cell_shift, self._question.bucket_hours)
        origins, destinations = (_list_cells(keys[end]) for end in ("origin", "destination"))
        reached = ReachedCells(self._question.cell_shift, origins, destinations)
        for found in self._stream_blocks(cells=reached):
            blocks, limits = found.blocks, self._scan_filter.limits
            sum_groups(blocks.table, blocks.words, limits, groups, found.datasources, (totals, seen))

    def _stream_blocks(self, **options: Any) -> Iterator[TripBlocks]:  # noqa: ANN401
        return stream_trip_blocks(self._reader, self._scan_filter, tests=self._tests, **options)


def _list_cells(cells: Numbers) -> Numbers | None:
    distinct = np.unique(cells)
    return distinct if len(distinct) <= _MOST_CELLS else None


class _LargestGroups:
    """The largest groups of those that were added, after the last group of the former page."""

    def __init__(self, question: GroupQuestion, *, regions: Mapping[int, str]) -> None:
        self._top = TopK(KEY, limit=question.limit, after=find_last_row(question, regions))

    @property
    def selected(self) -> pl.DataFrame:
        """The largest groups, in order. Shape: columns KEY and trips."""
        return self._top.rows

    def add(self, pairs: Numbers) -> None:
        """Add complete groups. Shape: 3 by n, as PairCounter.list_pairs returns."""
        self._top.add(_make_frame(pairs[:, pairs[2] >= self._top.floor]))


class _OrderedGroups:
    """Counts groups in order of their origins, and drops complete ones so that the table stays small."""

    def __init__(self, largest: _LargestGroups) -> None:
        self.pairs = PairCounter(_SLOTS)
        self._largest = largest
        self._most = _MOST_PAIRS

    def drop_complete(self, origin: int) -> None:
        """Move groups of lower origins to the largest ones, when there are many groups."""
        if self.pairs.pairs <= self._most:
            return
        pairs = self.pairs.list_pairs()
        is_complete = pairs[0] & _ORIGIN_MASK < origin
        self._largest.add(pairs[:, is_complete])
        self.pairs = PairCounter(_SLOTS)
        self.pairs.add(*np.ascontiguousarray(pairs[:, ~is_complete]))
        self._most = max(_MOST_PAIRS, 2 * self.pairs.pairs)


class _SegmentFlows:
    """Stored flows per hour, in order of origins."""

    def __init__(self, coverage: FlowCoverage | None, reader: Reader, question: GroupQuestion) -> None:
        self._coverage = coverage
        self._shift = question.cell_shift - FLOW_SHIFT
        self._bucket_hours = question.bucket_hours
        if coverage is not None:
            self._flows = reader.read_flows()
            self._parts = deque(split_rows(coverage.select(self._flows, reader.trips)))

    def count(self, counter: _OrderedGroups, *, before: int | None = None) -> None:
        """Count the remaining rows that begin before an origin, and perhaps others; None: all."""
        if self._coverage is None:
            return
        flows = self._flows
        while self._parts and (before is None or flows.origin[self._parts[0][0]] >> self._shift < before):
            rows = self._parts.popleft()
            counter.drop_complete(int(flows.origin[rows[0]]) >> self._shift)
            found, origins, destinations, trips = self._coverage.count_rows(flows, rows)
            cells = origins >> self._shift, destinations >> self._shift
            buckets = flows.slot[found] % 24 // self._bucket_hours
            counter.pairs.add(*make_group_keys((flows.region[found], *cells, buckets)), trips)


def _make_frame(pairs: Numbers) -> pl.DataFrame:
    """Shape: region, origin, destination, bucket, trips."""
    first, second, trips = pairs
    columns = (first >> GROUP_CELL_BITS, first & _ORIGIN_MASK, second >> 5, second & 31)
    return pl.DataFrame({**dict(zip(KEY, columns, strict=True)), "trips": trips})


def find_last_row(question: GroupQuestion, regions: Mapping[int, str]) -> tuple[int, ...] | None:
    """Trips and key of the last group of the former page; None for the first page."""
    after = parse_after(question)
    if after is None:
        return None
    trips, origin, destination, minute, region = after
    ids = [number for number, name in regions.items() if name == region]
    return trips, ids[0] if ids else 0, origin, destination, minute // question.bucket_minutes
