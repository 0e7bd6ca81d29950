"""Trip groups and flows: trips that begin in one cell, end in another and start at the same time of day.

    groups = list_groups(connection, GroupQuestion(region="Turin", precision=6, bucket_minutes=60))
    flow_map = fetch_flows(connection, FlowQuestion(viewport=parse_bbox("7.5,45,7.7,45.1"), precision=6))

CRS: WGS 84. Clock: local wall clock of the trip.
"""

from contextlib import suppress
from typing import Final

from sqlalchemy import Connection

from shared.groups.question import FlowMap, FlowQuestion, GroupQuestion, TripGroup, parse_after
from shared.index.snapshot import Filters, StaleError, fetch_filters
from shared.questions.histograms import count_hours_of_week, sum_hours
from shared.questions.weekly import WeeklyQuestion
from shared.services.database import execute

# Characters of the cells that groups are counted by in blocks; finer ones are read from the trips.
_MOST_PRECISION: Final = 9
# Groups of more trips of bare loads are chosen by the database: there may be as many of them.
_MOST_BARE: Final = 2_000_000


def list_groups(connection: Connection, question: GroupQuestion) -> list[TripGroup]:
    """List the largest trip groups. Raises: RequestError for a region or datasource that isn't there."""
    parse_after(question)
    while True:
        names = {"region": question.region, "datasource": question.datasource}
        filters = fetch_filters(connection, **names)
        if filters.first_at is None or (question.box and question.box.area().is_empty):
            return []
        with suppress(StaleError):
            return _find_groups(connection, question, filters)


def _find_groups(connection: Connection, question: GroupQuestion, filters: Filters) -> list[TripGroup]:
    from shared.groups.hourly_groups import find_groups
    from shared.groups.sub_hourly_groups import find_part_groups

    if question.precision > _MOST_PRECISION or _has_much_bare(connection, filters):
        return find_part_groups(connection, question, filters, knows_hosts=False)
    if question.bucket_minutes % 60:
        return find_part_groups(connection, question, filters)
    return find_groups(connection, question, filters)


def _has_much_bare(connection: Connection, filters: Filters) -> bool:
    trips = execute(connection, "count_bare_trips", bare_loads=filters.bare_loads).scalar_one()
    return bool(trips > _MOST_BARE)


def fetch_flows(connection: Connection, question: FlowQuestion) -> FlowMap:
    """Find the largest flows that touch the viewport. Raises: RequestError for a region or datasource that isn't there."""
    # Reading blocks brings compiled kernels: what asks no flows need not wait for those.
    from shared.groups.flow_map import fetch_largest_flows

    areas = [box.area() for box in (question.box, question.viewport) if box]
    while True:
        filters = fetch_filters(connection, region=question.region, datasource=question.datasource)
        if filters.first_at is None or any(area.is_empty for area in areas):
            return FlowMap((), (), 0, 0, question.precision)
        with suppress(StaleError):
            return fetch_largest_flows(connection, question, filters)


def fetch_hours(connection: Connection, question: FlowQuestion) -> list[int]:
    """Count trips per hour of the day, 24 numbers; the question's own hours don't filter, so that they can be chosen on it."""
    asked = WeeklyQuestion(question.region, question.datasource, question.box, question.end, weekdays=question.weekdays)
    return sum_hours(count_hours_of_week(connection, asked))
