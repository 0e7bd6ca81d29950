"""Put the flow map on the page."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pydeck as pdk  # type: ignore[import-untyped]
import streamlit as st

from shared.domain.area import Box
from ui.components.registry import get_component
from ui.flowmap.content import MapContent
from ui.flowmap.state import MapState, Pick, Rings, Viewport, read_map_state


@dataclass(frozen=True, slots=True)
class LiveQuestion:
    """How the browser counts the box while it moves: the hub's address, a token where it asks for one, and the filters of GET
    /weekly-average but the box.
    """

    url: str
    token: str | None
    filters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MapOptions:
    """How the map shows its content.

    focus: ground to show; a change moves the map. viewport: the view to come back to, which wins over focus at first.
    flow_scale, place_scale: trips at the wide end of each scale, fixed so that pictures stay comparable; None fits the data.
    message: a line over the map, such as why it is empty.
    base_style: a MapLibre style, or its URL, instead of the offline map; its sources may be pmtiles:// archives; or the URL of
    a PMTiles archive, which gets a style by the names of its layers. What it names
    the browser asks for. live: what the area's label asks the hub; None leaves it to the area's size.
    shape: the area where it is no box.
    """

    height: int = 560
    focus: Box | None = None
    viewport: Viewport | None = None
    selected: Pick | None = None
    flow_scale: int | None = None
    place_scale: int | None = None
    message: str | None = None
    is_animated: bool = False
    base_style: str | Mapping[str, Any] | None = None
    live: LiveQuestion | None = None
    shape: Rings | None = None


DEFAULT_OPTIONS = MapOptions()


def render_flow_map(
    deck: pdk.Deck,
    *,
    key: str,
    content: MapContent,
    box: Box | None = None,
    options: MapOptions = DEFAULT_OPTIONS,
    on_box: Callable[[Box | None], None] | None = None,
    on_viewport: Callable[[Viewport | None], None] | None = None,
    on_pick: Callable[[Pick | None], None] | None = None,
) -> MapState:
    """Render the map and say what it last reported. Only what has a callback is reported, each change with one rerun.

    on_box is also called for a shape, with None: its rings are in the state.
    A callback runs before the script and gets the new value; inside a fragment only the fragment reruns.
    """
    callbacks: dict[str, Callable[[], None]] = {}
    if on_box:
        callbacks["bbox"] = lambda: on_box(_read_session(key).box)
    if on_viewport:
        callbacks["viewport"] = lambda: on_viewport(_read_session(key).viewport)
    if on_pick:
        callbacks["picked"] = lambda: on_pick(_read_session(key).picked)
    data = _describe(options) | {
        "deck": deck.to_json(),
        "flows": content.flows,
        "density": content.density,
        "day": content.day,
        "box": _edges(box),
        "box_seq": _read_session(key).box_seq,
        "reports": sorted(callbacks),
    }
    events: dict[str, Any] = {f"on_{name}_change": callback for name, callback in callbacks.items()}
    raw = get_component("flowmap")(key=key, data=data, height=options.height, **events)
    return read_map_state(raw)


def _describe(options: MapOptions) -> dict[str, Any]:
    selected = {name: value for name, value in asdict(options.selected).items() if value} if options.selected else None
    return {
        "height": options.height,
        "focus": _edges(options.focus),
        "viewport": options.viewport.to_json() if options.viewport else None,
        "selected": selected,
        "flow_scale": options.flow_scale,
        "place_scale": options.place_scale,
        "message": options.message,
        "is_animated": options.is_animated,
        "base_style": options.base_style,
        "shape": options.shape,
        "live": asdict(options.live) if options.live else None,
    }


def _edges(box: Box | None) -> list[float] | None:
    return [box.west, box.south, box.east, box.north] if box else None


def _read_session(key: str) -> MapState:
    return read_map_state(st.session_state.get(key))
