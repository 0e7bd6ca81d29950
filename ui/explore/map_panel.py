"""The map of Explore: flows of the view on the ground it covers, the box, and four numbers that mirror the box."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import pydeck as pdk  # type: ignore[import-untyped]
import streamlit as st
from sqlalchemy import Connection

from shared.domain.area import Box
from shared.domain.position import POSITION_BITS, cell_box, parse_geohash
from shared.domain.trip_end import ENDS, End
from shared.groups.listing import fetch_flows
from shared.groups.question import FlowLocation, FlowMap, FlowQuestion
from shared.index.layout import FLOW_PRECISION
from shared.platform.errors import RequestError
from shared.questions.density import fetch_density
from shared.small_counts import SmallCounts
from ui.explore.brushes import is_chosen
from ui.explore.gestures import MAP, picked, viewport
from ui.explore.group_table import chosen_flow
from ui.explore.map_extent import choose_precision, choose_zoom, fetch_ground
from ui.explore.map_html import MapPage, Scheme
from ui.flowmap import LiveQuestion, MapContent, MapOptions, Pick, Viewport, encode_content, encode_day, render_flow_map
from ui.services.answer_cache import Asker
from ui.services.resources import Resources
from ui.session.shape_text import list_rings
from ui.session.view import View
from ui.session.view_state import change_view, current_view
from ui.session.widget_keys import place_control, take_control
from ui.style.text import describe_area, describe_times, escape_markdown, format_count, format_plural

MAP_HEIGHT: Final = 498

_MAP_WIDTH: Final = 715
_FLOWS: Final = 500
# 24 hours of them are 200 KB for the browser.
_PLAYED_FLOWS: Final = 200
_WORLD: Final = Box(-180, -60, 180, 75)
_NO_FLOWS: Final = FlowMap((), (), trips=0, shown_trips=0, precision=1)
# 300 KB for the browser; enough to show the streets of a city.
_DENSITY_CELLS: Final = 12_000
# The scale of widths is fixed by the largest of all trips' flows and places, so that pictures stay comparable under filters.
_SCALE_FLOWS: Final = 50
# A flow of one trip is a thin line, also where no flow has more.
_LEAST_SCALE: Final = 10
_END_LABELS: Final[dict[End, str]] = {"origin": "Origin", "destination": "Destination", "both": "Both", "either": "Either"}
_EDGES: Final = (("west", "West", 180.0), ("south", "South", 90.0), ("east", "East", 180.0), ("north", "North", 90.0))
_TYPED: Final = "box_typed"

Edges = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class MapAnswer:
    """What the map shows: its flows as texts for the browser, the ground to show, and the scales."""

    flow_map: FlowMap
    content: MapContent
    ground: Box | None
    flow_scale: int | None
    place_scale: int | None


def fetch_map(ask: Asker, view: View) -> MapAnswer:
    """Ask for the flows in sight, at the cell size that suits the zoom."""
    ground = ask(fetch_ground, view.region, view.datasource)
    seen = viewport()
    zoom = seen.zoom if seen else choose_zoom(ground, _MAP_WIDTH) if ground else 0.0
    precision = view.precision or choose_precision(zoom)
    question = view.flow_question(precision=precision, viewport=seen.bounds if seen else None, limit=_FLOWS)
    flow_map = ask(fetch_flows, question)
    content = replace(
        ask(_encode_density, seen.bounds if seen else ground, ask.answers.small), flows=encode_content(flow_map).flows
    )
    if not view.is_played:
        return MapAnswer(flow_map, content, ground, *ask(_fetch_scales, precision))
    day = ask(fetch_day, ask.answers.small, question)
    return MapAnswer(flow_map, replace(content, day=encode_day(day)), ground, *_find_scales(day.values()))


def fetch_day(connection: Connection, small: SmallCounts, question: FlowQuestion) -> dict[int, FlowMap]:
    """Flows per hour, which are played one after the other."""
    return {hour: small.hide(fetch_flows(connection, each)) for hour, each in _list_hour_questions(question)}


def _list_hour_questions(question: FlowQuestion) -> list[tuple[int, FlowQuestion]]:
    """The same for each hour that the filters leave."""
    chosen = (question.hour_from, question.hour_to)
    return [
        (hour, replace(question, hour_from=hour, hour_to=hour + 1, limit=_PLAYED_FLOWS))
        for hour in range(24)
        if is_chosen(hour, chosen)
    ]


def render_map(answer: MapAnswer, view: View, resources: Resources) -> None:
    """Draw the map; what is done on it comes back as a gesture at the next run."""
    flow_map = answer.flow_map
    render_flow_map(
        pdk.Deck(layers=[], map_provider=None),
        key=MAP,
        content=answer.content,
        box=view.box,
        options=MapOptions(
            shape=list_rings(view.shape) if view.shape else None,
            height=MAP_HEIGHT,
            focus=answer.ground,
            viewport=viewport(),
            selected=chosen_flow(flow_map.precision) or picked(),
            flow_scale=answer.flow_scale,
            place_scale=answer.place_scale,
            is_animated=view.is_played,
            message=None if flow_map.flows else "No flows here under these filters.",
            base_style=resources.settings.map_style,
            live=LiveQuestion(resources.hub.browser_url, resources.hub.make_token("read"), view.to_weekly_params()),
        ),
        # Named so that they are reported; gestures.py reads what they report.
        on_box=_report,
        on_viewport=_report,
        on_pick=_report,
    )


def make_map_page(answer: MapAnswer, view: View, *, average: str, scheme: Scheme) -> bytes:
    """Make the map as one HTML file. average: the weekly average in words."""
    area = describe_area(view.region, view.area_name, view.end) + describe_times(view.hours, view.weekdays)
    return MapPage(
        flow_map=answer.flow_map,
        density=answer.content.density,
        ground=answer.ground or _WORLD,
        box=view.box,
        flow_scale=answer.flow_scale or _LEAST_SCALE,
        place_scale=answer.place_scale or _LEAST_SCALE,
        title=area[0].upper() + area[1:],
        notes=(average, f"{describe_map(answer.flow_map)}, all weeks. {_describe_lines(answer)} Local time, WGS 84."),
        scheme=scheme,
    ).make()


def _describe_lines(answer: MapAnswer) -> str:
    widest = f"The widest lines stand for {format_count(answer.flow_scale)} trips or more. " if answer.flow_scale else ""
    return f"{widest}The two ways between two places bend apart."


def describe_map(flow_map: FlowMap) -> str:
    """How much of the trips the map shows."""
    is_all = flow_map.shown_trips == flow_map.trips
    trips = "all" if is_all else f"{format_count(flow_map.shown_trips)} of"
    return f"Map: {format_plural(len(flow_map.flows), 'flow')}, {trips} {format_plural(flow_map.trips, 'trip')}"


def render_box() -> None:
    """Which end counts, four number inputs for the box in degrees, and buttons that clear it and play the day."""
    view = current_view()
    with st.container(key="box_edges"):
        columns = st.columns([3.8, 1, 1, 1, 1, 0.46, 0.46], vertical_alignment="bottom", gap="xsmall")
    with columns[0]:
        _render_end(view.end)
    for column, (edge, label, limit), value in zip(columns[1:], _EDGES, _find_edges(view.box), strict=False):
        column.number_input(
            f"{label} °",
            key=place_control(f"box_{edge}", value),
            min_value=-limit,
            max_value=limit,
            value=None,
            step=0.01,
            format="%.5f",
            placeholder="no box",
            on_change=_take_edges,
        )
    columns[5].button(
        "Clear area",
        key="clear_box",
        icon=":material/close:",
        on_click=change_view,
        kwargs={"box": None},
        disabled=view.area is None,
    )
    columns[6].button(
        "Stop playing the day" if view.is_played else "Play the day",
        key="play",
        icon=":material/stop_circle:" if view.is_played else ":material/play_circle:",
        type="primary" if view.is_played else "secondary",
        on_click=change_view,
        kwargs={"is_played": not view.is_played},
    )


def _render_end(end: End) -> None:
    st.segmented_control(
        "End inside the area",
        ENDS,
        key=place_control("end", end),
        format_func=lambda each: _END_LABELS[each],
        required=True,
        on_change=_take_end,
        help="Which end of a trip must lie inside the box or shape to be counted. Edges count as inside.",
    )


def _take_end() -> None:
    change_view(end=take_control("end"))


def _take_edges() -> None:
    edges = tuple(take_control(f"box_{edge}") for edge, _, _ in _EDGES)
    st.session_state[_TYPED] = (current_view().box, edges)
    try:
        if all(edge is not None for edge in edges):
            change_view(box=Box(*edges))
        elif all(edge is None for edge in edges):
            change_view(box=None)
    except RequestError as error:
        st.toast(escape_markdown(error.message), icon=":material/help:")


def _find_edges(box: Box | None) -> Edges:
    """The box's edges, or what was typed over them and is no box yet."""
    shown = (box.west, box.south, box.east, box.north) if box else (None,) * 4
    typed: tuple[Box | None, Edges] = st.session_state.get(_TYPED, (box, shown))
    if typed[0] == box:
        return typed[1]
    del st.session_state[_TYPED]
    return shown


