"""Period counts: trips per week, or per hour, without a box.

Whole weeks come from the weekly rollup, hours and odd days from the days of segments, and those of uncompacted loads from the
times of blocks.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from shared.domain.clock import DAY
from shared.index.layout import HOURS
from shared.index.snapshot import StaleError, TripFilter
from shared.questions.period import Period
from shared.services.database import stream_rows

Counts = npt.NDArray[np.int64]

# Rows per fetch: five years of weeks, or the times of a quarter of a million trips.
_ROWS: Final = 256


def count_without_box(connection: Connection, trip_filter: TripFilter, period: Period, *, by_hour: bool = False) -> Counts:
    """Count the trips of a period. Raises: StaleError.

    Shape: a row per week of the period, a column per hour of the week or one.
    """
    parameters = {**trip_filter.parameters, **period.parameters, "by_hour": by_hour}
    days = period.cut_days
    if by_hour or period.hours is not None:
        # The rollup of weeks has no hours, so no week is counted as a whole.
        parameters |= {"whole_from": period.to_on + DAY, "whole_to": period.from_on - DAY}
        days = [(period.from_on, period.to_on)]
    first_week = period.first_week
    counts = np.zeros((period.weeks, HOURS if by_hour else 1), np.int64)
    for rows in stream_rows(connection, "count_without_box", parameters, rows=_ROWS):
        if not rows[0].is_current:
            raise StaleError
        for row in rows:
            if row.week is not None:
                counts[(row.week - first_week).days // 7, row.hour or 0] += row.trips
        if blocks := [row for row in rows if row.times is not None]:
            counts += _count_blocks(blocks, period, days, by_hour=by_hour)
    return counts


def _count_blocks(rows: Sequence[Any], period: Period, days: Sequence[tuple[date, date]], *, by_hour: bool) -> Counts:
    # Imported here: questions that read no blocks need not load compiled kernels.
    from shared.index.block_fetch import decode_blocks
    from shared.index.block_header import BlockHeader, EncodedBlock
    from shared.index.scan import ScanFilter, TimeCounter

    scan_filter = ScanFilter(None, period.hours, period.from_on, period.to_on)
    counter = TimeCounter(scan_filter, by_hour=by_hour)
    blocks = decode_blocks(
        EncodedBlock(
            BlockHeader(row.trips, row.region_id, 0, row.base_week, row.datasources, selected_datasource=row.selected),
            row.week_index,
            row.times,
        )
        for row in rows
    )
    for from_on, to_on in days:
        counter.add(blocks, from_on, to_on)
    return counter.counts
