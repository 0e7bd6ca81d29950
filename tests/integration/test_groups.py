"""Trip groups, flows, hours and density: each rule, and equality with brute force on random trips."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from statistics import fmean
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from shared.compaction.merger import Sizes
from shared.compaction.segments import create_segment
from shared.domain.area import Box
from shared.domain.position import cell_box, decode_position, format_geohash
from shared.domain.trip_end import ENDS, End
from shared.groups import listing
from shared.groups.detail import fetch_group
from shared.groups.detail_question import GroupDetailQuestion
from shared.groups.listing import fetch_flows, fetch_hours, list_groups
from shared.groups.ordered_counter import OrderedCounter
from shared.groups.question import FlowQuestion, GroupQuestion, TripGroup
from shared.index.snapshot import cache_index
from shared.platform.errors import RequestError, TransientError
from shared.platform.settings import Settings
from shared.questions.catalog import fetch_extent, list_datasources, list_regions
from shared.questions.density import fetch_density
from shared.services.database import connect_database, transaction
from tests.brute_force import cell_touches_box, count_flows, count_groups, count_hours, monday
from tests.random_shapes import draw_area
from tests.random_trips import DATASOURCES, MONDAY, REGIONS, TURIN, draw_box, draw_times, draw_trips, make_trip
from tests.trip_maker import KINDS, Kinds, MadeTrip, insert_trips

CENTRE = (7.686, 45.07)
STATION = (7.678, 45.062)
AIRPORT = (7.6496, 45.2008)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = cache_index(connect_database(Settings(database_url=database_url)), mib=256)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with transaction(engine) as connection:
        yield connection


def test_a_group_reports_count_mean_ends_first_last_and_datasources(connection: Connection) -> None:
    origins = [(7.6700001, 45.0700001), (7.6710001, 45.0705001), (7.6705, 45.0702)]
    trips = [
        make_trip(MONDAY + timedelta(days=2 - number), minute=number, origin=origin, datasource=DATASOURCES[number % 2])
        for number, origin in enumerate(origins)
    ]
    insert_trips(connection, [*trips, make_trip(MONDAY, hour=13)])
    largest, other = list_groups(connection, GroupQuestion())
    assert (largest.trips, largest.region, largest.bucket_minute) == (3, "Turin", 720)
    assert (other.trips, other.bucket_minute) == (1, 780)
    assert largest.origin_longitude == pytest.approx(fmean(longitude for longitude, _ in origins), abs=1e-6)
    assert largest.origin_latitude == pytest.approx(fmean(latitude for _, latitude in origins), abs=1e-6)
    assert (largest.destination_longitude, largest.destination_latitude) == (
        pytest.approx(7.7, abs=1e-6),
        pytest.approx(45.1, abs=1e-6),
    )
    assert (largest.first_on, largest.last_on) == (trips[2].started_at.date(), trips[0].started_at.date())
    assert largest.datasources == ("baba_car", "funny_car")
    assert largest.origin_cell == format_geohash(trips[0].origin >> 32, 6)
    assert largest.to_json()["first_on"] == trips[2].started_at.date().isoformat()


def test_equal_groups_of_two_regions_stay_apart(connection: Connection) -> None:
    insert_trips(connection, [make_trip(MONDAY), make_trip(MONDAY, region="Prague")])
    assert [group.region for group in list_groups(connection, GroupQuestion())] == ["Prague", "Turin"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_location_has_its_trips_in_out_and_internal(connection: Connection, kind: Kinds) -> None:
    ways = {(CENTRE, AIRPORT): 5, (AIRPORT, CENTRE): 3, (CENTRE, CENTRE): 2, (STATION, AIRPORT): 1}
    trips = [make_trip(MONDAY, origin=start, destination=end) for (start, end), trips in ways.items() for _ in range(trips)]
    insert_trips(connection, trips, kind=kind)
    flow_map = fetch_flows(connection, FlowQuestion(limit=1))
    assert [flow.trips for flow in flow_map.flows] == [5]
    assert (flow_map.trips, flow_map.shown_trips) == (11, 5)
    centre, airport = (
        next(e for e in flow_map.locations if e.id == flow) for flow in (flow_map.flows[0].origin, flow_map.flows[0].destination)
    )
    assert (centre.in_trips, centre.out_trips, centre.internal_trips) == (3, 5, 2)
    assert (airport.in_trips, airport.out_trips, airport.internal_trips) == (6, 3, 0)
    assert (centre.longitude, centre.latitude) == (pytest.approx(CENTRE[0], abs=0.006), pytest.approx(CENTRE[1], abs=0.003))
    assert flow_map.to_json()["flows"][0]["trips"] == 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_viewport_shows_flows_with_a_cell_in_it_whole(connection: Connection, kind: Kinds) -> None:
    far = (14.4, 50.1)
    trips = [
        make_trip(MONDAY, origin=start, destination=end)
        for start, end in [(TURIN, far), (far, TURIN), (far, far), (TURIN, TURIN)]
    ]
    insert_trips(connection, trips, kind=kind)
    flow_map = fetch_flows(connection, FlowQuestion(viewport=Box(7.66, 45.06, 7.661, 45.061), precision=4))
    assert len(flow_map.flows) == 3
    assert flow_map.trips == 4
    assert len(fetch_flows(connection, FlowQuestion(viewport=Box(0, 0, 1, 1))).flows) == 0


def test_hours_from_late_to_early_pass_midnight(connection: Connection) -> None:
    insert_trips(connection, [make_trip(MONDAY, hour=hour) for hour in (0, 5, 12, 22, 23)])
    assert fetch_flows(connection, FlowQuestion(hour_from=22, hour_to=6)).trips == 4
    assert fetch_flows(connection, FlowQuestion(hour_from=5, hour_to=12)).trips == 1
    assert fetch_hours(connection, FlowQuestion(hour_from=5, hour_to=12)) == [
        int(hour in (0, 5, 12, 22, 23)) for hour in range(24)
    ]


def test_runs_keep_flows_per_hour_where_trips_are_many_to_each(connection: Connection) -> None:
    insert_trips(connection, [make_trip(MONDAY, hour=hour) for hour in (7, 8) for _ in range(40)], kind="compacted")
    assert connection.exec_driver_sql("select has_hours from segment").scalar_one()
    connection.exec_driver_sql("delete from trip")
    assert fetch_flows(connection, FlowQuestion(hour_from=8, hour_to=9)).trips == 40
    assert fetch_flows(connection, FlowQuestion(datasource="baba_car")).trips == 80


@pytest.mark.parametrize("end", ENDS)
def test_a_box_over_whole_cells_counts_stored_flows(connection: Connection, end: End) -> None:
    west, south, east, north = cell_box(make_trip(MONDAY).origin >> 32, 32)
    box = Box(west - 0.0001, south - 0.0001, east + 0.0001, north + 0.0001)
    inside, outside = ((west + east) / 2, (south + north) / 2), (west - 0.1, north)
    ways = [(inside, inside), (inside, outside), (outside, inside), (outside, outside)]
    insert_trips(connection, [make_trip(MONDAY, origin=o, destination=d) for o, d in ways for _ in range(40)], kind="compacted")
    if end == "origin":
        # All blocks lie whole inside or outside; bits that were read anyhow would be missed.
        connection.exec_driver_sql("update segment_block set bits = ''")
    expected = {"origin": 2, "destination": 2, "both": 1, "either": 3}[end]
    for question in (FlowQuestion(area=box, end=end), FlowQuestion(area=box, end=end, hour_from=12, hour_to=13)):
        flow_map = fetch_flows(connection, question)
        assert [flow.trips for flow in flow_map.flows] == [40] * expected
        assert flow_map.trips == 40 * expected


def test_damaged_bits_end_with_an_error(connection: Connection) -> None:
    insert_trips(connection, [make_trip(MONDAY)] * 40, kind="compacted")
    connection.exec_driver_sql("update segment_block set bits = ''")
    with pytest.raises(TransientError, match="tripdeck check"):
        fetch_flows(connection, FlowQuestion(precision=8))


@pytest.mark.parametrize("kind", KINDS)
def test_density_takes_the_finest_cells_that_fit(connection: Connection, kind: Kinds) -> None:
    trips = [make_trip(MONDAY, origin=(7.6 + 0.0001 * number, 45.0)) for number in range(100)]
    insert_trips(connection, [*trips, trips[0]], kind=kind)
    fine = fetch_density(connection)
    assert sum(cell.trips for cell in fine) == 101
    assert len(fine) > 10
    coarse = fetch_density(connection, limit=3)
    assert sum(cell.trips for cell in coarse) == 101
    assert len(coarse) <= 3
    assert (fine[0].longitude, fine[0].latitude) == (pytest.approx(7.605, abs=0.006), pytest.approx(45.0, abs=0.0003))
    near = fetch_density(connection, viewport=Box(7.6, 44.9, 7.601, 45.1))
    assert 10 <= sum(cell.trips for cell in near) <= 20
    assert fetch_density(connection, viewport=Box(0, 0, 1, 1)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_extent_is_the_box_of_all_origins(connection: Connection, kind: Kinds) -> None:
    assert fetch_extent(connection) is None
    insert_trips(connection, [make_trip(MONDAY, origin=origin) for origin in [(7.5, 45.2), (14.4, 44.9), (9.0, 50.0)]], kind=kind)
    extent = fetch_extent(connection)
    assert extent is not None
    assert (extent.west, extent.south, extent.east, extent.north) == tuple(
        pytest.approx(edge, abs=1e-6) for edge in (7.5, 44.9, 14.4, 50.0)
    )


def test_regions_and_datasources_come_with_trips_and_times(connection: Connection) -> None:
    first, last = make_trip(MONDAY), make_trip(MONDAY + timedelta(days=9))
    insert_trips(connection, [first, last, make_trip(MONDAY, region="Prague", datasource="funny_car")])
    assert list_regions(connection) == [
        {"name": "Turin", "trips": 2, "first_at": first.started_at, "last_at": last.started_at},
        {"name": "Prague", "trips": 1, "first_at": first.started_at, "last_at": first.started_at},
    ]
    assert [source["name"] for source in list_datasources(connection)] == ["baba_car", "funny_car"]


def test_without_trips_everything_is_empty(connection: Connection) -> None:
    assert list_groups(connection, GroupQuestion()) == []
    assert fetch_flows(connection, FlowQuestion()).to_json()["trips"] == 0
    assert fetch_hours(connection, FlowQuestion()) == [0] * 24
    assert fetch_density(connection) == []


@pytest.mark.parametrize(
    ("question", "parameter"),
    [
        ({"precision": 0}, "precision"),
        ({"precision": 13}, "precision"),
        ({"bucket_minutes": 7}, "bucket_minutes"),
        ({"bucket_minutes": 0}, "bucket_minutes"),
        ({"hour_from": -1}, "hour_from"),
        ({"hour_to": 25}, "hour_to"),
        ({"hour_from": 3, "hour_to": 3}, "hour_to"),
        ({"weekdays": frozenset()}, "weekdays"),
        ({"weekdays": frozenset({0})}, "weekdays"),
        ({"limit": 0}, "limit"),
        ({"end": "middle"}, "end"),
    ],
)
def test_a_question_without_sense_names_its_parameter(question: dict[str, Any], parameter: str) -> None:
    with pytest.raises(RequestError) as caught:
        GroupQuestion(**question)
    assert caught.value.parameter == parameter


# Equality with brute force.


def draw_filters(dice: random.Random, trips: list[MadeTrip]) -> dict[str, Any]:
    return {
        "region": dice.choice([None, None, *REGIONS]),
        "datasource": dice.choice([None, None, None, *DATASOURCES]),
        "area": draw_area(dice, trips) if dice.random() < 0.5 else None,
        "end": dice.choice(ENDS),
        "precision": dice.choice([1, 3, 4, 5, 6, 7, 9, 12]),
        **draw_times(dice),
        "limit": dice.choice([1, 5, 1000]),
    }


def check_groups(connection: Connection, trips: list[MadeTrip], question: GroupQuestion) -> None:
    expected = count_groups(trips, question)
    found = list_groups(connection, question)
    sizes = sorted((len(group) for group in expected.values()), reverse=True)
    assert [group.trips for group in found] == sizes[: question.limit]
    if len(sizes) > question.limit:
        following = list_groups(connection, replace(question, after=found[-1].token))
        assert [group.trips for group in following] == sizes[question.limit : 2 * question.limit]
        assert not {group.token for group in following} & {group.token for group in found}
    if found:
        check_detail(connection, found[0], question)
    for group in found:
        check_group(group, expected[group.region, group.origin_cell, group.destination_cell, group.bucket_minute])


def check_group(group: TripGroup, members: list[MadeTrip]) -> None:
    assert group.trips == len(members)
    assert group.first_on == min(trip.started_at for trip in members).date()
    assert group.last_on == max(trip.started_at for trip in members).date()
    assert group.datasources == tuple(sorted({trip.datasource for trip in members}))
    for end in ("origin", "destination"):
        points = [decode_position(getattr(trip, end)) for trip in members]
        assert getattr(group, f"{end}_longitude") == pytest.approx(fmean(longitude for longitude, _ in points), abs=1e-9)
        assert getattr(group, f"{end}_latitude") == pytest.approx(fmean(latitude for _, latitude in points), abs=1e-9)


def check_detail(connection: Connection, group: TripGroup, question: GroupQuestion) -> None:
    """The detail counts what the list counts; its hours are those of the same cells without times of day."""
    asked = GroupDetailQuestion(
        origin_cell=group.origin_cell,
        destination_cell=group.destination_cell,
        bucket_minute=group.bucket_minute,
        bucket_minutes=question.bucket_minutes,
        region=group.region,
        datasource=question.datasource,
        area=question.area,
        end=question.end,
        hour_from=question.hour_from,
        hour_to=question.hour_to,
        weekdays=question.weekdays,
        samples=2,
    )
    detail = fetch_group(connection, asked)
    assert detail.trips == sum(trips for _, trips in detail.weeks) == group.trips
    assert detail.samples[0].started_at.date() == group.last_on
    assert len(detail.samples) == min(2, group.trips)
    assert detail.weeks[0][0] == monday(group.first_on)
    assert sum(detail.hours) == fetch_group(connection, replace(asked, bucket_minute=None)).trips


def check_flows(connection: Connection, trips: list[MadeTrip], question: FlowQuestion) -> None:
    expected = count_flows(trips, question)
    found = fetch_flows(connection, question)
    assert found.trips == expected.total()
    view = question.viewport
    seen = {flow: n for flow, n in expected.items() if view is None or any(cell_touches_box(cell, view) for cell in flow)}
    assert [flow.trips for flow in found.flows] == sorted(seen.values(), reverse=True)[: question.limit]
    assert all(seen[flow.origin, flow.destination] == flow.trips for flow in found.flows)
    if len(seen) > question.limit:
        following = fetch_flows(connection, replace(question, after=found.flows[-1].token)).flows
        assert [flow.trips for flow in following] == sorted(seen.values(), reverse=True)[question.limit : 2 * question.limit]
        assert not set(following) & set(found.flows)
    out_trips, in_trips = Counter[str](), Counter[str]()
    for (origin, destination), n in seen.items():
        out_trips[origin] += n
        in_trips[destination] += n
    assert {location.id for location in found.locations} == {
        cell for flow in found.flows for cell in (flow.origin, flow.destination)
    }
    for location in found.locations:
        internal = seen.get((location.id, location.id), 0)
        assert location.internal_trips == internal
        assert location.out_trips == out_trips[location.id] - internal
        assert location.in_trips == in_trips[location.id] - internal


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), size=st.integers(1, 200), loads=st.integers(1, 3), packed=st.integers(0, 3))
@example(seed=1, size=200, loads=3, packed=2)
def test_answers_equal_brute_force(engine: Engine, seed: int, size: int, loads: int, packed: int) -> None:
    dice = random.Random(seed)
    with engine.connect() as connection, pytest.MonkeyPatch.context() as patch:
        # So few are counted at once that those which are complete are taken out time and again.
        patch.setattr(listing, "_MOST_UNINDEXED", dice.choice([0, 100_000]))
        patch.setitem(OrderedCounter.__init__.__kwdefaults__, "most_trips", dice.choice([4, 100_000]))
        batches = [[*draw_trips(dice, size), *draw_trips(dice, 3) * 20] for _ in range(loads)]
        load_ids = [
            insert_trips(connection, batch, kind=dice.choice(["unindexed", "uncompacted"]), block_trips=3) for batch in batches
        ]
        trips = [trip for batch in batches for trip in batch]
        if packed:
            sizes = Sizes(part_trips=dice.choice([50, 10_000]), block_trips=dice.choice([3, 4_096]))
            create_segment(connection, load_ids[:packed], sum(map(len, batches[:packed])), sizes=sizes)
        for _ in range(6):
            filters = draw_filters(dice, trips)
            if filters["region"] not in {None, *(trip.region for trip in trips)}:
                continue
            if filters["datasource"] not in {None, *(trip.datasource for trip in trips)}:
                continue
            check_groups(connection, trips, GroupQuestion(**filters, bucket_minutes=dice.choice([1, 15, 60, 90, 1440])))
            question = FlowQuestion(**filters, viewport=draw_box(dice) if dice.random() < 0.5 else None)
            check_flows(connection, trips, question)
            assert fetch_hours(connection, question) == count_hours(trips, question)
        connection.rollback()
