"""Explore: flows on a map, a box, and how many trips a week. The whole page is one fragment, so a box redraws nothing else."""

from dataclasses import replace
from typing import Final

import streamlit as st

from shared.groups import fetch_hours, list_groups
from shared.weekly import fetch_weekly
from ui.answers import Asker
from ui.filters import Catalog, fetch_catalog, render_filters
from ui.gestures import take_gestures
from ui.group_table import describe_groups, render_groups, render_pick_step
from ui.mapping import describe_map, fetch_map, render_box, render_map
from ui.navigation import LOAD
from ui.problems import explained
from ui.resources import Resources, get_resources
from ui.results import render_exports, render_hours, render_weekly
from ui.state import address_problems, current_view, follow_address
from ui.wording import escape_markdown

_GROUPS: Final = 500


@st.fragment
def render_explore() -> None:
    """Draw the page."""
    follow_address()
    take_gestures()
    with explained():
        resources = get_resources()
        with resources.answers.open() as ask:
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
    weekly = ask(fetch_weekly, question)
    render_weekly(weekly, ask(fetch_weekly, replace(question, from_on=None, to_on=None)), view)
    answer = fetch_map(ask, view)
    with map_place:
        render_map(answer, view, base_style=settings.map_style)
    render_hours(ask(fetch_hours, group_question), view)
    groups = ask(list_groups, group_question)
    if groups:
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            all_weeks = ", all weeks" if view.from_on or view.to_on else ""
            st.caption(f"{describe_groups(groups, _GROUPS)}. {describe_map(answer.flow_map)}{all_weeks}.", width="stretch")
            render_pick_step()
            render_exports(weekly, groups)
        render_groups(groups, bucket_minutes=settings.time_bucket_minutes)
