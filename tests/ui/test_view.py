"""The view and its address: one says all of the other, and what makes no sense is reported."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.area import Box
from shared.domain.trip_end import ENDS
from ui.session.shape_text import make_shape
from ui.session.view import PARAMETERS, View, parse_view

degrees = st.floats(-89.0, 89.0).map(lambda value: round(value, 6))
boxes = st.tuples(degrees, degrees, degrees, degrees).map(lambda e: Box(e[0], min(e[1], e[3]), e[2], max(e[1], e[3])))
days = st.dates(date(1990, 1, 1), date(2040, 1, 1))
periods = st.one_of(st.just((None, None)), st.tuples(days, days).map(sorted).map(tuple))
hours = st.tuples(st.integers(0, 24), st.integers(0, 24)).filter(lambda pair: pair[0] != pair[1])
names = st.one_of(st.none(), st.text(min_size=1, max_size=12))


views = st.builds(
    lambda period, other, **fields: View(
        from_on=period[0], to_on=period[1], compare_from=other[0], compare_to=other[1], **fields
    ),
    period=periods,
    other=periods,
    region=names,
    datasource=names,
    box=st.one_of(st.none(), boxes),
    end=st.sampled_from(ENDS),
    hours=hours,
    weekdays=st.frozensets(st.integers(1, 7), min_size=1),
    is_played=st.booleans(),
    precision=st.one_of(st.none(), st.integers(1, 12)),
)


def test_a_shape_and_a_named_area_come_back_from_the_address() -> None:
    view = View(shape=make_shape([[[7.5, 45.0], [7.7, 45.0], [7.6, 45.1]]]))
    assert parse_view(view.to_params()) == (view, [])
    assert parse_view({"area": "7"}) == (View(place_id=7), [])
    found, problems = parse_view({"area": "7", "bbox": "1,2,3,4"})
    assert found == View(box=Box(1, 2, 3, 4))
    assert len(problems) == 1


@given(views)
def test_an_address_brings_the_view_back(view: View) -> None:
    params = view.to_params()
    assert set(params) <= set(PARAMETERS)
    assert parse_view(params) == (view, [])


def test_what_stands_at_its_default_is_not_in_the_address() -> None:
    assert View().to_params() == {}


@pytest.mark.parametrize(
    "params",
    [
        {"bbox": "1,2,3"},
        {"bbox": "200,0,201,1"},
        {"bbox": "0,5,1,4"},
        {"end": "middle"},
        {"from": "yesterday"},
        {"hours": "7"},
        {"hours": "7-7"},
        {"hours": "7-25"},
        {"precision": "0"},
        {"weekdays": "0-3"},
        {"play": "week"},
        {"compare_from": "2018-06-01", "compare_to": "2018-05-01"},
        {"from": "2018-06-01", "to": "2018-05-01"},
    ],
)
def test_nonsense_is_left_out_and_reported(params: dict[str, str]) -> None:
    view, problems = parse_view({"region": "Turin", **params})
    assert view == View(region="Turin")
    assert len(problems) == 1
