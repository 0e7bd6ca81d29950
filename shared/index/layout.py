"""Layout: what the numbers of blocks, cells, flows and stamps mean. Compiled into kernels."""

from datetime import date
from typing import Final

from shared.domain.position import POSITION_BITS

BLOCK_TRIPS: Final = 4_096
"""Trips of a block at most: its bounds and sums cost 0.1 bytes a trip, and an edge reads few trips that it doesn't cut."""


HOURS: Final = 168


# Columns of the table of blocks that the kernels take. WANTED: a datasource's place among the block's, or -1. OTHER_X, OTHER_Y:
# the lowest of the other ends, as masked positions. The last five are words of the bits; a column that nobody asked for has none.
(
    TRIPS,
    REGION,
    BASE,
    WEEK,
    DATASOURCES,
    WANTED,
    END_TEST,
    OTHER_TEST,
    OTHER_X,
    OTHER_Y,
    PLACES_AT,
    X_AT,
    Y_AT,
    TIMES_AT,
    RUNS_AT,
    COLUMNS,
) = range(16)


# What a test asks of an end, or of a trip.
ANY, INSIDE, OUTSIDE, ONE_INSIDE = range(4)


RUN_PRECISION: Final = 6
"""Geohash characters of run_flow's cells."""

FLOW_SHIFT: Final = POSITION_BITS - 5 * RUN_PRECISION
"""Cells of run_flow: position >> FLOW_SHIFT."""


DAY_ONE: Final = date(1, 1, 1)


FINE_SHIFT: Final = 24


CELL_SHIFT: Final = 34
"""Cells of run_cell, which blocks of runs do not pass either: position >> 34, 14 bits an axis."""
