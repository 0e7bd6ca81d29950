"""Trip scan: origin blocks, whose trips have both ends, for questions about flows and trip groups.

for found in stream_trip_blocks(reader, scan_filter, tests=BLOCK_TESTS["both"], coverage=coverage):
    trips = find_uncovered_trips(found, scan_filter, coverage)
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from shared.domain import area as areas
from shared.domain.position import gather_many, step_bits
from shared.domain.trip_end import End
from shared.index.block_cache import DELTAS, MINUTES, TIMES, X, Y
from shared.index.block_fetch import Blocks, BlockScan, read_blocks
from shared.index.flow_reader import FlowCoverage
from shared.index.layout import ANY, INSIDE, ONE_INSIDE
from shared.index.scan import ScanFilter, find_trips
from shared.index.segment import BlockHeaders, Entries
from shared.index.snapshot import Reader
from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Flags, Numbers

BLOCK_TESTS: Final[Mapping[End, tuple[int, int]]] = {
    "origin": (INSIDE, ANY),
    "destination": (ANY, INSIDE),
    "both": (INSIDE, INSIDE),
    "either": (ONE_INSIDE, ANY),
}
"""Tests of origin and destination against an area."""

# Blocks whose bits are read, and then scanned, at once: some 260,000 trips.
_BLOCKS_AT_ONCE: Final = 64


class TripBlocks(NamedTuple):
    """Blocks, and their headers."""

    headers: BlockHeaders
    blocks: Blocks
    first_base: int
    """No later block begins before this position."""

    @property
    def datasources(self) -> Entries:
        """The datasources of the blocks."""
        return self.headers.datasources.take(self.headers.row)


class ReachedCells(NamedTuple):
    """Blocks that reach into one of the cells of position >> shift, with their origins or destinations; None: all."""

    shift: int
    origins: Numbers | None = None
    destinations: Numbers | None = None


def stream_trip_blocks(
    reader: Reader,
    scan_filter: ScanFilter,
    *,
    tests: tuple[int, int],
    coverage: FlowCoverage | None = None,
    cells: ReachedCells | None = None,
    has_minutes: bool = False,
) -> Iterator[TripBlocks]:
    """Yield blocks in order of their first origin, about 64 at a time, except those whose trips are all covered by stored flows.

    tests: of origin and destination. has_minutes: read the minutes of trips. Raises: StaleError.
    """
    headers = reader.snapshot.data.origins
    end_tests, other_tests, selected = _test_blocks(headers, scan_filter, tests)
    selected &= reader.trips.select_blocks(headers)
    if coverage is not None:
        selected &= ~(coverage.applies_to(headers) & coverage.contains_all(headers))
    if cells is not None:
        selected &= _reach(headers, cells)
    rows = np.flatnonzero(selected)
    found = headers.take(rows)
    needs = np.full(len(rows), DELTAS | X | Y | TIMES | (MINUTES if has_minutes else 0))
    scan = BlockScan(found, end_tests[rows], other_tests[rows], needs, reader.trips.find_datasource(found))
    for numbers, blocks in read_blocks(reader.connection, reader.snapshot.cache, scan, at_once=_BLOCKS_AT_ONCE):
        first_base = int(found.base[numbers[0] // _BLOCKS_AT_ONCE * _BLOCKS_AT_ONCE])
        yield TripBlocks(found.take(numbers), blocks, first_base)


def _test_blocks(headers: BlockHeaders, scan_filter: ScanFilter, tests: tuple[int, int]) -> tuple[Numbers, Numbers, Flags]:
    """What is left to test of each trip of blocks, and whether any can pass. Shape: n each."""
    end_test, other_test = tests
    nothing = np.zeros(headers.size, np.int64)
    if scan_filter.area is None or tests == (ANY, ANY):
        return nothing, nothing, np.ones(headers.size, np.bool_)
    ends, others = (scan_filter.area.classify(bounds) for bounds in (headers.bounds, headers.other_bounds))
    if end_test == ONE_INSIDE:
        is_inside = (ends == areas.INSIDE) | (others == areas.INSIDE)
        is_possible = (ends != areas.OUTSIDE) | (others != areas.OUTSIDE)
        return np.where(is_inside, ANY, ONE_INSIDE), nothing, is_possible
    is_possible = np.ones(headers.size, np.bool_)
    if end_test == INSIDE:
        is_possible &= ends != areas.OUTSIDE
    if other_test == INSIDE:
        is_possible &= others != areas.OUTSIDE
    end_tests, other_tests = (
        np.where(found == areas.INSIDE, ANY, test) for found, test in ((ends, end_test), (others, other_test))
    )
    return end_tests, other_tests, is_possible


def _reach(headers: BlockHeaders, cells: ReachedCells) -> Flags:
    reaches = np.ones(headers.size, np.bool_)
    for found, bounds in ((cells.origins, headers.bounds), (cells.destinations, headers.other_bounds)):
        if found is not None:
            corners = np.unique(found) << cells.shift
            x_bits, y_bits = step_bits(cells.shift)
            reaches &= _overlap(bounds, (gather_many(corners >> 1), gather_many(corners)), (1 << x_bits, 1 << y_bits))
    return reaches


@compile_kernel
def _overlap(bounds: areas.Bounds, corners: tuple[Numbers, Numbers], size: tuple[int, int]) -> Flags:
    """Whether each rectangle overlaps one of some squares. Shape: n rectangles, m lowest corners → n."""
    x_low, x_high, y_low, y_high = bounds
    found = np.zeros(len(x_low), np.bool_)
    for i in range(len(x_low)):
        for j in range(len(corners[0])):
            x, y = corners[0][j], corners[1][j]
            if x_low[i] < x + size[0] and x_high[i] >= x and y_low[i] < y + size[1] and y_high[i] >= y:
                found[i] = True
                break
    return found


def find_uncovered_trips(found: TripBlocks, scan_filter: ScanFilter, coverage: FlowCoverage | None) -> Numbers:
    """List the selected trips of blocks that stored flows do not cover. Shape: as find_trips."""
    if coverage is None:
        return find_trips(found.blocks, scan_filter)
    is_covered = coverage.applies_to(found.headers)
    trips = find_trips(found.blocks.select(is_covered), scan_filter)
    uncovered = trips[:, ~coverage.contains(trips[0], trips[1])]
    return np.concatenate([find_trips(found.blocks.select(~is_covered), scan_filter), uncovered], axis=1)
