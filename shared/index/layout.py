"""Layout: what the numbers of blocks, cells, flows and stamps mean. Compiled into kernels."""

from datetime import date
from typing import Final

from shared.domain.position import POSITION_BITS

BLOCK_TRIPS: Final = 4_096
"""Trips of a block at most: its bounds and sums cost 0.1 bytes a trip, and an edge reads few trips that it doesn't cut."""


HOURS: Final = 168


# Columns of the table of blocks that the kernels take. SELECTED_DATASOURCE: index among the block's datasources, or -1 for all.
# OTHER_X, OTHER_Y: the lowest of the other ends, as masked positions. The last five are offsets in words; a column that was not
# read is empty.
(
    TRIPS,
    REGION,
    BASE,
    WEEK,
    DATASOURCES,
    SELECTED_DATASOURCE,
    END_TEST,
    OTHER_TEST,
    OTHER_X,
    OTHER_Y,
    DELTAS_AT,
    X_AT,
    Y_AT,
    TIMES_AT,
    WEEK_INDEX_AT,
    COLUMNS,
) = range(16)


# What a test asks of an end, or of a trip.
ANY, INSIDE, OUTSIDE, ONE_INSIDE = range(4)


FLOW_PRECISION: Final = 6
"""Geohash characters of the cells that flows are stored by."""

FLOW_SHIFT: Final = POSITION_BITS - 5 * FLOW_PRECISION
"""Cells of stored flows: position >> FLOW_SHIFT."""


DAY_ONE: Final = date(1, 1, 1)


FINE_SHIFT: Final = 24


CELL_SHIFT: Final = 34
"""Cells of segment_cell, which blocks of segments do not cross either: position >> 34, 14 bits an axis."""
