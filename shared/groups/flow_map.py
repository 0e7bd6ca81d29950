"""Flow map: trips between cells, from stored flows, from blocks, and from the trips of unindexed loads.

Flows are added up in this process, in columns: returning a row of the database for each flow would cost more than counting it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from shared.domain.area import WHOLE_WORLD, AxisArea
from shared.domain.position import cell_middle, format_geohash
from shared.gazetteer.cell_names import name_cells
from shared.groups.ordered_counter import OrderedCounter
from shared.groups.question import Flow, FlowLocation, FlowMap, FlowQuestion
from shared.groups.top_flows import IN, INTERNAL, OUT, Flows, LargestFlows
from shared.index.flow_reader import FlowCoverage, split_rows
from shared.index.layout import ANY, FLOW_SHIFT, ONE_INSIDE
from shared.index.scan import ScanFilter, find_cells
from shared.index.snapshot import Reader
from shared.index.trip_areas import area_parameters
from shared.index.trip_scan import BLOCK_TESTS, TripBlocks, find_uncovered_trips, stream_trip_blocks
from shared.kernels.pair_counter import PairCounter
from shared.questions.period_counts import count_anywhere
from shared.questions.weekly import WeeklyQuestion, resolve_period
from shared.services.database import execute


def fetch_largest_flows(reader: Reader, question: FlowQuestion) -> FlowMap:
    """Find the largest flows that touch the view and the locations they join. Raises: StaleError."""
    view = question.viewport.on_grid().outer(question.cell_shift) if question.viewport else None
    counter = _FlowCounter(reader, question, view=None if view == WHOLE_WORLD else view)
    largest = counter.count_all()
    trips = largest.trips if counter.counts_all else counter.count_trips()
    reader.check()
    return _make_map(largest, question, trips=trips)


class _FlowCounter:
    """Counts the flows of one question."""

    def __init__(self, reader: Reader, question: FlowQuestion, *, view: AxisArea | None) -> None:
        self._reader = reader
        self._question = question
        self._view = view
        self._coverage = FlowCoverage.find(question)

    @property
    def counts_all(self) -> bool:
        """Whether count_all counts the trips of all flows, in the view or not."""
        return self._view is None or self._question.area is not None

    def count_all(self) -> LargestFlows:
        """Count the trips per origin and destination."""
        largest = LargestFlows(self._question, self._view)
        if self._coverage is None and not self._reader.snapshot.unindexed_loads:
            self._count_in_order(largest)
        else:
            largest.add(self._count_at_once())
        return largest

    def _count_in_order(self, largest: LargestFlows) -> None:
        """Count the trips in blocks, in order of their first origin: flows of lower origins are complete."""
        shift, is_seen = self._question.cell_shift, self._question.area is None
        counter = OrderedCounter(lambda cells, trips: largest.add((cells[0], cells[1], trips), is_seen=is_seen), keys=2)
        counter.count(
            (find_cells(found.blocks, scan_filter, shift=shift), found.first_base >> shift)
            for found, scan_filter in self._stream_blocks()
        )

    def _count_at_once(self) -> Flows:
        """Count all flows in one table: stored flows, other trips in blocks, and trips of unindexed loads."""
        counter = PairCounter()
        shift = self._question.cell_shift
        if self._coverage is not None:
            self._count_covered(counter, self._coverage)
        for blocks, scan_filter in self._stream_blocks():
            counter.add(*(find_uncovered_trips(blocks, scan_filter, self._coverage)[:2] >> shift))
        if self._reader.snapshot.unindexed_loads:
            self._count_unindexed(counter)
        origins, destinations, trips = counter.list_pairs()
        return origins, destinations, trips

    def count_trips(self) -> int:
        """Count the trips of all flows, in the view or not."""
        period = resolve_period(WeeklyQuestion(), self._reader.trips)
        if period is None:
            return 0
        period = replace(period, hours=self._question.hours)
        return int(count_anywhere(self._reader, period).sum())

    @property
    def _view_bounds(self) -> list[int] | None:
        return self._view.bounds() if self._view and self._question.area is None else None

    def _count_unindexed(self, counter: PairCounter) -> None:
        """Count the trips of unindexed loads."""
        connection, loads = self._reader.connection, self._reader.snapshot.unindexed_loads
        rows = execute(
            connection,
            "count_unindexed_flows",
            **self._reader.trips.name_parameters,
            **area_parameters(connection, self._question.grid_area, self._question.end, loads=loads),
            unindexed_loads=loads,
            hours=self._question.hours,
            cell_shift=self._question.cell_shift,
            view_area=self._view_bounds,
        ).all()
        found = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 3)
        counter.add(*np.ascontiguousarray(found.T))

    def _count_covered(self, counter: PairCounter, coverage: FlowCoverage) -> None:
        """Count the stored flows."""
        shift = self._question.cell_shift - FLOW_SHIFT
        flows = self._reader.read_flows()
        view = self._view if self._question.area is None else None
        for rows in split_rows(coverage.select(flows, self._reader.trips, view=view)):
            _, origins, destinations, trips = coverage.count_rows(flows, rows)
            counter.add(origins >> shift, destinations >> shift, trips)

    def _stream_blocks(self) -> Iterator[tuple[TripBlocks, ScanFilter]]:
        """Read the blocks of uncompacted loads, and those of segments whose trips the stored flows do not cover."""
        question = self._question
        if question.area is not None:
            area, tests = question.area.on_grid(), BLOCK_TESTS[question.end]
        else:
            area, tests = self._view or WHOLE_WORLD, (ONE_INSIDE, ANY)
        scan_filter = ScanFilter(area, question.hours, date.min, date.max)
        for found in stream_trip_blocks(self._reader, scan_filter, tests=tests, coverage=self._coverage):
            yield found, scan_filter


def _make_map(largest: LargestFlows, question: FlowQuestion, *, trips: int) -> FlowMap:
    shown, locations = largest.shown, largest.list_locations()
    cells = pl.concat([shown["origin"], shown["destination"]]).unique().sort()
    return FlowMap(
        tuple(
            _make_location(cell, question, locations, name=name)
            for cell, name in zip(cells, name_cells(cells.to_numpy(), question.cell_shift), strict=True)
        ),
        tuple(
            Flow(format_geohash(origin, question.precision), format_geohash(destination, question.precision), count)
            for origin, destination, count in shown.iter_rows()
        ),
        trips=trips,
        shown_trips=int(shown["trips"].sum()),
        precision=question.precision,
    )


def _make_location(cell: int, question: FlowQuestion, locations: Mapping[tuple[int, int], int], *, name: str) -> FlowLocation:
    longitude, latitude = cell_middle(cell, question.cell_shift)
    trips = (locations.get((cell, kind), 0) for kind in (IN, OUT, INTERNAL))
    return FlowLocation(format_geohash(cell, question.precision), name, longitude, latitude, *trips)
