"""Snapshots: what is visible at one moment, and what to do when it is gone.

    engine = cache_index(connect_database(settings), mib=settings.block_cache_mib)
    reader = open_snapshot(connection, region="Turin")

One small statement tells which segments and loads are visible. Their headers and counts are read once per process, and columns of
bits as questions need them. A snapshot that nobody changed is the same object again.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property, wraps
from threading import Lock
from typing import Final, NamedTuple, ParamSpec, TypeVar, cast

import numpy as np
from sqlalchemy import Connection, Engine

from shared.index.block_cache import BlockCache
from shared.index.layout import make_day
from shared.index.segment import (
    BlockHeaders,
    Flows,
    Segment,
    StaleError,
    Weeks,
    make_empty,
    merge_flows,
    merge_segments,
    read_flows,
    read_load,
    read_segment,
)
from shared.platform.arrays import Flags, Numbers
from shared.platform.errors import RequestError, TransientError
from shared.platform.near_names import describe_near
from shared.services.database import execute

__all__ = ["Reader", "Snapshot", "StaleError", "TripFilter", "cache_index", "open_snapshot", "retry_stale"]

_Answer = TypeVar("_Answer")
_Parameters = ParamSpec("_Parameters")
_OPTION: Final = "tripdeck_index_cache"
# A load commits some times a second, and an attempt fails where one of its few milliseconds meets a commit.
_ATTEMPTS: Final = 50


class _SegmentKey(NamedTuple):
    segment_id: int
    trips: int
    has_hours: bool


class _LoadKey(NamedTuple):
    load_id: int
    trips: int
    has_blocks: bool


_Key = _SegmentKey | _LoadKey


@dataclass(frozen=True, slots=True)
class TripFilter:
    """What restricts a question's trips: ids of region and datasource (None: all); first and last day of trips under them (None:
    there are none). Clock: local wall clock.
    """

    region_id: int | None
    datasource_id: int | None
    first_on: date | None
    last_on: date | None

    @property
    def name_parameters(self) -> dict[str, object]:
        """The ids as query parameters."""
        return {"region_id": self.region_id, "datasource_id": self.datasource_id}

    def select_blocks(self, blocks: BlockHeaders) -> Flags:
        """Which blocks may have trips of the region and datasource. Shape: n flags."""
        selected = np.ones(blocks.size, np.bool_) if self.region_id is None else blocks.region == self.region_id
        return selected if self.datasource_id is None else selected & (self.find_datasource(blocks) >= 0)

    def find_datasource(self, blocks: BlockHeaders) -> Numbers:
        """Index of the datasource among each block's; -1 where it has none of them, or all count. Shape: n."""
        found = np.full(blocks.size, -1, np.int64)
        if self.datasource_id is not None:
            values, offsets = blocks.datasources
            at = np.flatnonzero(values == self.datasource_id)
            rows = np.searchsorted(offsets, at, side="right") - 1
            index = np.full(len(offsets) - 1, -1, np.int64)
            index[rows] = at - offsets[rows]
            found = index[blocks.row]
        return found


@dataclass(frozen=True)
class Snapshot:
    """The data of all visible segments and loads. unindexed_loads: those in no block, whose trips are read one by one."""

    keys: tuple[_Key, ...]
    data: Segment
    cache: BlockCache

    @cached_property
    def unindexed_loads(self) -> list[int]:
        """Ids of loads without blocks."""
        return [key.load_id for key in self.keys if isinstance(key, _LoadKey) and not key.has_blocks]

    @cached_property
    def unindexed_trips(self) -> int:
        """Trips of the loads without blocks."""
        return sum(key.trips for key in self.keys if isinstance(key, _LoadKey) and not key.has_blocks)

    @cached_property
    def cell_trips(self) -> Numbers:
        """Trips of each cell."""
        values, offsets = self.data.cells.sum_trips
        return np.diff(np.append(0, np.cumsum(values))[offsets])

    def blocks(self, *, is_origin: bool) -> BlockHeaders:
        """The blocks of one end."""
        return self.data.origins if is_origin else self.data.destinations

    def select_weeks(self, region_id: int | None, datasource_id: int | None) -> Weeks:
        """The weeks of a region and a datasource (None: all)."""
        weeks = self.data.weeks
        selected = np.ones(len(weeks.week), np.bool_)
        if region_id is not None:
            selected &= weeks.region == region_id
        if datasource_id is not None:
            selected &= weeks.datasource == datasource_id
        return weeks if selected.all() else Weeks(*(column[selected] for column in weeks))


class Reader(NamedTuple):
    """A snapshot that is open: where to read what is not in memory, and what restricts the question's trips."""

    connection: Connection
    snapshot: Snapshot
    trips: TripFilter
    cache: "_IndexCache"

    def read_flows(self) -> Flows:
        """The stored flows of all segments. Raises: StaleError."""
        return self.cache.open_flows(self.connection, self.snapshot)

    def check(self, *, has_read_all: bool = False) -> None:
        """Ensure that loads whose trips were read, unindexed ones or all, are as they were. Raises: StaleError."""
        if (has_read_all or self.snapshot.unindexed_loads) and _list_keys(self.connection)[0] != self.snapshot.keys:
            raise StaleError


