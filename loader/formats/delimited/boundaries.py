"""Boundaries: the offsets at which records end in a window, a piece of a stream that begins with a record.

A boundary is the offset after a record's line end. Where each line is a record, boundaries are searched on demand; elsewhere
the window's records are split to find them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loader.formats.model.plan import FilePlan
from loader.formats.text.kernels import count_plain_lines
from loader.formats.text.records import LF, Offsets, split_records

# Larger windows occur only for a record of that length.
_PLAIN_BYTES = 2**20
_LOOK_BACK = 4_096
# A byte that no text has; a file that has it is read record by record.
_NO_QUOTE = "\0"


@dataclass(frozen=True)
class PlainLines:
    """A window in which each line is one record. lines: how many end in it."""

    buffer: npt.NDArray[np.uint8]
    lines: int

    @property
    def longest(self) -> int:
        """Return a size that no record passes. Units: bytes."""
        return len(self.buffer)

    @property
    def end(self) -> int:
        """Return the last boundary; 0 where there is none."""
        return self.last_within(len(self.buffer))

    def last_within(self, size: int) -> int:
        """Return the last boundary within the first size bytes; 0 where there is none."""
        high = min(size, len(self.buffer))
        while high > 0:
            low = max(high - _LOOK_BACK, 0)
            line_feeds = np.flatnonzero(self.buffer[low:high] == LF)
            if len(line_feeds):
                return low + int(line_feeds[-1]) + 1
            high = low
        return 0

    def first_after(self, place: int) -> int:
        """Return the first boundary behind a place; there is one."""
        return place + int(np.argmax(self.buffer[place:] == LF)) + 1

    def between(self, first: int, last: int) -> dict[str, int]:
        """Count the lines and records between two boundaries."""
        is_all = first == 0 and last == self.end
        count = self.lines if is_all else int(np.count_nonzero(self.buffer[first:last] == LF))
        return {"lines": count, "records": count}


@dataclass(frozen=True)
class Boundaries:
    """Offsets at which records end, with the number of lines and records before each; the same methods as PlainLines."""

    ends: Offsets
    lines: Offsets
    records: Offsets

    @property
    def longest(self) -> int:
        """Return the longest distance between two boundaries. Units: bytes."""
        return int(np.diff(self.ends, prepend=0).max(initial=0))

    @property
    def end(self) -> int:
        """Return the last boundary; 0 where there is none."""
        return int(self.ends[-1]) if len(self.ends) else 0

    def last_within(self, size: int) -> int:
        """Return the last boundary within the first size bytes; 0 where there is none."""
        count = int(np.searchsorted(self.ends, size, side="right"))
        return int(self.ends[count - 1]) if count else 0

    def first_after(self, place: int) -> int:
        """Return the first boundary behind a place; there is one."""
        return int(self.ends[np.searchsorted(self.ends, place, side="right")])

    def between(self, first: int, last: int) -> dict[str, int]:
        """Count the lines and records between two boundaries."""
        before, behind = np.searchsorted(self.ends, [first, last], side="right").tolist()
        return {"lines": _count(self.lines, before, behind), "records": _count(self.records, before, behind)}


def find_boundaries(window: memoryview, plan: FilePlan, *, header_lines: int) -> PlainLines | Boundaries:
    """Find the record boundaries of a window; more data may follow it."""
    if header_lines == 0 and len(window) <= _PLAIN_BYTES:
        buffer = np.frombuffer(window, np.uint8)
        lines = count_plain_lines(buffer, ord(plan.dialect.quote or _NO_QUOTE))
        if lines >= 0:
            return PlainLines(buffer, lines)
    records = split_records(
        bytes(window), plan.dialect, limit=plan.record_limit_bytes, header_lines=header_lines, is_end=False, has_fields=False
    )
    ends = records.boundaries
    return Boundaries(
        ends, np.searchsorted(records.line_starts, ends, side="right"), np.searchsorted(records.starts, ends, side="left")
    )


def _count(counts: Offsets, before: int, behind: int) -> int:
    return int(counts[behind - 1] if behind else 0) - int(counts[before - 1] if before else 0)