def _encode_density(connection: Connection, seen: Box | None, small: SmallCounts) -> MapContent:
    """The shape of cities: where trips begin, as fine as the ground in sight allows."""
    return encode_content(_NO_FLOWS, small.hide_cells(fetch_density(connection, viewport=seen, limit=_DENSITY_CELLS)))


def _fetch_scales(connection: Connection, precision: int) -> tuple[int | None, int | None]:
    found = fetch_flows(connection, FlowQuestion(precision=min(precision, FLOW_PRECISION), limit=_SCALE_FLOWS))
    if precision > FLOW_PRECISION and found.locations:
        # Of fine cells there are as many flows as trips: the largest of all are looked for in the largest coarser cell only.
        largest = max(found.locations, key=_count_place)
        box = Box(*cell_box(parse_geohash(largest.id), POSITION_BITS - 5 * FLOW_PRECISION))
        found = fetch_flows(connection, FlowQuestion(precision=precision, limit=_SCALE_FLOWS, area=box, end="either"))
    return _find_scales([found])


def _count_place(place: FlowLocation) -> int:
    return max(place.in_trips, place.out_trips) + place.internal_trips


def _find_scales(maps: Iterable[FlowMap]) -> tuple[int | None, int | None]:
    """Trips of the largest flow and of the largest place; None without flows."""
    shown = [each for each in maps if each.flows]
    if not shown:
        return None, None
    places = (_count_place(place) for each in shown for place in each.locations)
    return max(_LEAST_SCALE, *(each.flows[0].trips for each in shown)), max(_LEAST_SCALE, *places)


def _report(value: Box | Viewport | Pick | None) -> None:
    """Nothing to do here: a callback only tells the component what to report."""