class _IndexCache:
    """The data of visible segments and loads, and columns of blocks. Thread-safe."""

    def __init__(self, limit_mib: int) -> None:
        self.blocks = BlockCache(limit_mib)
        self._parts: dict[_Key, Segment] = {}
        self._snapshot = Snapshot((), make_empty(), self.blocks)
        self._flows: dict[_SegmentKey, Flows] = {}
        self._all_flows: tuple[list[_SegmentKey], Flows] | None = None
        self._lock = Lock()

    def open(self, connection: Connection, keys: tuple[_Key, ...]) -> Snapshot:
        """Make the snapshot of these keys; what is not in memory is read. Raises: StaleError."""
        with self._lock:
            if keys != self._snapshot.keys:
                parts = {key: self._parts.get(key) or _read(connection, key) for key in keys}
                self._snapshot = Snapshot(keys, merge_segments([*parts.values()]), self.blocks)
                self._parts = parts
            return self._snapshot

    def open_flows(self, connection: Connection, snapshot: Snapshot) -> Flows:
        """Merge the flows of a snapshot's segments; what is not in memory is read. Raises: StaleError."""
        keys = [key for key in snapshot.keys if isinstance(key, _SegmentKey)]
        with self._lock:
            if self._all_flows is None or self._all_flows[0] != keys:
                self._flows = {key: self._flows.get(key) or read_flows(connection, key.segment_id) for key in keys}
                self._all_flows = keys, merge_flows([*self._flows.values()])
            return self._all_flows[1]


def _read(connection: Connection, key: _Key) -> Segment:
    if isinstance(key, _SegmentKey):
        return read_segment(connection, key.segment_id, trips=key.trips, has_hours=key.has_hours)
    return read_load(connection, key.load_id, trips=key.trips, has_blocks=key.has_blocks)


def cache_index(engine: Engine, *, mib: int) -> Engine:
    """Make an engine with the same connections and a new cache of the index. mib: limit of columns of blocks in MiB; 0: none."""
    return engine.execution_options(**{_OPTION: _IndexCache(mib)})


def get_block_cache(engine: Engine) -> BlockCache:
    """The block cache of an engine of cache_index. Raises: KeyError for another."""
    cache: _IndexCache = engine.get_execution_options()[_OPTION]
    return cache.blocks


def open_snapshot(connection: Connection, *, region: str | None = None, datasource: str | None = None) -> Reader:
    """Open what is visible now, and look the names up. Raises: RequestError for a name that isn't there, StaleError."""
    names = {"region": region, "datasource": datasource}
    keys, ids = _list_keys(connection, **names)
    for parameter, name in names.items():
        if name is not None and ids[parameter] is None:
            near = describe_near(name, execute(connection, f"list_{parameter}_names").scalars())
            raise RequestError(f"There is no {parameter} {name!r}{near}.", parameter=parameter)
    cache: _IndexCache | None = connection.get_execution_options().get(_OPTION)
    cache = _IndexCache(0) if cache is None else cache
    snapshot = cache.open(connection, keys)
    weeks = snapshot.select_weeks(ids["region"], ids["datasource"])
    days = (make_day(int(weeks.first_day.min())), make_day(int(weeks.last_day.max()))) if len(weeks.week) else (None, None)
    return Reader(connection, snapshot, TripFilter(ids["region"], ids["datasource"], *days), cache)


def open_empty(*, datasource_id: int | None = None) -> Reader:
    """Open a snapshot of nothing, which reads nothing."""
    snapshot = Snapshot((), merge_segments([]), BlockCache(0))
    return Reader(cast("Connection", None), snapshot, TripFilter(None, datasource_id, None, None), _IndexCache(0))


def _list_keys(
    connection: Connection, *, region: str | None = None, datasource: str | None = None
) -> tuple[tuple[_Key, ...], dict[str, int | None]]:
    """List what is visible, and the ids of names."""
    row = execute(connection, "open_snapshot", region=region, datasource=datasource).one()
    segments = map(_SegmentKey, row.segment_ids, row.segment_trips, row.segment_has_hours)
    loads = map(_LoadKey, row.load_ids, row.load_trips, row.load_has_blocks)
    return (*segments, *loads), {"region": row.region_id, "datasource": row.datasource_id}


def retry_stale(ask: Callable[_Parameters, _Answer]) -> Callable[_Parameters, _Answer]:
    """Ask until an answer is of one state of the loads. ask must open a snapshot anew.

    Raises: TransientError when no attempt was of one state: the index is damaged, or changes all the time.
    """

    @wraps(ask)
    def ask_again(*args: _Parameters.args, **options: _Parameters.kwargs) -> _Answer:
        for _ in range(_ATTEMPTS):
            with suppress(StaleError):
                return ask(*args, **options)
        raise TransientError(
            f"The index was another one in each of {_ATTEMPTS} attempts; ask again, or look for damage with `tripdeck check`.",
            code="index_changed",
        )

    return ask_again
