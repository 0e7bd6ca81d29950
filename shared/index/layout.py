"""Layout: constants of blocks, cells, flows and hours. Compiled into kernels."""

from datetime import date, timedelta
from typing import Final

from shared.domain.position import POSITION_BITS

BLOCK_TRIPS: Final = 4_096
"""Most trips of a block: its bounds and sums take 0.1 bytes a trip, and the edge of a box reads few trips outside the box."""

HOURS: Final = 168
"""Hours of a week."""

ANY, INSIDE, OUTSIDE, ONE_INSIDE = range(4)
"""Tests of an end, or of both ends of a trip, against an area."""

FLOW_PRECISION: Final = 6
"""Geohash characters of the cells that flows are stored by."""

FLOW_SHIFT: Final = POSITION_BITS - 5 * FLOW_PRECISION
"""Cells of stored flows: position >> FLOW_SHIFT."""

FINE_SHIFT: Final = 24
"""Fine cells of the density map: position >> FINE_SHIFT."""

CELL_SHIFT: Final = 34
"""Cells of segments: position >> CELL_SHIFT, 14 bits an axis. A block of a segment lies in one cell."""

DURATION_CODES: Final = 1_442
"""Codes of a trip's duration: 0 is unknown, others are 1 more than its whole minutes, of which a day or longer has 1,440."""

DAY_ONE: Final = date(1, 1, 1)
"""Days, weeks and hours count from here, a Monday."""


def number_day(day: date) -> int:
    """Days since DAY_ONE."""
    return (day - DAY_ONE).days


def make_day(number: int) -> date:
    """Undo number_day."""
    return DAY_ONE + timedelta(days=number)
