"""Flows: trips between cells, from the runs' own flows, from blocks of trips, and from the trips of bare loads.

Everything is added up by the process that asks, in columns: a row of the database per flow would cost more than the flow.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl
from sqlalchemy import Connection

from shared.anywhere import count_anywhere
from shared.area import WHOLE_WORLD, AxisArea
from shared.block_bits import StaleError
from shared.blocks import ANY, ONE_INSIDE
from shared.database import execute
from shared.ends import Choice
from shared.groups import Flow, FlowLocation, FlowMap, FlowQuestion
from shared.known_flows import FLOW_SHIFT, KnownFlows
from shared.pairs import PairCounter
from shared.position import cell_middle, format_geohash
from shared.trip_blocks import BLOCK_TESTS, expecting_the_same_runs, find_unknown_trips, stream_trip_blocks
from shared.weekly import Filters, WeeklyQuestion, area_parameters, choose_period, period_parameters

_PAIR: Final = ("origin", "destination")


def count_flows(connection: Connection, question: FlowQuestion, filters: Filters) -> FlowMap:
    """Find the largest flows that touch the view and the locations they join. Raises: StaleError."""
    view = question.viewport.area().outer(question.cell_shift) if question.viewport else None
    asked = _Asked(connection, question, filters, view=None if view == WHOLE_WORLD else view)
    flows = pl.DataFrame(dict(zip((*_PAIR, "trips"), asked.count_all().list_pairs(), strict=True)))
    trips = int(flows["trips"].sum()) if view is None or question.box is not None else asked.count_trips()
    if view is not None:
        is_seen = [view.contains(flows[name].to_numpy() << question.cell_shift) for name in _PAIR]
        flows = flows.filter(pl.Series(is_seen[0] | is_seen[1]))
    return _make_map(flows, _choose_shown(flows, question), question, trips=trips)


class _Asked:
    """One question's ways to its flows."""

    def __init__(self, connection: Connection, question: FlowQuestion, filters: Filters, *, view: AxisArea | None) -> None:
        self._connection = connection
        self._filters = filters
        self._question = question
        self._view = view
        self._known = KnownFlows.find(question)
        self._parameters: dict[str, object] = {
            **filters.parameters,
            "hours": question.hours,
            **area_parameters(question.box, question.end),
        }

    def count_all(self) -> PairCounter:
        """Count the trips per origin and destination."""
        counter = PairCounter()
        with expecting_the_same_runs(self._connection):
            if self._known is not None:
                self._count_known(counter, self._known)
            self._count_blocks(counter)
            rows = self._ask("count_bare_flows", cell_shift=self._question.cell_shift, view_area=self._view_bounds)
        bare = np.array([row[1:] for row in rows if row[1] is not None], np.int64).reshape(-1, 3)
        counter.add(*np.ascontiguousarray(bare.T))
        return counter

    def count_trips(self) -> int:
        """Count the trips of all flows, in the view or not."""
        period = choose_period(WeeklyQuestion(), self._filters)
        if period is None:
            return 0
        parameters = period_parameters(self._filters, period, self._question.hours)
        counts = count_anywhere(self._connection, parameters=parameters)
        if counts is None:
            raise StaleError
        return int(counts.sum())

    @property
    def _view_bounds(self) -> list[int] | None:
        return self._view.bounds() if self._view and self._question.box is None else None

    def _ask(self, name: str, **parameters: object) -> Sequence[Any]:
        rows = execute(self._connection, name, **self._parameters, **parameters).all()
        if not rows[0].is_current:
            raise StaleError
        return rows

    def _count_known(self, counter: PairCounter, known: KnownFlows) -> None:
        """Count the flows that runs keep."""
        shift = self._question.cell_shift - FLOW_SHIFT
        for rows in known.read_rows(self._connection, self._parameters, view=self._view_bounds):
            _, origins, destinations, trips = known.count_rows(rows)
            counter.add(origins >> shift, destinations >> shift, trips)

    def _count_blocks(self, counter: PairCounter) -> None:
        """Count the flows of the trips in blocks: of loose loads, and of the runs whose flows don't know them."""
        question = self._question
        if question.box is not None:
            area, tests = question.box.area(), BLOCK_TESTS[question.end]
        else:
            area, tests = self._view or WHOLE_WORLD, (ONE_INSIDE, ANY)
        choice = Choice(area, question.hours, date.min, date.max)
        parameters = {**self._parameters, "cell_shift": question.cell_shift}
        for blocks in stream_trip_blocks(self._connection, parameters, choice, tests=tests, known=self._known):
            counter.add(*(find_unknown_trips(blocks, choice, self._known)[:2] >> question.cell_shift))


def _choose_shown(flows: pl.DataFrame, question: FlowQuestion) -> pl.DataFrame:
    """Choose the largest, after the one that is known."""
    after = question.after_key
    origin, destination, trips = pl.col("origin"), pl.col("destination"), pl.col("trips")
    if after is not None:
        is_later = (origin > after[1]) | ((origin == after[1]) & (destination > after[2]))
        flows = flows.filter((trips < after[0]) | ((trips == after[0]) & is_later))
    if flows.height > question.limit:
        flows = flows.filter(trips >= flows["trips"].top_k(question.limit).min())
    return flows.sort("trips", *_PAIR, descending=[True, False, False]).head(question.limit)


def _make_map(flows: pl.DataFrame, shown: pl.DataFrame, question: FlowQuestion, *, trips: int) -> FlowMap:
    cells = pl.concat([shown["origin"], shown["destination"]]).unique().sort()
    is_internal = pl.col("origin") == pl.col("destination")
    totals = []
    for name, among in (("destination", ~is_internal), ("origin", ~is_internal), ("origin", is_internal)):
        sums = flows.filter(pl.col(name).is_in(cells.implode()) & among).group_by(name).agg(pl.col("trips").sum())
        totals.append(dict(sums.iter_rows()))
    return FlowMap(
        tuple(_make_location(cell, question, tuple(total.get(cell, 0) for total in totals)) for cell in cells),
        tuple(
            Flow(format_geohash(origin, question.precision), format_geohash(destination, question.precision), count)
            for origin, destination, count in shown.iter_rows()
        ),
        trips=trips,
        shown_trips=int(shown["trips"].sum()),
        precision=question.precision,
    )


def _make_location(cell: int, question: FlowQuestion, totals: tuple[int, ...]) -> FlowLocation:
    longitude, latitude = cell_middle(cell, question.cell_shift)
    return FlowLocation(format_geohash(cell, question.precision), longitude, latitude, *totals)
