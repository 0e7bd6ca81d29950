"""Trip groups of whole hours: counted from the runs' flows per hour or from blocks, then described from blocks.

Buckets are whole hours and cells have up to nine characters here; other questions read the trips.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import polars as pl
from sqlalchemy import Connection

from shared.domain.area import WHOLE_WORLD
from shared.domain.position import AXIS_STEPS
from shared.groups.descriptions import KEY, Share, describe_groups, fetch_names, group_parameters, read_shares
from shared.groups.question import GroupQuestion, TripGroup, parse_after
from shared.groups.top_k import keep_largest
from shared.index.block_fetch import list_sources
from shared.index.flow_reader import KnownFlows
from shared.index.layout import ANY, FLOW_SHIFT
from shared.index.scan import Choice
from shared.index.scan_kernels import GROUP_CELL_BITS, sum_groups
from shared.index.snapshot import Filters, StaleError, expecting_the_same_runs
from shared.index.trip_scan import BLOCK_TESTS, TripBlocks, find_unknown_trips, stream_trip_blocks
from shared.kernels.pair_counter import PairCounter
from shared.platform.arrays import Numbers
from shared.services.database import execute

_DAY_ONE: Final = date(1, 1, 1)
# With more cells than these, looking at every block costs less than asking each where it lies.
_MOST_CELLS: Final = 1_000
# Groups that are counted at once: a table of 12 MB. One of all groups of fine cells is read at random, and takes gigabytes: for
# Turin's of 148 million trips 8.7, and 30 s instead of 10 to 13.
_SLOTS: Final = 1 << 18
_MOST_PAIRS: Final = 120_000
_ORIGIN_MASK: Final = (1 << GROUP_CELL_BITS) - 1


def find_groups(connection: Connection, question: GroupQuestion, filters: Filters) -> list[TripGroup]:
    """Find the largest trip groups and describe them.

    Raises: StaleError when loads were packed or undone since the filters were fetched.
    """
    asked, names = _Asked(connection, question, filters), fetch_names(connection)
    chosen = asked.choose(regions=names[True])
    shares = asked.describe(chosen, most_datasources=max(names[False], default=0) + 1)
    return describe_groups(question, chosen, shares, names=names)


def list_largest(
    connection: Connection, question: GroupQuestion, filters: Filters, *, regions: Mapping[int, str]
) -> pl.DataFrame:
    """Find the largest trip groups. Shape: KEY, trips. Raises: StaleError."""
    return _Asked(connection, question, filters).choose(regions=regions)


def make_group_keys(groups: Iterable[Numbers]) -> tuple[Numbers, Numbers]:
    """Make the two keys that a group is counted under, of its regions, origins, destinations and buckets. Shape: n each."""
    regions, origins, destinations, buckets = groups
    return regions << GROUP_CELL_BITS | origins, destinations << 5 | buckets


class _Asked:
    """One question's ways to its groups."""

    def __init__(self, connection: Connection, question: GroupQuestion, filters: Filters) -> None:
        self._connection = connection
        self._question = question
        self._choice = Choice(question.box.area() if question.box else WHOLE_WORLD, question.hours, date.min, date.max)
        self._tests = BLOCK_TESTS[question.end] if question.box else (ANY, ANY)
        self._parameters = group_parameters(question, filters)
        self._bare_loads = filters.bare_loads

    def choose(self, *, regions: Mapping[int, str]) -> pl.DataFrame:
        """Count the trips per group, and choose. Blocks and flows come in order of their first origin: groups before it grow no
        more. Shape: KEY, trips.
        """
        largest = _Largest(self._question, regions=regions)
        counter = _Counter(largest)
        with expecting_the_same_runs(self._connection):
            self._count_blocks(counter)
        largest.add(counter.pairs.list_pairs())
        return largest.chosen

    def describe(self, chosen: pl.DataFrame, *, most_datasources: int) -> Iterator[Share]:
        """Read what some groups have besides their trips, from blocks and from the trips of bare loads."""
        keys = {name: chosen[name].to_numpy() for name in KEY}
        totals = np.zeros((chosen.height, 7), np.int64)
        totals[:, 5] = np.iinfo(np.int64).max
        seen = np.zeros((chosen.height, most_datasources), np.bool_)
        self._describe_blocks(keys, totals, seen)
        for number, (trips, *steps, first_hour, last_hour) in enumerate(totals.tolist()):
            if trips:
                spans = (360.0, 180.0, 360.0, 180.0)
                sums = [
                    (step + trips / 2) * span / AXIS_STEPS - trips * span / 2 for step, span in zip(steps, spans, strict=True)
                ]
                first_on, last_on = (_DAY_ONE + timedelta(days=hour // 24) for hour in (first_hour, last_hour))
                yield Share(number, trips, sums, first_on, last_on, np.flatnonzero(seen[number]).tolist())
        yield from read_shares(self._connection, self._parameters, chosen, loads=self._bare_loads)

    def _count_blocks(self, counter: "_Counter") -> None:
        """Count the trips of bare loads, of flows that runs keep, and of blocks, these two in order of origins."""
        question, shift = self._question, self._question.cell_shift
        known = KnownFlows.find(question, by_slot=True)
        flows = _Flows(
            known, list(known.read_rows(self._connection, self._parameters, is_in_order=True)) if known else [], question
        )
        rows = execute(self._connection, "count_bare_groups", **self._parameters).all()
        if not rows[0].is_current:
            raise StaleError
        bare = np.array([tuple(row)[1:] for row in rows if row.trips is not None], np.int64).reshape(-1, 5)
        counter.pairs.add(*make_group_keys(bare[:, :4].T), np.ascontiguousarray(bare[:, 4]))
        for found in self._stream_blocks(known=known, is_in_order=True):
            flows.count(counter, before=found.rows[0].base >> shift)
            counter.drop_complete(found.rows[0].base >> shift)
            origins, destinations, regions, hours = find_unknown_trips(found, self._choice, known)
            buckets = hours % 24 // question.bucket_hours
            counter.pairs.add(*make_group_keys((regions, origins >> shift, destinations >> shift, buckets)))
        flows.count(counter)

    def _describe_blocks(self, keys: dict[str, Numbers], totals: Numbers, seen: Any) -> None:  # noqa: ANN401 - numpy flags
        lookup = PairCounter()
        lookup.add(*make_group_keys(keys.values()), np.arange(1, len(totals) + 1))
        limits = (self._choice.bounds, self._choice.filters())
        groups = (lookup.slots, self._question.cell_shift, self._question.bucket_hours)
        cells = {f"{end}_cells": _list_cells(keys[end]) for end in ("origin", "destination")}
        for rows, blocks in self._stream_blocks(**cells):
            sources = list_sources(row.datasource_ids for row in rows)
            sum_groups(blocks.table, blocks.words, limits, groups, sources, (totals, seen))

    def _stream_blocks(self, **asked: Any) -> Iterator[TripBlocks]:  # noqa: ANN401
        return stream_trip_blocks(self._connection, self._parameters, self._choice, tests=self._tests, **asked)


def _list_cells(cells: Numbers) -> list[int] | None:
    distinct = np.unique(cells)
    return distinct.tolist() if len(distinct) <= _MOST_CELLS else None


class _Largest:
    """The largest groups of those that were added, after the one that is known."""

    def __init__(self, question: GroupQuestion, *, regions: Mapping[int, str]) -> None:
        self._limit = question.limit
        self._known = find_known(question, regions)
        # Of the least of them: those of fewer trips need not be looked at.
        self._floor = 1
        self.chosen = _make_frame(np.empty((3, 0), np.int64))

    def add(self, pairs: Numbers) -> None:
        """Add groups that have all their trips. Shape: 3 by n, of a PairCounter."""
        groups = _make_frame(pairs[:, pairs[2] >= self._floor])
        if self._known is not None:
            groups = groups.filter(_is_later(*self._known))
        self.chosen = keep_largest(pl.concat([self.chosen, groups]), KEY, limit=self._limit)
        if self.chosen.height == self._limit:
            self._floor = self.chosen["trips"][-1]


class _Counter:
    """Counts groups that come in order of their origins, as few at once as possible."""

    def __init__(self, largest: _Largest) -> None:
        self.pairs = PairCounter(_SLOTS)
        self._largest = largest
        self._most = _MOST_PAIRS

    def drop_complete(self, origin: int) -> None:
        """Take the groups out, when there are many, that begin in cells before an origin."""
        if self.pairs.pairs <= self._most:
            return
        pairs = self.pairs.list_pairs()
        is_complete = pairs[0] & _ORIGIN_MASK < origin
        self._largest.add(pairs[:, is_complete])
        self.pairs = PairCounter(_SLOTS)
        self.pairs.add(*np.ascontiguousarray(pairs[:, ~is_complete]))
        self._most = max(_MOST_PAIRS, 2 * self.pairs.pairs)


class _Flows:
    """Flows per hour that runs keep: their rows, undecoded, in order of origins."""

    def __init__(self, known: KnownFlows | None, rows: Sequence[Sequence[Any]], question: GroupQuestion) -> None:
        self._known = known
        self._rows = deque(rows)
        self._shift = question.cell_shift - FLOW_SHIFT
        self._bucket_hours = question.bucket_hours

    def count(self, counter: _Counter, *, before: int | None = None) -> None:
        """Count those that are left of origins before one, and perhaps others."""
        while self._known and self._rows and (before is None or self._rows[0][0].origin_cell >> self._shift < before):
            rows = self._rows.popleft()
            counter.drop_complete(rows[0].origin_cell >> self._shift)
            numbers, origins, destinations, trips = self._known.count_rows(rows)
            heads = np.array([(row.region_id, row.slot % 24 // self._bucket_hours) for row in rows], np.int64)
            regions, buckets = heads[numbers].T
            cells = origins >> self._shift, destinations >> self._shift
            counter.pairs.add(*make_group_keys((regions, *cells, buckets)), trips)


def _make_frame(pairs: Numbers) -> pl.DataFrame:
    """Shape: region, origin, destination, bucket, trips."""
    first, second, trips = pairs
    columns = (first >> GROUP_CELL_BITS, first & _ORIGIN_MASK, second >> 5, second & 31)
    return pl.DataFrame({**dict(zip(KEY, columns, strict=True)), "trips": trips})


def find_known(question: GroupQuestion, regions: Mapping[int, str]) -> tuple[int, list[int]] | None:
    """Trips and key of the group that those asked for follow; None for the first page."""
    after = parse_after(question)
    if after is None:
        return None
    ids = [number for number, name in regions.items() if name == after[4]]
    return after[0], [ids[0] if ids else 0, *after[1:3], after[3] // question.bucket_minutes]


def _is_later(trips: int, key: list[int]) -> pl.Expr:
    later = pl.lit(value=False)
    for name, value in reversed([*zip(KEY, key, strict=True)]):
        later = (pl.col(name) > value) | ((pl.col(name) == value) & later)
    return (pl.col("trips") < trips) | ((pl.col("trips") == trips) & later)
