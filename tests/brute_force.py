"""Answers by looking at every trip, on the steps of the two axes: what the questions' SQL must equal.

Nothing here uses masks, z order, cells' nesting or SQL.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from shared.areas.shape import Shape
from shared.domain.area import Area, Box
from shared.domain.position import AXIS_STEPS, format_geohash, gather_axis, parse_geohash, quantise_latitude, quantise_longitude
from shared.groups.question import FlowQuestion, GroupQuestion
from shared.questions.weekly import WeekCount, WeeklyQuestion
from tests.trip_maker import MadeTrip

_WEEK = timedelta(days=7)


def is_in_box(position: int, box: Box) -> bool:
    x, y = gather_axis(position >> 1), gather_axis(position)
    west, east = quantise_longitude(box.west), quantise_longitude(box.east)
    is_between = west <= x <= east if box.west <= box.east else x >= west or x <= east
    return is_between and quantise_latitude(box.south) <= y <= quantise_latitude(box.north)


def quantise_vertex(longitude: float, latitude: float) -> tuple[int, int]:
    """Axis steps of a vertex; beyond 180 degrees they go on."""
    turns = 0 if -180 <= longitude <= 180 else int((longitude + 180) // 360)
    # As trips' longitudes are rounded, but for whole turns, which the sum rounds itself.
    x = quantise_longitude(longitude) if not turns else math.floor((longitude + 180.0) / 360.0 * AXIS_STEPS)
    return x, quantise_latitude(latitude)


def is_in_shape(position: int, shape: Shape) -> bool:
    """Whether a position, moved by whole turns of the Earth or not, lies on an edge of a shape or in an odd number of rings."""
    x, y = gather_axis(position >> 1), gather_axis(position)
    is_inside = False
    for ring in shape.rings:
        for (ax, ay), (bx, by) in pairwise(quantise_vertex(*vertex) for vertex in ring.tolist()):
            for moved in (x + turn * AXIS_STEPS for turn in (-2, -1, 0, 1, 2)):
                side = (bx - ax) * (y - ay) - (moved - ax) * (by - ay)
                if side == 0 and min(ax, bx) <= moved <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
                    return True
                if (ay <= y) != (by <= y) and (side > 0) == (by > ay):
                    is_inside = not is_inside
    return is_inside


def is_in_area(position: int, area: Area) -> bool:
    if isinstance(area, Shape):
        return is_in_shape(position, area)
    assert isinstance(area, Box)
    return is_in_box(position, area)


def is_counted(trip: MadeTrip, area: Area | None, end: str) -> bool:
    if area is None:
        return True
    origin, destination = is_in_area(trip.origin, area), is_in_area(trip.destination, area)
    return {"origin": origin, "destination": destination, "both": origin and destination, "either": origin or destination}[end]


def filter_trips(trips: Iterable[MadeTrip], region: str | None, datasource: str | None) -> list[MadeTrip]:
    return [
        trip
        for trip in trips
        if (region is None or trip.region == region) and (datasource is None or trip.datasource == datasource)
    ]


def is_on_time(trip: MadeTrip, question: WeeklyQuestion | FlowQuestion) -> bool:
    hour, first, last = trip.started_at.hour, question.hour_from, question.hour_to
    is_in_hours = first <= hour < last if first < last else hour >= first or hour < last
    return is_in_hours and trip.started_at.isoweekday() in question.weekdays


def monday(day: date) -> date:
    return day - timedelta(days=day.isoweekday() - 1)


def count_weeks(trips: Sequence[MadeTrip], question: WeeklyQuestion) -> tuple[WeekCount, ...]:
    known = filter_trips(trips, question.region, question.datasource)
    days = sorted(trip.started_at.date() for trip in known)
    if not days and not (question.from_on and question.to_on):
        return ()
    from_on = question.from_on or monday(days[0])
    to_on = question.to_on or monday(days[-1]) + timedelta(days=6)
    counts = Counter(
        monday(trip.started_at.date())
        for trip in known
        if from_on <= trip.started_at.date() <= to_on
        and is_counted(trip, question.area, question.end)
        and is_on_time(trip, question)
    )
    return tuple(
        WeekCount(week, counts[week], is_partial=_is_partial(week, (from_on, to_on), days))
        for week in _list_weeks(from_on, to_on)
    )


def _list_weeks(from_on: date, to_on: date) -> Iterator[date]:
    week = monday(from_on)
    while week <= to_on and from_on <= to_on:
        yield week
        week += _WEEK


def _is_partial(week: date, period: tuple[date, date], days: Sequence[date]) -> bool:
    starts, ends = [period[0], *days[:1]], [period[1], *days[-1:]]
    inner = {week + timedelta(days=number) for number in range(7)}
    return any(day in inner and day != week for day in starts) or any(day in inner and day.isoweekday() != 7 for day in ends)


def count_groups(trips: Sequence[MadeTrip], question: GroupQuestion) -> dict[tuple[str, str, str, int], list[MadeTrip]]:
    """Trips per region, origin geohash, destination geohash and first minute of the bucket."""
    groups: dict[tuple[str, str, str, int], list[MadeTrip]] = defaultdict(list)
    for trip in _filter_hours(trips, question):
        minute = trip.started_at.hour * 60 + trip.started_at.minute
        bucket = minute // question.bucket_minutes * question.bucket_minutes
        groups[(trip.region, *_name_cells(trip, question.precision), bucket)].append(trip)
    return groups


def count_flows(trips: Sequence[MadeTrip], question: FlowQuestion) -> Counter[tuple[str, str]]:
    """Trips per origin geohash and destination geohash."""
    return Counter(_name_cells(trip, question.precision) for trip in _filter_hours(trips, question))


def count_hours(trips: Sequence[MadeTrip], question: FlowQuestion) -> list[int]:
    known = filter_trips(trips, question.region, question.datasource)
    hours = Counter(
        trip.started_at.hour
        for trip in known
        if is_counted(trip, question.area, question.end) and trip.started_at.isoweekday() in question.weekdays
    )
    return [hours[hour] for hour in range(24)]


def list_weekly_trips(trips: Sequence[MadeTrip], question: WeeklyQuestion) -> list[MadeTrip]:
    """Trips that a weekly question counts."""
    return [
        trip
        for trip in filter_trips(trips, question.region, question.datasource)
        if is_counted(trip, question.area, question.end)
        and is_on_time(trip, question)
        and (question.from_on is None or trip.started_at.date() >= question.from_on)
        and (question.to_on is None or trip.started_at.date() <= question.to_on)
    ]


def cell_touches_box(geohash: str, box: Box) -> bool:
    """Whether any step of a cell lies in a box."""
    low = parse_geohash(geohash) << 62 - 5 * len(geohash)
    high = low | (1 << 62 - 5 * len(geohash)) - 1
    west, east = quantise_longitude(box.west), quantise_longitude(box.east)
    x_low, x_high = gather_axis(low >> 1), gather_axis(high >> 1)
    y_low, y_high = gather_axis(low), gather_axis(high)
    touches_x = x_low <= east and x_high >= west if box.west <= box.east else x_high >= west or x_low <= east
    return touches_x and y_low <= quantise_latitude(box.north) and y_high >= quantise_latitude(box.south)


def _filter_hours(trips: Sequence[MadeTrip], question: FlowQuestion) -> Iterator[MadeTrip]:
    for trip in filter_trips(trips, question.region, question.datasource):
        if is_on_time(trip, question) and is_counted(trip, question.area, question.end):
            yield trip


def _name_cells(trip: MadeTrip, precision: int) -> tuple[str, str]:
    shift = 62 - 5 * precision
    return format_geohash(trip.origin >> shift, precision), format_geohash(trip.destination >> shift, precision)
