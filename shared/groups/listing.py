"""Trip groups and flows: trips that begin in one cell, end in another and start at the same time of day.

    groups = list_groups(connection, GroupQuestion(region="Turin", precision=6, bucket_minutes=60))
    flow_map = fetch_flows(connection, FlowQuestion(viewport=parse_bbox("7.5,45,7.7,45.1"), precision=6))

CRS: WGS 84. Clock: local wall clock of the trip.
"""

from typing import Final

from sqlalchemy import Connection

from shared.groups.counted_groups import find_groups
from shared.groups.flow_map import fetch_largest_flows
from shared.groups.question import FlowMap, FlowQuestion, GroupQuestion, TripGroup, parse_after
from shared.groups.unindexed_groups import select_groups
from shared.index.snapshot import open_snapshot, retry_stale
from shared.questions.histograms import count_hours_of_week, sum_hours
from shared.questions.weekly import WeeklyQuestion

# Above so many trips in unindexed loads the database selects the groups: there may be as many groups as trips.
_MOST_UNINDEXED: Final = 2_000_000


@retry_stale
def list_groups(connection: Connection, question: GroupQuestion) -> list[TripGroup]:
    """List the largest trip groups. Raises: RequestError for a region or datasource that isn't there."""
    parse_after(question)
    reader = open_snapshot(connection, region=question.region, datasource=question.datasource)
    if reader.trips.first_on is None or (question.grid_area and question.grid_area.is_empty):
        return []
    is_indexed = reader.snapshot.unindexed_trips <= _MOST_UNINDEXED
    return find_groups(reader, question) if is_indexed else select_groups(reader, question)


@retry_stale
def fetch_flows(connection: Connection, question: FlowQuestion) -> FlowMap:
    """Find the largest flows that touch the viewport. Raises: RequestError for a region or datasource that isn't there."""
    areas = [area.on_grid() for area in (question.area, question.viewport) if area]
    reader = open_snapshot(connection, region=question.region, datasource=question.datasource)
    if reader.trips.first_on is None or any(area.is_empty for area in areas):
        return FlowMap((), (), 0, 0, question.precision)
    return fetch_largest_flows(reader, question)


def fetch_hours(connection: Connection, question: FlowQuestion) -> list[int]:
    """Count trips per hour of the day, 24 numbers; the question's own hours do not filter."""
    any_hour = WeeklyQuestion(question.region, question.datasource, question.area, question.end, weekdays=question.weekdays)
    return sum_hours(count_hours_of_week(connection, any_hour))
