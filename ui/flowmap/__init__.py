"""The flow map: a deck described with pydeck, flows and places, city shape from the data, and a box the analyst draws.

    content = encode_content(fetch_flows(connection, question), density=fetch_density(connection))
    deck = pdk.Deck(layers=[], initial_view_state=pdk.ViewState(longitude=9, latitude=50, zoom=4), map_provider=None)
    render_flow_map(deck, key="map", content=content, box=view.box, options=MapOptions(focus=extent), on_box=keep_box)

The page keeps the box itself (session state, URL) and hands it back: Streamlit forgets a component's state with its page.
The component's state holds bbox, viewport and picked, each {"v": value, "seq": number}; read_map_state reads it.
CRS: WGS 84, longitude before latitude; a box with west > east crosses the antimeridian.
"""

from ui.flowmap.content import MapContent, encode_content, encode_day
from ui.flowmap.render import LiveQuestion, MapOptions, render_flow_map
from ui.flowmap.state import FlowPick, LocationPick, MapState, Pick, Viewport, read_map_state

__all__ = [
    "FlowPick",
    "LiveQuestion",
    "LocationPick",
    "MapContent",
    "MapOptions",
    "MapState",
    "Pick",
    "Viewport",
    "encode_content",
    "encode_day",
    "read_map_state",
    "render_flow_map",
]
