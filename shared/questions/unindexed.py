"""Unindexed loads: their trips are in no block, and are read one by one."""

from typing import NamedTuple

from shared.domain.area import GridArea
from shared.domain.trip_end import End
from shared.index.scan import CountBy
from shared.index.snapshot import Reader
from shared.index.trip_areas import area_parameters
from shared.platform.arrays import Numbers
from shared.questions.period import Period
from shared.services.database import execute


class AreaFilter(NamedTuple):
    """Which trips count: those with that end in the area."""

    area: GridArea
    end: End


def add_unindexed(reader: Reader, period: Period, counts: Numbers, *, by: CountBy, area: AreaFilter | None = None) -> None:
    """Add the trips of unindexed loads on the days of a period. Shape: counts as make_counts. Raises: StaleError."""
    if not reader.snapshot.unindexed_loads:
        return
    rows = execute(
        reader.connection,
        "count_unindexed_times",
        **reader.trips.name_parameters,
        **area_parameters(
            reader.connection, area.area if area else None, area.end if area else "origin", loads=reader.snapshot.unindexed_loads
        ),
        unindexed_loads=reader.snapshot.unindexed_loads,
        from_on=period.from_on,
        to_on=period.to_on,
        hours=period.hours,
        by=by,
    ).all()
    for row in rows:
        counts[0 if by == "duration" else (row.week - period.first_week).days // 7, row.column] += row.trips
    # Trips that were removed meanwhile are missing.
    reader.check()
