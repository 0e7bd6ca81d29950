"""A page with only the flow map, on made-up flows: what test_flowmap.py drives."""

import math
import random

import pydeck as pdk
import streamlit as st

from shared.domain.area import Box, parse_bbox
from shared.groups.question import Flow, FlowLocation, FlowMap
from shared.questions.density import CellCount
from ui.flowmap import MapOptions, Pick, Viewport, encode_content, render_flow_map

CITIES = {"hamburg": (9.99, 53.55), "fiji": (179.9, -17.5)}
OWN_STYLE = {
    "version": 8,
    "sources": {},
    "layers": [{"id": "sea", "type": "background", "paint": {"background-color": "#ddeeff"}}],
}
FROM_PYTHON = Box(9.9, 53.5, 10.0, 53.6)


def make_places(middle: tuple[float, float], count: int) -> list[tuple[float, float]]:
    """Places in a ring road and on six radial roads, denser towards the middle."""
    chance = random.Random(3)
    places = []
    for number in range(count):
        angle = math.tau * (number % 6) / 6 if number % 3 else chance.random() * math.tau
        radius = 0.13 * chance.random() ** 1.3 if number % 3 else 0.085
        longitude = middle[0] + radius * 1.6 * math.cos(angle) + chance.gauss(0, 0.004)
        latitude = middle[1] + radius * math.sin(angle) + chance.gauss(0, 0.003)
        places.append(((longitude + 180) % 360 - 180, latitude))
    return places


@st.cache_data
def make_flow_map(city: str) -> FlowMap:
    """Two hundred places; trips fall with distance and favour the middle."""
    chance = random.Random(5)
    middle = CITIES[city]
    places = make_places(middle, 160)
    weights = [1 / (0.02 + math.dist((0, latitude), (0, middle[1]))) for _, latitude in places]
    pairs: dict[tuple[int, int], int] = {}
    for _ in range(4000):
        origin, destination = chance.choices(range(len(places)), weights, k=2)
        if chance.random() < math.exp(-math.dist(places[origin], places[destination]) / 0.05):
            pairs[origin, destination] = pairs.get((origin, destination), 0) + int(chance.paretovariate(1.2) * 5)
    flows = [Flow(f"p{origin}", f"p{destination}", min(trips, 900)) for (origin, destination), trips in pairs.items()]
    locations = tuple(make_location(number, place, flows) for number, place in enumerate(places))
    trips = sum(flow.trips for flow in flows)
    return FlowMap(locations, tuple(flows), trips, trips, 6)


def make_location(number: int, place: tuple[float, float], flows: list[Flow]) -> FlowLocation:
    """Totals of a place from its flows."""
    name = f"p{number}"
    return FlowLocation(
        name,
        f"{number * 100} m N of Altona",
        *place,
        in_trips=sum(flow.trips for flow in flows if flow.destination == name != flow.origin),
        out_trips=sum(flow.trips for flow in flows if flow.origin == name != flow.destination),
        internal_trips=sum(flow.trips for flow in flows if flow.origin == name == flow.destination),
    )


@st.cache_data
def make_density(city: str) -> list[CellCount]:
    """Trip ends along the roads, in cells of 0.002 by 0.0012 degrees."""
    chance = random.Random(7)
    cells: dict[tuple[int, int], int] = {}
    for longitude, latitude in make_places(CITIES[city], 9000):
        cell = (int(longitude // 0.004), int(latitude // 0.0024))
        cells[cell] = cells.get(cell, 0) + int(chance.paretovariate(1.1))
    return [CellCount((x + 0.5) * 0.004, (y + 0.5) * 0.0024, trips) for (x, y), trips in cells.items()]


def keep_box(box: Box | None) -> None:
    st.session_state["view_box"] = box
    if box:
        st.query_params["bbox"] = box.text()
    else:
        st.query_params.pop("bbox", None)


def keep_viewport(viewport: Viewport | None) -> None:
    st.session_state["viewport"] = viewport


def keep_pick(pick: Pick | None) -> None:
    st.session_state["pick"] = pick


@st.fragment
def explore() -> None:
    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    city = st.query_params.get("city", "hamburg")
    flow_map = make_flow_map(city)
    longitude, latitude = CITIES[city]
    deck = pdk.Deck(
        layers=[
            pdk.Layer("ScatterplotLayer", data=[{"at": [longitude, latitude]}], get_position="at", get_radius=300, id="middle")
        ],
        initial_view_state=pdk.ViewState(longitude=longitude, latitude=latitude, zoom=10),
        map_provider=None,
    )
    options = MapOptions(
        viewport=st.session_state.get("viewport"),
        selected=st.session_state.get("pick"),
        flow_scale=500,
        base_style=OWN_STYLE if st.query_params.get("style") == "own" else st.query_params.get("archive"),
    )
    state = render_flow_map(
        deck,
        key="map",
        content=encode_content(flow_map, make_density(city)),
        box=st.session_state.get("view_box"),
        options=options,
        on_box=keep_box,
        on_viewport=keep_viewport,
        on_pick=keep_pick,
    )
    box = st.session_state.get("view_box")
    st.text(f"BOX {box.text() if box else 'none'}")
    st.text(f"PICK {st.session_state.get('pick')}")
    st.text(f"VIEW {state.viewport.bounds.text() if state.viewport else 'none'}")
    st.text(f"RUNS {st.session_state['runs']}")
    st.button("Set from Python", on_click=keep_box, args=(FROM_PYTHON,))


st.set_page_config(layout="wide")
if "view_box" not in st.session_state:
    linked = st.query_params.get("bbox")
    st.session_state["view_box"] = parse_bbox(linked) if linked else None
explore()
