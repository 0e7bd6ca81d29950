"""Segments: derived data of trips as this process holds it, immutable: block headers, counts per cell, per day and per week.

A segment of the database is the result of a compaction. Until a load is compacted, its batches' blocks and weeks stand for it.
Shapes: n rows each, columns of the same length; entries of a row lie between two of its n + 1 offsets. Weeks, days and hours
count from 0001-01-01, a Monday. Bounds are in axis steps (domain/position.py).
"""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from shared.domain.area import Bounds
from shared.domain.position import gather_many
from shared.index.copy_columns import CopyColumns, read_columns
from shared.index.layout import number_day
from shared.platform.arrays import Flags, Numbers, Words

# Fields of copy_block_headers, of copy_segment_cells and so on.
_HEADER_FIELDS: Final = 24
# Of those, the numbers, which come first.
_FLAT_FIELDS: Final = 21
_CELL_FIELDS: Final = 11
_DAY_FIELDS: Final = 5
_WEEK_FIELDS: Final = 6
_FLOW_FIELDS: Final = 9
ALL: Final = -1
"""A datasource or slot that is none."""
# Dates of PostgreSQL count from 2000-01-01.
_DAYS_TO_2000: Final = number_day(date(2000, 1, 1))


class StaleError(Exception):
    """What was visible is gone: loads were compacted or undone while a question was answered; see retry_stale."""


class Entries(NamedTuple):
    """Values of rows, concatenated: those of row i lie between offsets[i] and offsets[i + 1]."""

    values: npt.NDArray[Any]
    offsets: Numbers

    @property
    def counts(self) -> Numbers:
        """Number of values of each row."""
        return np.diff(self.offsets)

    def take(self, rows: Numbers) -> "Entries":
        """The values of some rows, in that order."""
        counts = self.counts[rows]
        offsets = np.append(0, np.cumsum(counts))
        at = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], counts)
        return Entries(self.values[at], offsets)


class BlockHeaders(NamedTuple):
    """Headers of blocks of one end, in order of their lowest positions."""

    region: Numbers
    trips: Numbers
    week: Numbers
    """The first week."""
    base: Numbers
    """The lowest position."""
    x_low: Numbers
    x_high: Numbers
    y_low: Numbers
    y_high: Numbers
    other_x_low: Numbers
    """Bounds of the other ends, which only blocks of origins have."""
    other_x_high: Numbers
    other_y_low: Numbers
    other_y_high: Numbers
    delta_words: Numbers
    """Lengths of columns of bits, in 64-bit words; minutes follow the durations."""
    x_words: Numbers
    y_words: Numbers
    time_words: Numbers
    duration_words: Numbers
    """0 where no trip has a duration."""
    block_id: Numbers
    is_compacted: Flags
    """Whether its cell is counted in Cells, and stored flows count its trips."""
    has_cell_hours: Flags
    """Whether its cell's hours are counted; and flows per hour."""
    has_hourly_flows: Flags
    row: Numbers
    """The row of the block in datasources, week_sums and week_index."""
    datasources: Entries
    week_sums: Entries
    """Trips per week from the first week on; none where weeks are very many."""
    week_index: Entries
    """Words of the week index (block_reader.py)."""

    @property
    def bounds(self) -> Bounds:
        """Bounds of the ends that the blocks are sorted by."""
        return self.x_low, self.x_high, self.y_low, self.y_high

    @property
    def other_bounds(self) -> Bounds:
        """Bounds of the other ends."""
        return self.other_x_low, self.other_x_high, self.other_y_low, self.other_y_high

    @property
    def size(self) -> int:
        """Number of blocks."""
        return len(self.region)

    def take(self, rows: Numbers | Flags | slice) -> "BlockHeaders":
        """Some of the blocks, in that order."""
        columns: list[Any] = [column if isinstance(column, Entries) else column[rows] for column in self]
        return BlockHeaders(*columns)


class Cells(NamedTuple):
    """Trips per cell of position >> CELL_SHIFT, of either end."""

    is_origin: Flags
    region: Numbers
    corner: Numbers
    """The cell's lowest position."""
    weeks: Entries
    """Weeks, datasources and trips: of each datasource."""
    datasources: Entries
    trips: Entries
    sum_weeks: Entries
    """Weeks and trips: of all datasources."""
    sum_trips: Entries
    fine_cells: Entries
    """Of origins: the last bits of cells of position >> FINE_SHIFT, and their trips."""
    fine_trips: Entries
    hours: Entries
    """Bits of the trips per hour, from the first week to the last of sum_weeks, in words; none where trips are few."""


class Days(NamedTuple):
    """Trips per hour of a day, region and datasource, in order of days."""

    day: Numbers
    region: Numbers
    datasource: Numbers
    hour: Numbers
    trips: Numbers


class Weeks(NamedTuple):
    """Trips per week, region and datasource, and the first and last day that has some."""

    week: Numbers
    region: Numbers
    datasource: Numbers
    trips: Numbers
    first_day: Numbers
    last_day: Numbers


