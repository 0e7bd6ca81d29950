"""One trip group in detail: its weeks, the hours of the day between its two cells, and some of its trips.

    detail = fetch_group(connection, GroupDetailQuestion(origin_cell="u0j2w1", destination_cell="u0j2w2", bucket_minute=480))

Filters are those of the list of groups, so that a group counts the same here and there.

CRS: WGS 84. Clock: local wall clock of the trip.
"""

from collections import Counter
from datetime import date, timedelta

from sqlalchemy import Connection

from shared.groups.detail_question import GroupDetail, GroupDetailQuestion, SampleTrip
from shared.groups.detail_times import GroupTimes
from shared.index.snapshot import Reader, open_snapshot, retry_stale
from shared.index.trip_areas import area_parameters
from shared.services.database import execute, preferring_indexes


@retry_stale
def fetch_group(connection: Connection, question: GroupDetailQuestion) -> GroupDetail:
    """Look at one trip group. Raises: RequestError for a region or datasource that isn't there."""
    reader = open_snapshot(connection, region=question.region, datasource=question.datasource)
    if reader.trips.first_on is None or (question.grid_area and question.grid_area.is_empty):
        return GroupDetail(0, (), (0,) * 24, ())
    detail = _look(reader, question, GroupTimes.find(reader, question))
    reader.check(has_read_all=True)
    return detail


def _look(reader: Reader, question: GroupDetailQuestion, times: GroupTimes) -> GroupDetail:
    """Merge the counts from blocks with those of unindexed loads."""
    parameters = {
        **_parameters(reader, question),
        **reader.trips.name_parameters,
        "unindexed_loads": reader.snapshot.unindexed_loads,
        "started_from": times.find_newest(question.samples),
    }
    weeks, hours = times.weeks, times.hours
    connection = reader.connection
    with preferring_indexes(connection):
        for row in execute(connection, "count_group", **parameters) if reader.snapshot.unindexed_loads else ():
            hours[row.hour] += row.trips
            if row.is_in_bucket:
                weeks[row.week] += row.trips
        samples = execute(connection, "list_group_trips", **parameters, limit=question.samples).mappings().all()
    return GroupDetail(
        weeks.total(), _fill_weeks(weeks), tuple(hours[hour] for hour in range(24)), tuple(SampleTrip(**row) for row in samples)
    )


def _parameters(reader: Reader, question: GroupDetailQuestion) -> dict[str, object]:
    origin, destination = question.origin_range, question.destination_range
    cells: dict[str, object] = {
        "origin_low": origin[0],
        "origin_high": origin[1],
        "destination_low": destination[0],
        "destination_high": destination[1],
    }
    return {
        **cells,
        "bucket_minute": question.bucket_minute,
        "bucket_minutes": question.bucket_minutes,
        "hours": question.hours,
        **area_parameters(reader.connection, question.grid_area, question.end, cells=cells),
    }


def _fill_weeks(weeks: Counter[date]) -> tuple[tuple[date, int], ...]:
    if not weeks:
        return ()
    first, last = min(weeks), max(weeks)
    mondays = (first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1))
    return tuple((monday, weeks[monday]) for monday in mondays)
