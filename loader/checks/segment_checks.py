"""Segment checks: that the bits of segments and of uncompacted loads agree with their trips.

SQL cannot read the bits. A query returns the expected counts and hash sums, and the rows with bits, which are decoded here.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Row

from shared.compaction.block_writer import SUMMED_WEEKS
from shared.domain.position import X_MASK, Y_MASK
from shared.index.block_fetch import decode_blocks
from shared.index.block_header import BlockHeader, EncodedBlock
from shared.index.block_reader import read_block
from shared.index.layout import CELL_SHIFT, DURATION_CODES, HOURS
from shared.kernels.bit_packing import unpack_numbers
from shared.platform.arrays import Numbers
from shared.services.database import stream_rows

Disagreement = tuple[str, int, int]
"""Place, expected, found."""

# Counts and sums of hashes, expected and found, by what must agree.
_Sums = defaultdict[tuple[Any, ...], list[list[int]]]

_PRIME: Final = 1_000_003
_DATASOURCES: Final = 65_536


def check_points(connection: Connection, load_id: int | None) -> Iterator[Disagreement]:
    """Compare blocks with trips, and their week sums with their bits. A trip outside its block's bounds counts as missing."""
    sums: _Sums = defaultdict(lambda: [[0, 0], [0, 0]])
    hours: _Sums = defaultdict(lambda: [[0, 0], [0, 0]])
    for row in _stream(connection, "check_blocks", load_id):
        cell = hours[row.owner, row.is_origin, row.region_id, row.cell >> CELL_SHIFT]
        if row.week_index is None and row.bits is not None:
            _add_hours(cell[1], np.arange(row.trips * HOURS) + row.base_week * HOURS, _unpack(row.bits, row.trips * HOURS))
            continue
        if row.bits is None:
            sums[row.owner, row.is_origin, row.region_id, row.cell][0] = [row.trips, row.hash]
            continue
        ends, others, times, details = _read_block(row)
        yield from _compare_weeks(row, times // _DATASOURCES // HOURS)
        if row.has_cell_hours:
            _add_hours(cell[0], times // _DATASOURCES, np.ones_like(times))
        is_inside = _is_between(ends, row.bounds[:4]) & (_is_between(others, row.bounds[4:]) if row.is_origin else True)
        hashes = (ends % _PRIME + 1) * (others % _PRIME + times % _PRIME + details + 1)
        for cell in np.unique(ends >> 32).tolist():
            selected = is_inside & (ends >> 32 == cell)
            found = sums[row.owner, row.is_origin, row.region_id, cell][1]
            found[0] += int(selected.sum())
            found[1] += int(hashes[selected].sum())
    yield from _compare(sums, "blocks of")
    yield from _compare(hours, "segment_cell of")


def check_flows(connection: Connection, load_id: int | None) -> Iterator[Disagreement]:
    """Compare the flows of segments with trips."""
    sums: _Sums = defaultdict(lambda: [[0, 0], [0, 0]])
    for row in _stream(connection, "check_segment_flow", load_id):
        key = (row.segment_id, row.region_id, row.datasource_id, row.slot, row.origin_cell)
        if row.trips is None:
            sums[key][0] = [row.flows, row.hash]
            continue
        cells = row.first_cell + np.cumsum(_unpack(row.destination_cells, row.flows))
        is_known = (cells >= row.first_cell) & (cells <= row.last_cell)
        trips = _unpack(row.trips, row.flows)
        sums[key][1][0] += int(trips[is_known].sum())
        sums[key][1][1] += int(((cells % _PRIME + 1) * trips)[is_known].sum())
    yield from _compare(sums, "segment_flow of segment")


def _stream(connection: Connection, name: str, load_id: int | None) -> Iterator[Row[Any]]:
    return chain.from_iterable(stream_rows(connection, name, {"load_id": load_id}))


def _read_block(row: Row[Any]) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """A block's ends, other ends (0 for destinations), 65,536 * hour + datasource, duration code + 1,442 * minute."""
    header = BlockHeader(
        row.trips,
        base=row.cell,
        week=row.base_week,
        datasources=len(row.datasource_ids),
        other_x=row.bounds[4] if row.is_origin else 0,
        other_y=row.bounds[6] if row.is_origin else 0,
        delta_words=row.x_at,
        x_words=row.y_at - row.x_at,
        y_words=row.times_at - row.y_at,
        time_words=row.durations_at - row.times_at,
        duration_words=row.minutes_at - row.durations_at,
    )
    blocks = decode_blocks([EncodedBlock(header, row.week_index, row.bits)])
    found = np.zeros((5, row.trips), np.int64)
    read_block(blocks.table[0], blocks.words, found, row.is_origin)
    code = found[2] & 0xFFFF
    hours = ((found[2] >> 16) + row.base_week) * HOURS + code % HOURS
    # A damaged block may have codes of datasources that it does not list.
    datasources = np.array(row.datasource_ids)[np.minimum(code // HOURS, len(row.datasource_ids) - 1)]
    return found[0], found[1], hours * _DATASOURCES + datasources, found[3] + DURATION_CODES * found[4]


def _add_hours(found: list[int], hours: Numbers, trips: Numbers) -> None:
    found[0] += int(trips.sum())
    found[1] += int(((hours % _PRIME + 1) * trips).sum())


def _is_between(positions: Numbers, bounds: list[int]) -> npt.NDArray[np.bool_]:
    x, y = positions & X_MASK, positions & Y_MASK
    is_between: npt.NDArray[np.bool_] = (x >= bounds[0]) & (x <= bounds[1]) & (y >= bounds[2]) & (y <= bounds[3])
    return is_between


def _compare_weeks(row: Row[Any], weeks: Numbers) -> Iterator[Disagreement]:
    numbers, trips = np.unique(weeks - row.base_week, return_counts=True)
    expected = dict(zip(numbers.tolist(), trips.tolist(), strict=True))
    if numbers[-1] >= SUMMED_WEEKS and not row.week_trips:
        return
    found = dict(enumerate(np.frombuffer(row.week_trips, "<u2").tolist()))
    for week in sorted(expected.keys() | found.keys()):
        if expected.get(week, 0) != found.get(week, 0):
            yield f"blocks of {row.owner} {row.cell} week {week}", expected.get(week, 0), found.get(week, 0)


def _compare(sums: Mapping[tuple[Any, ...], list[list[int]]], what: str) -> Iterator[Disagreement]:
    for key, (expected, found) in sums.items():
        if expected != found:
            yield f"{what} {' '.join(str(part) for part in key)}", expected[0], found[0]


def _unpack(column: bytes, numbers: int) -> Numbers:
    values = np.empty(numbers, np.int64)
    unpack_numbers(np.frombuffer(column + bytes(8), np.uint64), 0, values)
    return values
