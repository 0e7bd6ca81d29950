"""Boxes: trips per week, or per hour, with an end in an area.

Cells, sums of blocks, heads of blocks and loose trips come from one statement, so they are of one moment; bits of blocks never
change.

A box that covers most of a region cuts the other ends of nearly all blocks in it. Of such a region those trips are counted that
have no end in the box, which are few: either = all - neither, and both = origin inside + destination inside + neither - all.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from shared.domain.area import AxisArea
from shared.domain.trip_end import End, area_parameters
from shared.index.block_fetch import Heads, read_blocks
from shared.index.layout import ANY, CELL_SHIFT, INSIDE, OUTSIDE
from shared.index.scan import Choice, TimeCounter
from shared.index.snapshot import StaleError
from shared.platform.arrays import Numbers
from shared.questions.period import list_cut_days
from shared.services.database import execute, stream_rows

DAY: Final = timedelta(days=1)


class _Side(NamedTuple):
    """Trips by one end: where it must lie, and the other. Sides of a question share no trip."""

    is_origin: bool
    end_test: int
    other_test: int


_ORIGIN_INSIDE: Final = _Side(True, INSIDE, ANY)
_DESTINATION_INSIDE: Final = _Side(False, INSIDE, ANY)
_NEITHER: Final = _Side(True, OUTSIDE, OUTSIDE)
_SIDES: Final[Mapping[End, Sequence[_Side]]] = {
    "origin": [_ORIGIN_INSIDE],
    "destination": [_DESTINATION_INSIDE],
    "both": [_Side(True, INSIDE, INSIDE)],
    "either": [_DESTINATION_INSIDE, _Side(True, INSIDE, OUTSIDE)],
}
# What is counted of covered regions, and how many times all of their trips come to it.
_COVERED_SIDES: Final[Mapping[End, Sequence[_Side]]] = {
    "both": [_ORIGIN_INSIDE, _DESTINATION_INSIDE, _NEITHER],
    "either": [_NEITHER],
}
# A region is counted so where more of its trips begin in the box. At 100 million trips, boxes over three cities, that is
# quicker from 0.53 to 0.58 of the trips on for `either`, and from 0.66 to 0.73 on for `both`, which reads the edges of
# three sides then.
_COVERED_SHARES: Final[Mapping[End, float]] = {"both": 2 / 3, "either": 1 / 2}
_TOTAL_SIGNS: Final[Mapping[End, int]] = {"both": -1, "either": 1}


def count_box(
    connection: Connection, area: AxisArea, end: End, *, parameters: Mapping[str, Any], by_hour: bool = False
) -> Numbers | None:
    """Count the trips of a period with an end in an area; None when loads were packed or undone since the filters were fetched.

    parameters: those of sql/queries/weekly.sql. Shape: a row per week from from_on's on, a column per hour of the week or one.
    """
    cut_days = list_cut_days(parameters)
    knows_weeks = not by_hour and parameters["hours"] is None
    covered = _list_covered_regions(connection, area, end, parameters=parameters) if knows_weeks and not cut_days else []
    answer = _Answer(area, end, parameters, by_hour=by_hour)
    asked = {
        **parameters,
        **area_parameters(area, end),
        **_make_sides(end, covered),
        "area": area.bounds(),
        "inner_34": area.inner(CELL_SHIFT).bounds(),
        "by_hour": by_hour,
        "knows_cells": knows_weeks,
        "knows_cell_hours": not knows_weeks and parameters["datasource_id"] is None,
        "knows_sums": knows_weeks and parameters["datasource_id"] is None,
        "has_cut_weeks": bool(cut_days),
        "needs_times": not knows_weeks or bool(cut_days) or parameters["datasource_id"] is not None,
    }
    for rows in stream_rows(connection, "count_box", asked):
        if not rows[0][0]:
            return None
        answer.add(rows)
    try:
        answer.add_blocks(connection, cut_days)
    except StaleError:
        return None
    return answer.counts


def _list_covered_regions(connection: Connection, area: AxisArea, end: End, *, parameters: Mapping[str, Any]) -> list[int]:
    """List the regions that are counted by what lies outside: that is quicker of those that lie mostly inside, and true of any.

    None while trips are read one by one: those are in the totals, but in no block.
    """
    if end not in _COVERED_SIDES or parameters["bare_loads"]:
        return []
    asked = {
        "inner_34": area.inner(CELL_SHIFT).bounds(),
        "region_id": parameters["region_id"],
        "share": _COVERED_SHARES[end],
    }
    return list(execute(connection, "list_covered_regions", **asked).scalars())


def _make_sides(end: End, covered: Sequence[int]) -> dict[str, object]:
    sides = [(*side, False) for side in _SIDES[end]]
    if covered:
        sides += [(*side, True) for side in _COVERED_SIDES[end]]
    are_origins, end_tests, other_tests, are_covered = map(list, zip(*sides, strict=True))
    return {
        "is_origins": are_origins,
        "end_tests": end_tests,
        "other_tests": other_tests,
        "are_covered": are_covered,
        "covered_regions": covered,
        "total_sign": _TOTAL_SIGNS.get(end, 0),
        "lowest_side": int(min(are_origins)),
        "highest_side": int(max(are_origins)),
    }


class _Answer:
    """Adds the rows of count_box up. Of covered regions, counted trips are taken away where all of them come once."""

    def __init__(self, area: AxisArea, end: End, parameters: Mapping[str, Any], *, by_hour: bool) -> None:
        from_on, to_on = parameters["from_on"], parameters["to_on"]
        choice = Choice(area, parameters["hours"], from_on, to_on)
        self._first_week = from_on - from_on.weekday() * DAY
        self._whole_weeks = (parameters["whole_from"], parameters["whole_to"])
        self._counter = TimeCounter(choice, by_hour=by_hour)
        self._covered = TimeCounter(choice, by_hour=by_hour)
        self._covered_sign = -_TOTAL_SIGNS.get(end, 0)
        self._heads: list[tuple[bool, bool, Heads]] = []

    @property
    def counts(self) -> Numbers:
        """What was added."""
        return self._counter.counts + self._covered_sign * self._covered.counts

    def add(self, rows: Sequence[Any]) -> None:
        """Add rows; their blocks wait for add_blocks."""
        for row in rows:
            if row.heads is None:
                self._add_sums(row)
            else:
                self._heads.append((row.is_covered, row.is_counted, Heads.decode(row.heads, row.runs)))

    def add_blocks(self, connection: Connection, cut_days: Sequence[tuple[date, date]]) -> None:
        """Read the blocks: those that cells or sums count, only on the days of the period that are in no whole week.

        Raises: StaleError.
        """
        for is_covered, is_counted, heads in self._heads:
            counter = self._covered if is_covered else self._counter
            for _, blocks in read_blocks(connection, heads):
                for days in cut_days if is_counted else [()]:
                    counter.add(blocks, *days)

    def _add_sums(self, row: Any) -> None:  # noqa: ANN401 - psycopg's named tuple
        if row.sum_weeks is not None:
            counter = self._covered if row.is_covered else self._counter
            counter.add_sums(row.sum_weeks, row.sum_lengths, row.sums, whole_weeks=self._whole_weeks)
        elif row.week is not None and row.sums is not None:
            self._counter.add_cell(row.week, row.sums, weeks=row.trips, whole_weeks=self._whole_weeks)
        elif row.week is not None:
            self._counter.counts[(row.week - self._first_week).days // 7, row.hour or 0] += row.trips
