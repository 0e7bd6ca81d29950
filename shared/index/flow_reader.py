"""Flow reader: the trips of a question that stored flows cover, and those flows. The other trips are read from blocks.

Without an area stored flows cover all trips. With one they cover the trips whose tested ends lie in flow cells inside the area:
only trips along its edge are left to read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from shared.domain.area import INSIDE, Area, AxisArea, CellArea
from shared.domain.clock import list_slots
from shared.domain.trip_end import End, filter_ends
from shared.index.layout import FLOW_SHIFT
from shared.index.segment import ALL, BlockHeaders, Flows
from shared.index.snapshot import TripFilter
from shared.kernels.bit_packing import unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Flags, Numbers, Words

_ALL_SLOTS: Final = tuple(range(48))
# Rows have some ten flows each.
_ROWS_AT_ONCE: Final = 1_024


class FlowFilter(Protocol):
    """The fields of a question that decide which trips are covered; groups.question.FlowQuestion has them."""

    @property
    def end(self) -> End:
        """Which end must lie in the area."""

    @property
    def area(self) -> Area | None:
        """Where it must lie; None: anywhere."""

    @property
    def datasource(self) -> str | None:
        """The datasource; None: any."""

    @property
    def hours(self) -> list[int] | None:
        """Hours of the week that count, 0 to 167; None: all."""

    @property
    def fits_flows(self) -> bool:
        """Whether stored flows answer the question."""


@dataclass(frozen=True, slots=True)
class FlowCoverage:
    """The trips that stored flows cover. area: where the ends must lie for that (None: anywhere); slots: hours (None: all)."""

    end: End
    area: CellArea | None
    slots: Sequence[int] | None

    @classmethod
    def find(cls, question: FlowFilter, *, by_slot: bool = False) -> "FlowCoverage | None":
        """Find what stored flows cover; None: no trips. by_slot: flows per hour, which are stored without datasources."""
        if not question.fits_flows or (by_slot and question.datasource is not None):
            return None
        area = question.area.on_grid().inner(FLOW_SHIFT) if question.area else None
        if area is not None and area.is_empty:
            return None
        slots = list_slots(question.hours)
        return cls(question.end, area, _ALL_SLOTS if by_slot and slots is None else slots)

    def contains(self, origins: Numbers, destinations: Numbers) -> Flags:
        """Whether each trip is covered. Shape: n positions each → n flags."""
        return (
            np.ones(len(origins), np.bool_) if self.area is None else filter_ends(self.area, origins, destinations, end=self.end)
        )

    def applies_to(self, headers: BlockHeaders) -> Flags:
        """Of which blocks stored flows count covered trips: segments without flows per hour have flows of all hours only."""
        return headers.is_compacted if self.slots is None else headers.has_hourly_flows

    def contains_all(self, headers: BlockHeaders) -> Flags:
        """Whether stored flows cover all trips of each block."""
        if self.area is None:
            return np.ones(headers.size, np.bool_)
        origins, destinations = (self.area.classify(bounds) == INSIDE for bounds in (headers.bounds, headers.other_bounds))
        flags: dict[End, Flags] = {
            "origin": origins,
            "destination": destinations,
            "both": origins & destinations,
            "either": origins | destinations,
        }
        return flags[self.end]

    def select(self, flows: Flows, trips: TripFilter, *, view: AxisArea | None = None) -> Numbers:
        """The rows of stored flows that count, in order of origin cells.

        view: made of whole cells; rows with no flow in it may be skipped.
        """
        selected = flows.datasource == (ALL if trips.datasource_id is None else trips.datasource_id)
        selected &= flows.slot == ALL if self.slots is None else np.isin(flows.slot, self.slots)
        if trips.region_id is not None:
            selected &= flows.region == trips.region_id
        rows = np.flatnonzero(selected)
        if self.area is not None and self.end in ("origin", "both"):
            rows = rows[self.area.contains(flows.origin[rows] << FLOW_SHIFT)]
        seen = view or self.area
        if seen is not None:
            # A row that begins outside matters only where its destinations, which are sorted, reach over some of it.
            low, high = seen.find_position_range()
            reaches = (flows.first[rows] << FLOW_SHIFT <= high) & (flows.last[rows] << FLOW_SHIFT >= low)
            rows = rows[reaches | seen.contains(flows.origin[rows] << FLOW_SHIFT)]
        return rows

    def count_rows(self, flows: Flows, rows: Numbers) -> Numbers:
        """Count the covered trips of rows. Shape: 4 by n flows: row, origin and destination cell, trips."""
        found = np.empty((4, int(flows.flows[rows].sum())), np.int64)
        _list_flows(rows, (flows.origin, flows.first, flows.flows, flows.cells_at, flows.trips_at), flows.words, found)
        return found if self.area is None else found[:, self.contains(*(found[1:3] << FLOW_SHIFT))]


def split_rows(rows: Numbers) -> Iterator[Numbers]:
    """Yield rows, so many that their flows are in the core's own cache."""
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[first : first + _ROWS_AT_ONCE]


@compile_kernel
def _list_flows(rows: Numbers, columns: tuple[Numbers, Numbers, Numbers, Numbers, Numbers], words: Words, found: Numbers) -> None:
    """List the flows of rows. Shape: found is 4 by all flows: rows, origins, destinations, trips.

    columns: origin cell, first destination cell, flows, first words of destination cells and of trips.
    """
    origins, firsts, counts, cells_at, trips_at = columns
    first = 0
    for row in rows:
        last = first + counts[row]
        found[0, first:last], found[1, first:last] = row, origins[row]
        unpack_numbers(words, cells_at[row], found[2, first:last])
        unpack_numbers(words, trips_at[row], found[3, first:last])
        cell = firsts[row]
        for i in range(first, last):
            cell += found[2, i]
            found[2, i] = cell
        first = last
