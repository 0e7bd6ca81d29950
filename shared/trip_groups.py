"""Trip groups of whole hours: counted from the runs' flows per hour or from blocks, then described from blocks.

Buckets are whole hours and cells have up to nine characters here; other questions read the trips.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import Any, Final

import numpy as np
import polars as pl
from sqlalchemy import Connection

from shared.area import WHOLE_WORLD
from shared.bits import Numbers
from shared.blocks import ANY, GROUP_CELL_BITS, sum_groups
from shared.clock import list_slots
from shared.database import execute, stream_rows
from shared.ends import Choice, find_trips, list_sources, make_blocks
from shared.flows import BLOCK_TESTS, FLOW_ROWS, FLOW_SHIFT, StaleError, read_flows
from shared.groups import GroupQuestion, TripGroup, parse_after
from shared.pairs import PairCounter
from shared.position import AXIS_STEPS, format_geohash
from shared.weekly import Filters, area_parameters

_DAY_ONE: Final = date(1, 1, 1)
# With more cells than these, looking at every block costs less than asking each where it lies.
_MOST_CELLS: Final = 1_000
# Groups that are counted at once: a table of 12 MB. One of all groups of fine cells is read at random, and takes gigabytes: for
# Turin's of 148 million trips 8.7, and 30 s instead of 10 to 13.
_SLOTS: Final = 1 << 19
_MOST_PAIRS: Final = 250_000
_BASE: Final = 2
_ORIGIN_MASK: Final = (1 << GROUP_CELL_BITS) - 1
_KEY: Final = ("region", "origin", "destination", "bucket")
_ENDS: Final = ("origin_longitude", "origin_latitude", "destination_longitude", "destination_latitude")


def find_groups(connection: Connection, question: GroupQuestion, filters: Filters) -> list[TripGroup]:
    """Find the largest trip groups and describe them.

    Raises: StaleError when loads were packed or undone since the filters were fetched.
    """
    asked = _Asked(connection, question, filters)
    names: dict[bool, dict[int, str]] = {True: {}, False: {}}
    for row in execute(connection, "list_label_names"):
        names[row.is_region][row.id] = row.name
    largest = _Largest(question, regions=names[True])
    asked.count_all(largest)
    chosen = largest.chosen
    details = asked.describe(chosen, most_datasources=max(names[False], default=0) + 1)
    return [
        TripGroup(
            region=names[True][region],
            origin_cell=format_geohash(origin, question.precision),
            destination_cell=format_geohash(destination, question.precision),
            bucket_minute=bucket * question.bucket_minutes,
            trips=trips,
            **facts,
            datasources=tuple(sorted(names[False][number] for number in datasources)),
        )
        for (region, origin, destination, bucket, trips), (facts, datasources) in zip(chosen.iter_rows(), details, strict=True)
    ]


def make_group_keys(groups: Iterable[Numbers]) -> tuple[Numbers, Numbers]:
    """Make the two keys that a group is counted under, of its regions, origins, destinations and buckets. Shape: n each."""
    regions, origins, destinations, buckets = groups
    return regions << GROUP_CELL_BITS | origins, destinations << 5 | buckets


class _Asked:
    """One question's ways to its groups."""

    def __init__(self, connection: Connection, question: GroupQuestion, filters: Filters) -> None:
        self._connection = connection
        self._question = question
        self._bucket_hours = question.bucket_minutes // 60
        self._choice = Choice(question.box.area() if question.box else WHOLE_WORLD, question.hours, date.min, date.max)
        tests = BLOCK_TESTS[question.end] if question.box else (ANY, ANY)
        self._parameters: dict[str, object] = {
            **filters.parameters,
            "hours": question.hours,
            "cell_shift": question.cell_shift,
            **area_parameters(question.box, question.end),
        }
        self._block_parameters = {
            **self._parameters,
            "area": (self._choice.area or WHOLE_WORLD).bounds(),
            "end_test": tests[0],
            "other_test": tests[1],
            "has_hours": [True, False],
            "origin_cells": None,
            "destination_cells": None,
            "is_in_order": False,
        }

    def count_all(self, largest: "_Largest") -> None:
        """Count the trips per group. Blocks come in order of their first origin: groups before it grow no more."""
        question, counter, most = self._question, PairCounter(_SLOTS), _MOST_PAIRS
        # Runs keep flows per hour without datasources.
        fits_runs = question.fits_runs and question.datasource is None
        if fits_runs:
            self._count_flows(counter)
        rows = self._ask_bare("count_bare_groups")
        bare = np.array([row[1:] for row in rows if row[1] is not None], np.int64).reshape(-1, 5)
        counter.add(*make_group_keys(bare[:, :4].T), np.ascontiguousarray(bare[:, 4]))
        parameters = {**self._block_parameters, "has_hours": [False] if fits_runs else [True, False], "is_in_order": True}
        for rows in stream_rows(self._connection, "list_trip_blocks", parameters):
            blocks = _take_blocks(rows)
            if blocks and counter.pairs > most:
                counter = largest.take_complete(counter, blocks[0][_BASE] >> question.cell_shift)
                most = max(_MOST_PAIRS, 2 * counter.pairs)
            origins, destinations, regions, hours = find_trips(make_blocks(blocks), self._choice)
            buckets = hours % 24 // self._bucket_hours
            counter.add(*make_group_keys((regions, origins >> question.cell_shift, destinations >> question.cell_shift, buckets)))
        largest.add(counter.list_pairs())

    def describe(self, chosen: pl.DataFrame, *, most_datasources: int) -> list[tuple[dict[str, Any], list[int]]]:
        """Read what some groups have besides their trips: mean ends and days, and ids of datasources."""
        keys = {name: chosen[name].to_numpy() for name in _KEY}
        totals = np.zeros((chosen.height, 7), np.int64)
        totals[:, 5] = np.iinfo(np.int64).max
        seen = np.zeros((chosen.height, most_datasources), np.bool_)
        self._describe_blocks(keys, totals, seen)
        groups = []
        for total, has in zip(totals.tolist(), seen, strict=True):
            trips, steps, hours = total[0], total[1:5], total[5:]
            spans = (360.0, 180.0, 360.0, 180.0)
            sums = [(step + trips / 2) * span / AXIS_STEPS - trips * span / 2 for step, span in zip(steps, spans, strict=True)]
            days = [_DAY_ONE + timedelta(days=hour // 24) for hour in hours] if trips else []
            groups.append((trips, sums, days, set(np.flatnonzero(has).tolist())))
        for row in self._ask_bare("describe_bare_groups", **{f"{name}s": values.tolist() for name, values in keys.items()}):
            if row.number is not None:
                trips, sums, days, sources = groups[row.number]
                sums = [known + getattr(row, name) for known, name in zip(sums, _ENDS, strict=True)]
                groups[row.number] = (
                    trips + row.trips,
                    sums,
                    [*days, row.first_on, row.last_on],
                    sources | {*row.datasource_ids},
                )
        return [
            (
                {
                    **{name: total / trips for name, total in zip(_ENDS, sums, strict=True)},
                    "first_on": min(days),
                    "last_on": max(days),
                },
                sorted(sources),
            )
            for trips, sums, days, sources in groups
        ]

    def _count_flows(self, counter: PairCounter) -> None:
        """Count the flows per hour that runs keep."""
        parameters = {**self._parameters, "slots": list_slots(self._question.hours)}
        rows = list(chain.from_iterable(stream_rows(self._connection, "list_run_groups", parameters, rows=FLOW_ROWS)))
        if not rows:
            return
        heads = np.array([(row.region_id, row.slot, row.flows) for row in rows], np.int64)
        regions, slots = (np.repeat(heads[:, column], heads[:, 2]) for column in (0, 1))
        origins, destinations, trips = read_flows([row[2:] for row in rows])
        shift = self._question.cell_shift - FLOW_SHIFT
        buckets = slots % 24 // self._bucket_hours
        counter.add(*make_group_keys((regions, origins >> shift, destinations >> shift, buckets)), trips)

    def _describe_blocks(self, keys: dict[str, Numbers], totals: Numbers, seen: Any) -> None:  # noqa: ANN401 - numpy flags
        lookup = PairCounter()
        lookup.add(*make_group_keys(keys.values()), np.arange(1, len(totals) + 1))
        limits = (self._choice.bounds, self._choice.filters())
        groups = (lookup.slots, self._question.cell_shift, self._bucket_hours)
        cells = {f"{end}_cells": _list_cells(keys[end]) for end in ("origin", "destination")}
        for rows in stream_rows(self._connection, "list_trip_blocks", {**self._block_parameters, **cells}):
            blocks = make_blocks(_take_blocks(rows))
            sources = list_sources(row[-1] for row in rows if row[1] is not None)
            sum_groups(blocks.table, blocks.words, limits, groups, sources, (totals, seen))

    def _ask_bare(self, name: str, **parameters: object) -> Sequence[Any]:
        rows = execute(self._connection, name, **self._parameters, bucket_hours=self._bucket_hours, **parameters).all()
        if not rows[0].is_current:
            raise StaleError
        return rows


def _take_blocks(rows: Sequence[Any]) -> list[Any]:
    """The columns that make_blocks takes. Raises: StaleError."""
    if not rows[0][0]:
        raise StaleError
    return [row[1:-1] for row in rows if row[1] is not None]


def _list_cells(cells: Numbers) -> list[int] | None:
    distinct = np.unique(cells)
    return distinct.tolist() if len(distinct) <= _MOST_CELLS else None


class _Largest:
    """The largest groups of those that were added, after the one that is known."""

    def __init__(self, question: GroupQuestion, *, regions: dict[int, str]) -> None:
        self._limit = question.limit
        self._known = _find_known(question, regions)
        self.chosen = _make_frame(np.empty((3, 0), np.int64))

    def add(self, pairs: Numbers) -> None:
        """Add groups that have all their trips. Shape: 3 by n, of a PairCounter."""
        groups = _make_frame(pairs)
        if self._known is not None:
            groups = groups.filter(_is_later(*self._known))
        groups = pl.concat([self.chosen, groups])
        if groups.height > self._limit:
            groups = groups.filter(pl.col("trips") >= groups["trips"].top_k(self._limit).min())
        self.chosen = groups.sort("trips", *_KEY, descending=[True, False, False, False, False]).head(self._limit)

    def take_complete(self, counter: PairCounter, origin: int) -> PairCounter:
        """Take the groups that begin in cells before an origin; returns the others."""
        pairs = counter.list_pairs()
        is_complete = pairs[0] & _ORIGIN_MASK < origin
        self.add(pairs[:, is_complete])
        rest = PairCounter(_SLOTS)
        rest.add(*np.ascontiguousarray(pairs[:, ~is_complete]))
        return rest


def _make_frame(pairs: Numbers) -> pl.DataFrame:
    """Shape: region, origin, destination, bucket, trips."""
    first, second, trips = pairs
    columns = (first >> GROUP_CELL_BITS, first & _ORIGIN_MASK, second >> 5, second & 31)
    return pl.DataFrame({**dict(zip(_KEY, columns, strict=True)), "trips": trips})


def _find_known(question: GroupQuestion, regions: dict[int, str]) -> tuple[int, list[int]] | None:
    """Trips and key of the group that those asked for follow."""
    after = parse_after(question)
    if after is None:
        return None
    ids = [number for number, name in regions.items() if name == after[4]]
    return after[0], [ids[0] if ids else 0, *after[1:3], after[3] // question.bucket_minutes]


def _is_later(trips: int, key: list[int]) -> pl.Expr:
    later = pl.lit(value=False)
    for name, value in reversed([*zip(_KEY, key, strict=True)]):
        later = (pl.col(name) > value) | ((pl.col(name) == value) & later)
    return (pl.col("trips") < trips) | ((pl.col("trips") == trips) & later)
