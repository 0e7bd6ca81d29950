"""Detail times: when the trips of a group began, to the minute, from the blocks of their origins.

    times = GroupTimes.find(reader, question)
    times.weeks, times.hours, times.find_newest(20)

Reading the trips themselves took 5 s at 100 million trips.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Self

import numpy as np

from shared.domain.area import AxisArea
from shared.domain.position import POSITION_BITS, gather_axis
from shared.domain.trip_end import filter_ends
from shared.groups.detail_question import GroupDetailQuestion
from shared.groups.question import DAY_MINUTES
from shared.index.layout import ANY, HOURS, INSIDE
from shared.index.scan import ScanFilter
from shared.index.snapshot import Reader
from shared.index.trip_scan import ReachedCells, find_uncovered_trips, stream_trip_blocks
from shared.platform.arrays import Numbers

_FIRST_MINUTE: Final = datetime(1, 1, 1)  # noqa: DTZ001 - a wall clock
_HOUR_MINUTES: Final = 60


@dataclass(frozen=True, slots=True)
class GroupTimes:
    """Minutes since 0001-01-01 of all trips between two cells, and of the group's among them. Clock: local wall clock."""

    between: Numbers
    of_group: Numbers

    @classmethod
    def find(cls, reader: Reader, question: GroupDetailQuestion) -> Self:
        """Read the blocks of all loads except unindexed ones. Raises: StaleError."""
        cells = question.origin_range, question.destination_range
        scan_filter = ScanFilter(_make_area(cells[0]), question.hours, date.min, date.max)
        found = [np.empty(0, np.int64)]
        shift = POSITION_BITS - 5 * len(question.destination_cell)
        reached = ReachedCells(shift, destinations=np.array([cells[1][0] >> shift]))
        found_blocks = stream_trip_blocks(reader, scan_filter, tests=(INSIDE, ANY), cells=reached, has_minutes=True)
        for blocks in found_blocks:
            origins, destinations, _, minutes = find_uncovered_trips(blocks, scan_filter, None)
            is_selected = (destinations >= cells[1][0]) & (destinations <= cells[1][1])
            if question.area:
                is_selected &= filter_ends(question.area.on_grid(), origins, destinations, end=question.end)
            found.append(minutes[is_selected])
        between = np.concatenate(found)
        if question.bucket_minute is None:
            return cls(between, between)
        is_in_bucket = between % DAY_MINUTES // question.bucket_minutes == question.bucket_minute // question.bucket_minutes
        return cls(between, between[is_in_bucket])

    @property
    def weeks(self) -> Counter[date]:
        """Trips of the group per Monday."""
        weeks, trips = np.unique(self.of_group // (HOURS * _HOUR_MINUTES), return_counts=True)
        return Counter(
            {date.min + timedelta(weeks=week): count for week, count in zip(weeks.tolist(), trips.tolist(), strict=True)}
        )

    @property
    def hours(self) -> Counter[int]:
        """Trips between the cells per hour of the day."""
        return Counter(dict(enumerate(np.bincount(self.between % DAY_MINUTES // _HOUR_MINUTES, minlength=24).tolist())))

    def find_newest(self, trips: int) -> datetime | None:
        """Find the minute since which so many trips of the group began at least; None where it has fewer."""
        if len(self.of_group) < trips:
            return None
        index = len(self.of_group) - trips
        return _FIRST_MINUTE + timedelta(minutes=int(np.partition(self.of_group, index)[index]))


def _make_area(cell: tuple[int, int]) -> AxisArea:
    (x_low, x_high), (y_low, y_high) = ([gather_axis(end >> shift) for end in cell] for shift in (1, 0))
    return AxisArea(((x_low, x_high),), (y_low, y_high))
