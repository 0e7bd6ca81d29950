"""Known flows: which trips of a question are counted by the flows that runs keep, and those flows; blocks give the others.

Without a box that is all of them. With one it is those whose ends that matter lie in cells of flows that lie whole in it: only
what begins along its edge is left to read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Protocol

import numpy as np
from sqlalchemy import Connection

from shared.domain.area import AxisArea, Box
from shared.domain.clock import list_slots
from shared.domain.trip_end import End, filter_ends
from shared.index.layout import FLOW_SHIFT
from shared.kernels.bit_packing import unpack_numbers
from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Flags, Numbers, Words
from shared.services.database import stream_rows

_ALL_SLOTS: Final = tuple(range(48))
# Rows of segment_flow are a tenth of a kilobyte each.
_FLOW_ROWS: Final = 1_024


class FlowFilter(Protocol):
    """What of a question decides which flows are known; groups.question.FlowQuestion has it."""

    @property
    def end(self) -> End:
        """Which end must lie in the box."""

    @property
    def box(self) -> Box | None:
        """Where it must lie; None: anywhere."""

    @property
    def datasource(self) -> str | None:
        """The datasource; None: any."""

    @property
    def hours(self) -> list[int] | None:
        """Hours of the week that count, 0 to 167; None: all."""

    @property
    def fits_flows(self) -> bool:
        """Whether such flows are kept."""


@dataclass(frozen=True, slots=True)
class FlowCoverage:
    """What runs know of a question. area: where an end must lie for that; None: anywhere. slots: hours; None: all at once."""

    end: End
    area: AxisArea | None
    slots: Sequence[int] | None

    @classmethod
    def find(cls, question: FlowFilter, *, by_slot: bool = False) -> "FlowCoverage | None":
        """Find what runs know; None: nothing. by_slot: flows of each hour are wanted, which runs keep without datasources."""
        if not question.fits_flows or (by_slot and question.datasource is not None):
            return None
        area = question.box.area().inner(FLOW_SHIFT) if question.box else None
        if area is not None and area.is_empty:
            return None
        slots = list_slots(question.hours)
        return cls(question.end, area, _ALL_SLOTS if by_slot and slots is None else slots)

    def contains(self, origins: Numbers, destinations: Numbers) -> Flags:
        """Tell which trips are known. Shape: n positions each → n flags."""
        return (
            np.ones(len(origins), np.bool_) if self.area is None else filter_ends(self.area, origins, destinations, end=self.end)
        )

    def read_rows(
        self,
        connection: Connection,
        parameters: dict[str, object],
        *,
        view: Sequence[int] | None = None,
        is_in_order: bool = False,
    ) -> Iterator[Sequence[Any]]:
        """Read rows of segment_flow, some at a time, for count_rows. is_in_order: of origin cells.

        view: bounds of whole cells; flows with no cell in it are left out where that is easy.
        """
        bounds = self.area.bounds() if self.area else None
        parameters_ = {
            **parameters,
            "slots": None if self.slots is None else list(self.slots),
            "view_area": view or bounds,
            "first_area": bounds if self.end in ("origin", "both") else None,
            "is_in_order": is_in_order,
        }
        return stream_rows(connection, "list_segment_flows", parameters_, rows=_FLOW_ROWS)

    def count_rows(self, rows: Sequence[Any]) -> Numbers:
        """Count the known trips of rows. Shape: 4 by n, of each flow: its row, origin and destination cell, trips."""
        found = np.stack([np.repeat(np.arange(len(rows)), [row.flows for row in rows]), *read_flows([row[2:] for row in rows])])
        return found if self.area is None else found[:, self.contains(*(found[1:3] << FLOW_SHIFT))]


def read_flows(rows: Sequence[Any]) -> Numbers:
    """Read rows of segment_flow: origin cell, first destination cell, flows, and two columns of bits.

    Shape: 3 by n: origin cells, destination cells, trips.
    """
    origins, firsts, flows, cells, trips = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    sizes = np.array([len(column) // 8 for pair in zip(cells, trips, strict=True) for column in pair], np.int64)
    offsets = (np.cumsum(sizes) - sizes).reshape(-1, 2)
    table = np.column_stack([np.array([origins, firsts, flows], np.int64).T, offsets])
    words = np.frombuffer(b"".join([*chain.from_iterable(zip(cells, trips, strict=True)), bytes(8)]), np.uint64)
    found = np.empty((3, int(table[:, 2].sum())), np.int64)
    _list_flows(table, words, found)
    return found


@compile_kernel
def _list_flows(rows: Numbers, words: Words, found: Numbers) -> None:
    """List the flows of rows of segment_flow: origin cell, first destination cell, flows, words where cells and trips begin.

    Shape: found is 3 by all flows: origin cells, destination cells, trips.
    """
    first = 0
    for row in range(len(rows)):
        last = first + rows[row, 2]
        found[0, first:last] = rows[row, 0]
        unpack_numbers(words, rows[row, 3], found[1, first:last])
        unpack_numbers(words, rows[row, 4], found[2, first:last])
        cell = rows[row, 1]
        for i in range(first, last):
            cell += found[1, i]
            found[1, i] = cell
        first = last
