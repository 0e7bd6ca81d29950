"""Explore: flows on a map, a box, and how many trips a week. The whole page is one fragment, so a box redraws nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import streamlit as st
from sqlalchemy import Connection

from shared.domain.clock import WEEKDAYS
from shared.groups.listing import list_groups
from shared.groups.question import TripGroup
from shared.questions.histograms import count_hours_of_week
from shared.questions.weekly import WeeklyAnswer, WeeklyQuestion, fetch_weekly
from shared.small_counts import SmallCounts
from ui.explore.chosen_area import take_place
from ui.explore.comparison import is_compared
from ui.explore.filters import Catalog, fetch_catalog, render_filters
from ui.explore.gestures import take_gestures
from ui.explore.group_detail import describe_group, render_group_detail, render_samples
from ui.explore.group_table import describe_groups, keep_choice, render_groups, render_pick_step
from ui.explore.map_html import Scheme
from ui.explore.map_panel import MapAnswer, describe_map, fetch_map, make_map_page, render_box, render_map
from ui.explore.weekly_panel import render_exports, render_histograms, render_weekly
from ui.services.answer_cache import Asker
from ui.services.resources import Resources, get_resources
from ui.session.navigation import LOAD
from ui.session.view import WHOLE_DAY, View
from ui.session.view_state import address_problems, current_view, follow_address, write_address
from ui.style.error_messages import explained
from ui.style.text import describe_average, escape_markdown

_GROUPS: Final = 500


def render_explore() -> None:
    """Draw the page that the address names."""
    follow_address()
    _render_page()


@st.fragment
def _render_page() -> None:
    take_gestures()
    write_address()
    with explained():
        resources = get_resources()
        take_place(resources)
        ask = resources.answers.open()
        catalog = ask(fetch_catalog)
        if catalog is None:
            _render_no_trips()
        else:
            _render_screen(ask, catalog, resources)


def _render_no_trips() -> None:
    st.subheader("No trips yet")
    st.write("Load a trip file, and its flows and weekly numbers appear here.")
    st.page_link(LOAD, label="Load a file", icon=":material/upload:")


def _render_screen(ask: Asker, catalog: Catalog, resources: Resources) -> None:
    for problem in address_problems():
        st.warning(escape_markdown(problem), icon=":material/link_off:")
    render_filters(catalog)
    with st.container(key="screen"):
        left, right = st.columns([58, 42], gap="small")
    with left, st.container(gap="xsmall"):
        map_place = st.container()
        render_box()
    with right, st.container(gap="xsmall"), explained():
        _render_answers(ask, resources, map_place)


def _render_answers(ask: Asker, resources: Resources, map_place: "st.delta_generator.DeltaGenerator") -> None:
    view, settings = current_view(), resources.settings
    group_question = view.group_question(
        precision=settings.geohash_precision, bucket_minutes=settings.time_bucket_minutes, limit=_GROUPS
    )
    # The numbers first: they are what a drawn box was drawn for.
    question = view.weekly_question()
    other_questions = (view.other_question(),) if is_compared(view) else ()
    every_week = replace(question, from_on=None, to_on=None)
    weekly, all_weeks, *others = ask(fetch_weeks, ask.answers.small, question, every_week, *other_questions)
    other = others[0] if others else None
    render_weekly(weekly, all_weeks, view, other=other)
    answer = fetch_map(ask, view)
    with map_place:
        render_map(answer, view, resources)
    groups = ask(list_groups, group_question)
    chosen = keep_choice(groups)
    if chosen:
        render_group_detail(ask, chosen, view, bucket_minutes=settings.time_bucket_minutes)
    else:
        every_time = replace(question, hour_from=WHOLE_DAY[0], hour_to=WHOLE_DAY[1], weekdays=WEEKDAYS)
        render_histograms(ask(count_hours_of_week, every_time), view)
    if groups:
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            st.caption(
                _describe(groups, answer, view, chosen=chosen, bucket_minutes=settings.time_bucket_minutes), width="stretch"
            )
            if chosen:
                render_samples(ask, chosen, view, bucket_minutes=settings.time_bucket_minutes)
            render_pick_step()
            render_exports(
                weekly, groups, partial(make_map_page, answer, view, average=describe_average(weekly), scheme=_read_scheme())
            )
        render_groups(groups, bucket_minutes=settings.time_bucket_minutes)


def fetch_weeks(connection: Connection, small: SmallCounts, *questions: WeeklyQuestion) -> list[WeeklyAnswer]:
    """Weeks that are shown side by side, in the order of their questions."""
    return [small.hide(fetch_weekly(connection, question)) for question in questions]


def _read_scheme() -> Scheme:
    """The theme that the visitor sees; the file is made later, outside the run."""
    return "dark" if st.context.theme.type == "dark" else "light"


def _describe(
    groups: Sequence[TripGroup], answer: MapAnswer, view: View, *, chosen: TripGroup | None, bucket_minutes: int
) -> str:
    if chosen:
        return f"Above: weeks and hours of {describe_group(chosen, bucket_minutes)}."
    all_weeks = ", all weeks" if view.from_on or view.to_on else ""
    return f"{describe_groups(groups, _GROUPS)}. {describe_map(answer.flow_map)}{all_weeks}."
