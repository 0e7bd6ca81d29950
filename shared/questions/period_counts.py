"""Period counts: trips per week, or per hour, without a box.

Whole weeks come from the weekly rollup, hours and odd days from the days of segments, and those of uncompacted loads from the
times of blocks.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from shared.domain.clock import DAY
from shared.index.layout import HOURS
from shared.questions.period import list_cut_days
from shared.services.database import stream_rows

Counts = npt.NDArray[np.int64]

# Rows per fetch: five years of weeks, or the times of a quarter of a million trips.
_ROWS: Final = 256


def count_without_box(connection: Connection, *, parameters: Mapping[str, Any], by_hour: bool = False) -> Counts | None:
    """Count the trips of a period; None when loads were compacted or undone since the filter was fetched.

    parameters: those of sql/queries/weekly.sql. Shape: a row per week from from_on's on, a column per hour of the week or one.
    """
    from_on, to_on = parameters["from_on"], parameters["to_on"]
    knows_weeks = not by_hour and parameters["hours"] is None
    if not knows_weeks:
        parameters = {**parameters, "whole_from": to_on + DAY, "whole_to": from_on - DAY}
    first_week = from_on - from_on.weekday() * DAY
    counts = np.zeros(((to_on - first_week).days // 7 + 1, HOURS if by_hour else 1), np.int64)
    for rows in stream_rows(connection, "count_without_box", {**parameters, "by_hour": by_hour}, rows=_ROWS):
        if not rows[0].is_current:
            return None
        for row in rows:
            if row.week is not None:
                counts[(row.week - first_week).days // 7, row.hour or 0] += row.trips
        if blocks := [row for row in rows if row.times is not None]:
            counts += _count_blocks(blocks, parameters, by_hour=by_hour)
    return counts


def _count_blocks(rows: Sequence[Any], parameters: Mapping[str, Any], *, by_hour: bool) -> Counts:
    # Imported here: questions that read no blocks need not load compiled kernels.
    from shared.index.block_fetch import decode_blocks
    from shared.index.block_header import BlockHeader, EncodedBlock
    from shared.index.scan import ScanFilter, TimeCounter

    scan_filter = ScanFilter(None, parameters["hours"], parameters["from_on"], parameters["to_on"])
    counter = TimeCounter(scan_filter, by_hour=by_hour)
    blocks = decode_blocks(
        EncodedBlock(
            BlockHeader(row.trips, row.region_id, 0, row.base_week, row.datasources, selected_datasource=row.selected),
            row.week_index,
            row.times,
        )
        for row in rows
    )
    for from_on, to_on in list_cut_days(parameters):
        counter.add(blocks, from_on, to_on)
    return counter.counts