class Flows(NamedTuple):
    """Trips between cells of position >> FLOW_SHIFT, a row per origin cell and kind, in order of origin cells."""

    origin: Numbers
    region: Numbers
    datasource: Numbers
    """ALL: all datasources; likewise slot."""
    slot: Numbers
    """0 to 23 are the hours of working days, 24 to 47 those of weekend days."""
    flows: Numbers
    """How many destination cells; the first and the last of them."""
    first: Numbers
    last: Numbers
    cells_at: Numbers
    """First word of the destination cells in order, as differences; and of their trips."""
    trips_at: Numbers
    words: Words


_NO_FLOWS: Final = Flows._make([*[np.empty(0, np.int64)] * 9, np.empty(0, np.uint64)])


class Segment(NamedTuple):
    """The derived data of a compaction, or of a load that is not compacted."""

    origins: BlockHeaders
    destinations: BlockHeaders
    cells: Cells
    days: Days
    weeks: Weeks


def read_segment(connection: Connection, segment_id: int, *, trips: int, has_hours: bool) -> Segment:
    """Read a segment; trips: how many it has. Raises: StaleError when it is gone."""
    parameters = {"segment_id": segment_id}
    cells = _make_cells(read_columns(connection, "copy_segment_cells", parameters, fields=_CELL_FIELDS))
    days = _make_days(read_columns(connection, "copy_segment_days", parameters, fields=_DAY_FIELDS))
    origins, destinations = _read_headers(connection, segment_id=segment_id, has_hours=has_hours)
    found = origins.trips.sum(), destinations.trips.sum(), days.trips.sum()
    if any(count != trips for count in found):
        raise StaleError
    return Segment(origins, destinations, cells, days, _sum_weeks(days))


