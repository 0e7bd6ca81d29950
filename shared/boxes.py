"""Boxes: trips per week, or per hour, with an end in an area.

Cells, sums of blocks, blocks and loose trips come from one statement, so they are of one moment.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from shared.anywhere import list_cut_days
from shared.area import AxisArea
from shared.bits import Numbers
from shared.database import stream_rows
from shared.ends import Choice, TimeCounter, make_blocks
from shared.runs import CELL_SHIFT
from shared.weekly import End, area_parameters

_DAY: Final = timedelta(days=1)
_BLOCK: Final = slice(6, None)
"""Columns of a row of count_box that make_blocks takes."""

# Which ends count, and what their other ends must be (0: anything, 1: inside, 2: outside), so that no trip counts twice.
_SIDES: Final[Mapping[End, tuple[list[bool], list[int]]]] = {
    "origin": ([True], [0]),
    "destination": ([False], [0]),
    "both": ([True], [1]),
    "either": ([False, True], [0, 2]),
}


def count_box(
    connection: Connection, area: AxisArea, end: End, *, parameters: Mapping[str, Any], by_hour: bool = False
) -> Numbers | None:
    """Count the trips of a period with an end in an area; None when loads were packed or undone since the filters were fetched.

    parameters: those of sql/queries/weekly.sql. Shape: a row per week from from_on's on, a column per hour of the week or one.
    """
    from_on, to_on, hours = parameters["from_on"], parameters["to_on"], parameters["hours"]
    cut_days = list_cut_days(parameters)
    is_origins, other_tests = _SIDES[end]
    counter = TimeCounter(Choice(area, hours, from_on, to_on), by_hour=by_hour)
    first_week = from_on - from_on.weekday() * _DAY
    batches = stream_rows(
        connection,
        "count_box",
        {
            **parameters,
            **area_parameters(area, end),
            "is_origins": is_origins,
            "other_tests": other_tests,
            "lowest_side": int(min(is_origins)),
            "highest_side": int(max(is_origins)),
            "area": area.bounds(),
            "inner_34": area.inner(CELL_SHIFT).bounds(),
            "by_hour": by_hour,
            "knows_cells": not by_hour and hours is None,
            "knows_cell_hours": (by_hour or hours is not None) and parameters["datasource_id"] is None,
            "knows_sums": not by_hour and hours is None and parameters["datasource_id"] is None,
            "has_cut_weeks": bool(cut_days),
        },
    )
    whole_weeks = (parameters["whole_from"], parameters["whole_to"])
    for rows in batches:
        if not rows[0][0]:
            return None
        for row in rows:
            if row.sum_weeks is not None:
                counter.add_sums(row.sum_weeks, row.sum_lengths, row.bits, whole_weeks=whole_weeks)
            elif row.week is not None and row.bits is not None:
                counter.add_cell(row.week, row.bits, weeks=row.trips, whole_weeks=whole_weeks)
            elif row.week is not None:
                counter.counts[(row.week - first_week).days // 7, row.hour or 0] += row.trips
        _add_blocks(counter, rows, cut_days)
    return counter.counts


def _add_blocks(counter: TimeCounter, rows: Iterable[Any], cut_days: Iterable[tuple[date, date]]) -> None:
    """Count blocks: those that cells or sums count, only on the days of the period that are no whole weeks."""
    blocks = [row for row in rows if row.is_counted is not None]
    counter.add(make_blocks(row[_BLOCK] for row in blocks if not row.is_counted))
    counted = make_blocks(row[_BLOCK] for row in blocks if row.is_counted)
    for from_on, to_on in cut_days:
        counter.add(counted, from_on, to_on)
