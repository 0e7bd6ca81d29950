"""Windows: the record boundaries in a stretch of a stream that begins with a record."""

from dataclasses import dataclass

import numpy as np

from loader.formats.plan import FilePlan
from loader.formats.records import CR, LF, SPACE, TAB, Positions, split_records


@dataclass(frozen=True)
class Boundaries:
    """Where records end (behind their line end), and how many lines and records lie before each of these places."""

    ends: Positions
    lines: Positions
    records: Positions

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def end(self) -> int:
        """Give the last boundary."""
        return int(self.ends[-1])

    @property
    def longest(self) -> int:
        """Give the longest distance between two boundaries. Units: bytes."""
        return int(np.diff(self.ends, prepend=0).max())

    def count_within(self, size: int) -> int:
        """Count the boundaries within the first size bytes."""
        return int(np.searchsorted(self.ends, size, side="right"))

    def between(self, first: int, last: int) -> dict[str, int]:
        """Count the lines and records between two boundaries, given by their number."""
        before = (self.lines[first - 1], self.records[first - 1]) if first else (0, 0)
        return {"lines": int(self.lines[last - 1] - before[0]), "records": int(self.records[last - 1] - before[1])}


def find_boundaries(window: bytes, plan: FilePlan, *, header_lines: int) -> Boundaries:
    """Find the record boundaries of a window; more data may follow it."""
    if header_lines == 0 and plan.dialect.quote.encode() not in window:
        plain = _find_plain(window)
        if plain is not None:
            return plain
    records = split_records(
        window, plan.dialect, limit=plan.record_limit_bytes, header_lines=header_lines, is_end=False, has_fields=False
    )
    ends = records.boundaries
    return Boundaries(
        ends, np.searchsorted(records.line_starts, ends, side="right"), np.searchsorted(records.starts, ends, side="left")
    )


def _find_plain(window: bytes) -> Boundaries | None:
    """Find the boundaries where each line is a record; None where a blank line or a lone CR may make a difference."""
    buffer = np.frombuffer(window, np.uint8)
    feeds = np.flatnonzero(buffer == LF)
    if len(feeds) == 0:
        return None
    shortest = 1
    if b"\r" in window:
        shortest = 2
        paired = np.count_nonzero(buffer[feeds - 1] == CR)
        if np.count_nonzero(buffer == CR) != paired + (buffer[-1] == CR):
            return None
    if feeds[0] < shortest or (len(feeds) > 1 and int(np.diff(feeds).min()) <= shortest):
        return None
    ends = feeds + 1
    heads = buffer[np.append(0, ends[:-1])]
    if np.any((heads == SPACE) | (heads == TAB)):
        return None
    numbers = np.arange(1, len(ends) + 1)
    return Boundaries(ends, numbers, numbers)