def read_flows(connection: Connection, segment_id: int) -> Flows:
    """Read the flows of a segment. Raises: StaleError when it is gone."""
    found = read_columns(connection, "copy_segment_flows", {"segment_id": segment_id}, fields=_FLOW_FIELDS)
    if found.rows == 0:
        raise StaleError
    (cells, cell_offsets), (trips, trip_offsets) = found.texts(7), found.texts(8)
    words = np.concatenate([cells.view(np.uint64), trips.view(np.uint64)])
    numbers = _list_numbers(found, 7)
    return Flows._make([*numbers, cell_offsets[:-1] // 8, (len(cells) + trip_offsets[:-1]) // 8, words])


def merge_flows(parts: Sequence[Flows]) -> Flows:
    """The rows of all segments, in order."""
    firsts = np.cumsum([0, *(len(part.words) for part in parts)])
    moved = [
        part._replace(cells_at=part.cells_at + first, trips_at=part.trips_at + first)
        for part, first in zip(parts, firsts[:-1], strict=True)
    ]
    *columns, words = (np.concatenate(column) for column in zip(*(moved or [_NO_FLOWS]), strict=True))
    order = np.argsort(columns[0], kind="stable")
    # The kernels read a word ahead.
    return Flows._make([*(column[order] for column in columns), np.append(words, np.uint64(0))])


def read_load(connection: Connection, load_id: int, *, trips: int, has_blocks: bool) -> Segment:
    """Read what a load in no segment has; trips: how many are committed. Raises: StaleError when another batch is, too."""
    weeks = Weeks(*_list_numbers(read_columns(connection, "copy_load_weeks", {"load_id": load_id}, fields=_WEEK_FIELDS), 6))
    found = [weeks.trips.sum()]
    segment = make_empty()._replace(weeks=weeks)
    if has_blocks:
        origins, destinations = _read_headers(connection, load_id=load_id)
        found += [origins.trips.sum(), destinations.trips.sum()]
        segment = segment._replace(origins=origins, destinations=destinations)
    if any(count != trips for count in found):
        raise StaleError
    return segment


def merge_segments(segments: Sequence[Segment]) -> Segment:
    """The rows of all segments, in order."""
    found = segments or [make_empty()]
    days, cells = (_concatenate([getattr(each, name) for each in found]) for name in ("days", "cells"))
    return Segment(
        _merge_headers([each.origins for each in found]),
        _merge_headers([each.destinations for each in found]),
        cells._replace(hours=_pad(cells.hours)),
        Days(*(column[np.argsort(days.day, kind="stable")] for column in days)),
        _concatenate([each.weeks for each in found]),
    )


def measure(value: Any) -> int:  # noqa: ANN401 - nested tuples of arrays
    """Bytes of all arrays."""
    return value.nbytes if isinstance(value, np.ndarray) else sum(map(measure, value))


def _list_numbers(found: CopyColumns, fields: int, first: int = 0) -> list[Numbers]:
    return [found.numbers(field) for field in range(first, first + fields)]


def _read_headers(
    connection: Connection, *, segment_id: int | None = None, load_id: int | None = None, has_hours: bool = False
) -> tuple[BlockHeaders, BlockHeaders]:
    parameters = {"segment_id": segment_id, "load_id": load_id}
    return _make_headers(read_columns(connection, "copy_block_headers", parameters, fields=_HEADER_FIELDS), has_hours=has_hours)


def _make_headers(found: CopyColumns, *, has_hours: bool) -> tuple[BlockHeaders, BlockHeaders]:
    """Split headers into those of origins and of destinations."""
    is_origin, region, trips, week, base, *numbers = _list_numbers(found, _FLAT_FIELDS)
    bounds = [gather_many(bits >> 1 if axis % 4 < 2 else bits) for axis, bits in enumerate(numbers[:8])]
    *lengths, block_id, compacted, cell_hours = numbers[8:]
    sums, sum_offsets = found.texts(_FLAT_FIELDS + 1)
    indexes, index_offsets = found.texts(_FLAT_FIELDS + 2)
    flags = compacted > 0, cell_hours > 0, (compacted > 0) & has_hours
    entries = (
        Entries(*found.arrays(_FLAT_FIELDS)),
        Entries(sums.view("<u2"), sum_offsets // 2),
        Entries(indexes.view("<u8"), index_offsets // 8),
    )
    rows = np.arange(found.rows)
    headers = BlockHeaders._make([region, trips, week, base, *bounds, *lengths, block_id, *flags, rows, *entries])
    order = np.argsort(base, kind="stable")
    begins = is_origin[order] > 0
    return headers.take(order[begins]), headers.take(order[~begins])


def _make_cells(found: CopyColumns) -> Cells:
    is_origin, region, corner = _list_numbers(found, 3)
    hours, hour_offsets = found.texts(10)
    return Cells(
        is_origin > 0,
        region,
        corner,
        Entries(*_number_weeks(found.arrays(3))),
        Entries(*found.arrays(4)),
        Entries(*found.arrays(5)),
        Entries(*_number_weeks(found.arrays(6))),
        Entries(*found.arrays(7)),
        Entries(*found.arrays(8)),
        Entries(*found.arrays(9)),
        Entries(hours.view("<u8"), hour_offsets // 8),
    )


def _number_weeks(dates: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
    values, offsets = dates
    return (values + _DAYS_TO_2000) // 7, offsets


def _make_days(found: CopyColumns) -> Days:
    day, region, datasource = _list_numbers(found, 3)
    hours, offsets = found.arrays(3)
    trips, _ = found.arrays(4)
    counts = np.diff(offsets)
    order = np.argsort(np.repeat(day, counts), kind="stable")
    day, region, datasource = (np.repeat(column, counts)[order] for column in (day, region, datasource))
    return Days(day, region, datasource, hours[order], trips[order])


def _sum_weeks(days: Days) -> Weeks:
    """Add the days of each week up."""
    keys = np.stack([days.day // 7, days.region, days.datasource])
    order = np.lexsort(keys[::-1])
    keys = keys[:, order]
    starts = np.flatnonzero((np.diff(keys, axis=1, prepend=-1) != 0).any(axis=0))
    day, trips = days.day[order], days.trips[order]
    if len(starts) == 0:
        return Weeks(*[np.empty(0, np.int64)] * 6)
    week, region, datasource = keys[:, starts]
    first, last = np.minimum.reduceat(day, starts), np.maximum.reduceat(day, starts)
    return Weeks(week, region, datasource, np.add.reduceat(trips, starts), first, last)


def _merge_headers(found: Sequence[BlockHeaders]) -> BlockHeaders:
    merged = cast("BlockHeaders", _concatenate(found))
    # Rows of entries follow one another, as the parts do.
    firsts = np.cumsum([0, *(len(each.datasources.offsets) - 1 for each in found)])[:-1]
    rows = merged.row + np.repeat(firsts, [each.size for each in found])
    merged = merged._replace(row=rows, week_index=_pad(merged.week_index))
    return merged.take(np.argsort(merged.base, kind="stable"))


def _pad(words: Entries) -> Entries:
    """Add a word: the kernels read one ahead."""
    return Entries(np.append(words.values, np.uint64(0)), words.offsets)


def _concatenate(found: Sequence[Any]) -> Any:  # noqa: ANN401 - tuples of columns, all of one type
    """Concatenate the columns of tuples of one type."""
    columns: list[Any] = []
    for parts in zip(*found, strict=True):
        if isinstance(parts[0], Entries):
            firsts = np.cumsum([0, *(part.offsets[-1] for part in parts)])
            offsets = [part.offsets[1:] + first for part, first in zip(parts, firsts[:-1], strict=True)]
            columns.append(Entries(np.concatenate([part.values for part in parts]), np.concatenate([[0], *offsets])))
        else:
            columns.append(np.concatenate(parts))
    return found[0]._make(columns)


@cache
def make_empty() -> Segment:
    """A segment without trips."""
    nothing = CopyColumns(np.frombuffer(b"", np.uint8), *np.empty((2, 0, _HEADER_FIELDS), np.int64))
    origins, destinations = _make_headers(nothing, has_hours=False)
    days = _make_days(nothing)
    return Segment(origins, destinations, _make_cells(nothing), days, _sum_weeks(days))
