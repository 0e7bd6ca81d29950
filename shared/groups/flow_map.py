"""Flows: trips between cells, from the runs' own flows, from blocks of trips, and from the trips of bare loads.

Everything is added up by the process that asks, in columns: a row of the database per flow would cost more than the flow.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl
from sqlalchemy import Connection

from shared.domain.area import WHOLE_WORLD, AxisArea
from shared.domain.position import cell_middle, format_geohash
from shared.domain.trip_end import area_parameters
from shared.groups.question import Flow, FlowLocation, FlowMap, FlowQuestion
from shared.groups.top_flows import IN, INTERNAL, OUT, Flows, LargestFlows, OrderedFlows
from shared.index.flow_reader import KnownFlows
from shared.index.layout import ANY, FLOW_SHIFT, ONE_INSIDE
from shared.index.scan import Choice, find_cells
from shared.index.snapshot import Filters, StaleError, expecting_the_same_runs
from shared.index.trip_scan import BLOCK_TESTS, TripBlocks, find_unknown_trips, stream_trip_blocks
from shared.kernels.pair_counter import PairCounter
from shared.platform.arrays import Numbers
from shared.platform.prefetch import work_ahead
from shared.questions.period import period_parameters
from shared.questions.period_counts import count_anywhere
from shared.questions.weekly import WeeklyQuestion, choose_period
from shared.services.database import execute


def fetch_largest_flows(connection: Connection, question: FlowQuestion, filters: Filters) -> FlowMap:
    """Find the largest flows that touch the view and the locations they join. Raises: StaleError."""
    view = question.viewport.area().outer(question.cell_shift) if question.viewport else None
    asked = _Asked(connection, question, filters, view=None if view == WHOLE_WORLD else view)
    largest = asked.count_all()
    trips = largest.trips if asked.counts_all else asked.count_trips()
    return _make_map(largest, question, trips=trips)


# Some 260,000 trips each, four megabytes.
_COUNTED_AHEAD: Final = 3


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

    @property
    def counts_all(self) -> bool:
        """Whether the trips of all flows are counted, those out of sight too."""
        return self._view is None or self._question.box is not None

    def count_all(self) -> LargestFlows:
        """Count the trips per origin and destination."""
        largest = LargestFlows(self._question, self._view)
        with expecting_the_same_runs(self._connection):
            if self._known is None and not self._filters.bare_loads:
                self._count_in_order(largest)
            else:
                largest.add(self._count_at_once())
        return largest

    def _count_in_order(self, largest: LargestFlows) -> None:
        """Count the trips in blocks, which come in order of their first origin: flows from before it grow no more. One thread
        counts while this one reads.
        """
        counter = OrderedFlows(largest, is_seen=self._question.box is None)
        shift = self._question.cell_shift

        def count(found: tuple[Numbers, int]) -> None:
            counter.add(found[0], complete_before=found[1])

        read = (
            (find_cells(blocks.blocks, choice, shift=shift), int(blocks.rows[0].base) >> shift)
            for blocks, choice in self._stream_blocks(is_in_order=True)
        )
        with ThreadPoolExecutor(1, thread_name_prefix="flows") as pool:
            for _ in work_ahead(pool, count, read, ahead=_COUNTED_AHEAD):
                pass
        counter.finish()

    def _count_at_once(self) -> Flows:
        """Count all flows in one table: those that runs keep, of the other trips in blocks, and of bare loads."""
        counter = PairCounter()
        shift = self._question.cell_shift
        if self._known is not None:
            self._count_known(counter, self._known)
        for blocks, choice in self._stream_blocks():
            counter.add(*(find_unknown_trips(blocks, choice, self._known)[:2] >> shift))
        rows = self._ask("count_bare_flows", cell_shift=shift, view_area=self._view_bounds)
        bare = np.array([row[1:] for row in rows if row[1] is not None], np.int64).reshape(-1, 3)
        counter.add(*np.ascontiguousarray(bare.T))
        origins, destinations, trips = counter.list_pairs()
        return origins, destinations, trips

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

    def _stream_blocks(self, *, is_in_order: bool = False) -> Iterator[tuple[TripBlocks, Choice]]:
        """Read the blocks of loose loads, and of the runs whose flows don't know all that is asked for."""
        question = self._question
        if question.box is not None:
            area, tests = question.box.area(), BLOCK_TESTS[question.end]
        else:
            area, tests = self._view or WHOLE_WORLD, (ONE_INSIDE, ANY)
        choice = Choice(area, question.hours, date.min, date.max)
        parameters = {**self._parameters, "cell_shift": question.cell_shift}
        for blocks in stream_trip_blocks(
            self._connection, parameters, choice, tests=tests, known=self._known, is_in_order=is_in_order
        ):
            yield blocks, choice


def _make_map(largest: LargestFlows, question: FlowQuestion, *, trips: int) -> FlowMap:
    shown, places = largest.shown, largest.list_places()
    cells = pl.concat([shown["origin"], shown["destination"]]).unique().sort()
    return FlowMap(
        tuple(_make_location(cell, question, places) for cell in cells),
        tuple(
            Flow(format_geohash(origin, question.precision), format_geohash(destination, question.precision), count)
            for origin, destination, count in shown.iter_rows()
        ),
        trips=trips,
        shown_trips=int(shown["trips"].sum()),
        precision=question.precision,
    )


def _make_location(cell: int, question: FlowQuestion, places: Mapping[tuple[int, int], int]) -> FlowLocation:
    longitude, latitude = cell_middle(cell, question.cell_shift)
    trips = (places.get((cell, kind), 0) for kind in (IN, OUT, INTERNAL))
    return FlowLocation(format_geohash(cell, question.precision), longitude, latitude, *trips)
