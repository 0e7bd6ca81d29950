"""Flow reader: the trips of a question that stored flows cover, and those flows. The other trips are read from blocks.

Without a box stored flows cover all trips. With a box they cover the trips whose tested ends lie in flow cells inside the box:
only trips along its edge are left to read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Protocol

import numpy as np

from shared.domain.area import INSIDE, AxisArea, Box
from shared.domain.clock import list_slots
from shared.domain.trip_end import End, filter_ends
from shared.index.block_header import BlockTable
from shared.index.layout import FLOW_SHIFT
from shared.index.segment import BlockHeaders
from shared.index.snapshot import Reader
from shared.kernels.bit_packing import unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Flags, Numbers, Words
from shared.services.database import stream_rows

_ALL_SLOTS: Final = tuple(range(48))
# Rows of flows are 0.1 KB each.
_FLOW_ROWS: Final = 1_024
# Origin cell, first destination cell, flows, and offsets of both columns of bits in words.
_FLOW_ROW: Final = np.dtype([(name, np.int64) for name in ("origin", "first", "flows", "cells_at", "trips_at")])


class FlowFilter(Protocol):
    """The fields of a question that decide which trips are covered; groups.question.FlowQuestion has them."""

    @property
    def end(self) -> End:
        """Which end must lie in the box."""

    @property
    def box(self) -> Box | None:
        """Where it must lie; None: without a box."""

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
    area: AxisArea | None
    slots: Sequence[int] | None

    @classmethod
    def find(cls, question: FlowFilter, *, by_slot: bool = False) -> "FlowCoverage | None":
        """Find what stored flows cover; None: no trips. by_slot: flows per hour, which are stored without datasources."""
        if not question.fits_flows or (by_slot and question.datasource is not None):
            return None
        area = question.box.area().inner(FLOW_SHIFT) if question.box else None
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
        return headers.has_flows if self.slots is None else headers.has_hourly_flows

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

    def read_rows(
        self,
        reader: Reader,
        *,
        view: Sequence[int] | None = None,
        is_in_order: bool = False,
    ) -> Iterator[Sequence[Any]]:
        """Yield lists of rows of stored flows, for count_rows. is_in_order: of origin cells.

        view: bounds of whole cells; rows with no flow in it may be skipped.
        """
        bounds = self.area.bounds() if self.area else None
        segments = [
            segment_id for segment_id, has_hours in reader.snapshot.segment_ids.items() if has_hours or self.slots is None
        ]
        query_parameters: dict[str, object] = {
            **reader.trips.name_parameters,
            "segment_ids": segments,
            "slots": None if self.slots is None else list(self.slots),
            "view_area": view or bounds,
            "first_area": bounds if self.end in ("origin", "both") else None,
            "is_in_order": is_in_order,
        }
        return stream_rows(reader.connection, "list_segment_flows", query_parameters, rows=_FLOW_ROWS) if segments else iter(())

    def count_rows(self, rows: Sequence[Any]) -> Numbers:
        """Count the covered trips of rows. Shape: 4 by n flows: index of the row, origin and destination cell, trips."""
        found = np.stack([np.repeat(np.arange(len(rows)), [row.flows for row in rows]), *read_flows([row[2:] for row in rows])])
        return found if self.area is None else found[:, self.contains(*(found[1:3] << FLOW_SHIFT))]


def read_flows(rows: Sequence[Any]) -> Numbers:
    """Decode rows of stored flows: origin cell, first destination cell, flows, and two columns of bits.

    Shape: 3 by n: origin cells, destination cells, trips.
    """
    origins, firsts, flows, cells, trips = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    sizes = np.array([len(column) // 8 for pair in zip(cells, trips, strict=True) for column in pair], np.int64)
    offsets = (np.cumsum(sizes) - sizes).reshape(-1, 2)
    table = np.empty(len(rows), _FLOW_ROW)
    table["origin"], table["first"], table["flows"] = np.array([origins, firsts, flows], np.int64)
    table["cells_at"], table["trips_at"] = offsets.T
    words = np.frombuffer(b"".join([*chain.from_iterable(zip(cells, trips, strict=True)), bytes(8)]), np.uint64)
    found = np.empty((3, int(table["flows"].sum())), np.int64)
    _list_flows(table, words, found)
    return found


@compile_kernel
def _list_flows(rows: BlockTable, words: Words, found: Numbers) -> None:
    """List the flows of rows. Shape: rows are records of _FLOW_ROW; found is 3 by all flows: origins, destinations, trips."""
    first = 0
    for row in range(len(rows)):
        each = rows[row]
        last = first + each.flows
        found[0, first:last] = each.origin
        unpack_numbers(words, each.cells_at, found[1, first:last])
        unpack_numbers(words, each.trips_at, found[2, first:last])
        cell = each.first
        for i in range(first, last):
            cell += found[1, i]
            found[1, i] = cell
        first = last
