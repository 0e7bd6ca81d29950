"""Trip scan: origin blocks, whose trips have both ends, for questions about flows and trip groups.

for found in stream_trip_blocks(connection, parameters, scan_filter, tests=BLOCK_TESTS["both"], coverage=coverage):
    trips = find_uncovered_trips(found, scan_filter, coverage)
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from sqlalchemy import Connection

from shared.domain.area import WHOLE_WORLD
from shared.domain.trip_end import End
from shared.index.block_fetch import Blocks, read_blocks
from shared.index.block_header import BlockHeaders
from shared.index.flow_reader import FlowCoverage
from shared.index.layout import ANY, INSIDE, ONE_INSIDE
from shared.index.scan import ScanFilter, find_trips
from shared.index.snapshot import StaleError
from shared.platform.arrays import Numbers
from shared.services.database import stream_rows

BLOCK_TESTS: Final[Mapping[End, tuple[int, int]]] = {
    "origin": (INSIDE, ANY),
    "destination": (ANY, INSIDE),
    "both": (INSIDE, INSIDE),
    "either": (ONE_INSIDE, ANY),
}
"""Tests of origin and destination against a box."""

# Rows of block headers: 0.3 KB each.
_ROWS: Final = 256


class TripBlocks(NamedTuple):
    """Blocks, and their rows of list_trip_blocks."""

    rows: Sequence[Any]
    blocks: Blocks


def stream_trip_blocks(
    connection: Connection,
    parameters: Mapping[str, object],
    scan_filter: ScanFilter,
    *,
    tests: tuple[int, int],
    coverage: FlowCoverage | None = None,
    origin_cells: Sequence[int] | None = None,
    destination_cells: Sequence[int] | None = None,
    is_in_order: bool = False,
) -> Iterator[TripBlocks]:
    """Yield blocks, about 64 at a time, except those whose trips are all covered by stored flows.

    tests: of origin and destination. Raises: StaleError.
    """
    # Segments without flows per hour have flows of all hours only.
    flow_hours = [] if coverage is None else [True] if coverage.slots is not None else [True, False]
    query_parameters = {
        **parameters,
        "area": (scan_filter.area or WHOLE_WORLD).bounds(),
        "end_test": tests[0],
        "other_test": tests[1],
        "flow_hours": flow_hours,
        "coverage_end": coverage.end if coverage else None,
        "coverage_area": coverage.area.bounds() if coverage and coverage.area else None,
        "origin_cells": origin_cells,
        "destination_cells": destination_cells,
        "is_in_order": is_in_order,
    }
    found: list[Any] = []
    for rows in stream_rows(connection, "list_trip_blocks", query_parameters, rows=_ROWS):
        if not rows[0].is_current:
            raise StaleError
        found += (row for row in rows if row.trips is not None)
    if found:
        headers = BlockHeaders.from_rows(found)
        yield from (TripBlocks(found[part], blocks) for part, blocks in read_blocks(connection, headers))


def find_uncovered_trips(found: TripBlocks, scan_filter: ScanFilter, coverage: FlowCoverage | None) -> Numbers:
    """List the selected trips of blocks that stored flows do not cover. Shape: as find_trips."""
    if coverage is None:
        return find_trips(found.blocks, scan_filter)
    is_covered = np.array([row.has_coverage for row in found.rows])
    trips = find_trips(found.blocks.select(is_covered), scan_filter)
    uncovered = trips[:, ~coverage.contains(trips[0], trips[1])]
    return np.concatenate([find_trips(found.blocks.select(~is_covered), scan_filter), uncovered], axis=1)
