"""Hidden small counts can't be told from what is shown beside them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.groups.detail_question import GroupDetail
from shared.groups.question import Flow, FlowLocation, FlowMap
from shared.questions.density import CellCount
from shared.small_counts import SmallCounts, TooFewTripsError

COUNTS = st.dictionaries(st.integers(0, 50), st.integers(0, 40), max_size=20)
MONDAY = date(2024, 1, 1)


@given(counts=COUNTS, least=st.integers(2, 20))
def test_hidden_counts_are_not_given_away_by_their_total(counts: dict[int, int], least: int) -> None:
    hidden = SmallCounts(least).select_hidden(counts)
    shown = [trips for key, trips in counts.items() if key not in hidden]
    assert all(trips == 0 or trips >= least for trips in shown)
    rest = sum(counts.values()) - sum(shown)
    assert rest == 0 or (rest >= least and len(hidden) > 1) or not any(shown)


@given(counts=st.dictionaries(st.tuples(st.integers(0, 6), st.integers(0, 6)), st.integers(1, 40)), least=st.integers(2, 20))
def test_flows_and_their_totals_hold_nothing_small(counts: dict[tuple[int, int], int], least: int) -> None:
    flows = tuple(Flow(str(origin), str(destination), trips) for (origin, destination), trips in counts.items())
    locations = tuple(FlowLocation(str(number), "Turin", 0.0, 0.0, 99, 99, 99) for number in range(7))
    shown = SmallCounts(least).hide_flows(FlowMap(locations, flows, 10_000, sum(counts.values()), 5))
    assert [flow.trips for flow in shown.flows] == [trips for trips in counts.values() if trips >= least]
    assert shown.trips == shown.shown_trips == sum(flow.trips for flow in shown.flows)
    for place in shown.locations:
        assert place.in_trips + place.out_trips + 2 * place.internal_trips == sum(
            flow.trips * ((flow.origin == place.id) + (flow.destination == place.id)) for flow in shown.flows
        )


def make_detail(weeks: list[int], hours: dict[int, int]) -> GroupDetail:
    dated = tuple((MONDAY + number * timedelta(days=7), trips) for number, trips in enumerate(weeks))
    return GroupDetail(sum(weeks), dated, tuple(hours.get(hour, 0) for hour in range(24)), ())


def test_a_group_loses_its_small_weeks_and_all_hours_where_one_is_small() -> None:
    shown = SmallCounts(5).hide_parts(make_detail([9, 2, 7, 30], {8: 46, 9: 2}))
    assert [trips for _, trips in shown.weeks] == [9, 30]
    assert shown.hours == ()
    assert SmallCounts(5).hide_parts(make_detail([9, 7], {8: 16})).hours[8] == 16


def test_a_small_group_is_no_answer() -> None:
    with pytest.raises(TooFewTripsError):
        SmallCounts(5).hide_parts(make_detail([4], {8: 4}))
    assert SmallCounts(5).hide_parts(make_detail([], {})).trips == 0


@pytest.mark.parametrize("least", [0, 1])
def test_nothing_is_hidden_unless_asked(least: int) -> None:
    detail = make_detail([1, 2], {8: 3})
    small = SmallCounts(least)
    assert small.hide_parts(detail) is detail
    assert small.hide_cells([CellCount(0.0, 0.0, 1)]) == [CellCount(0.0, 0.0, 1)]
    small.check_total(1)
