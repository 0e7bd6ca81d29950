"""What the map draws, as the texts the browser compares: an unchanged text costs nothing there."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.groups.question import FlowMap
from shared.questions.density import CellCount

_DECIMALS = 5  # 1 m: half the bytes of a float's own digits, far below a cell's size
_LONE_CELL_DEG = 0.02


@dataclass(frozen=True, slots=True)
class MapContent:
    """Flows with their places, the density of trip ends, and the flows of each hour, as JSON texts; st.cache_data can keep it."""

    flows: str
    density: str | None
    day: str | None = None


def encode_content(flow_map: FlowMap, density: Sequence[CellCount] = ()) -> MapContent:
    """Turn flows and density into columns: flows name their ends by number, the smallest first so that it is drawn below."""
    return MapContent(flows=_to_text(_make_columns(flow_map)), density=_encode_density(density))


def encode_day(hours: Mapping[int, FlowMap]) -> str:
    """Turn the flows of each hour of the day into one text."""
    return _to_text([{"hour": hour, "trips": each.trips, "content": _make_columns(each)} for hour, each in hours.items()])


def _make_columns(flow_map: FlowMap) -> dict[str, Any]:
    number = {location.id: index for index, location in enumerate(flow_map.locations)}
    flows = sorted(flow_map.flows, key=lambda flow: flow.trips)
    return {
        "locations": {
            "id": [location.id for location in flow_map.locations],
            "name": [location.name for location in flow_map.locations],
            "longitude": [round(location.longitude, _DECIMALS) for location in flow_map.locations],
            "latitude": [round(location.latitude, _DECIMALS) for location in flow_map.locations],
            "in_trips": [location.in_trips for location in flow_map.locations],
            "out_trips": [location.out_trips for location in flow_map.locations],
            "internal_trips": [location.internal_trips for location in flow_map.locations],
        },
        "flows": {
            "origin": [number[flow.origin] for flow in flows],
            "destination": [number[flow.destination] for flow in flows],
            "trips": [flow.trips for flow in flows],
        },
    }


def _encode_density(cells: Sequence[CellCount]) -> str | None:
    if not cells:
        return None
    longitudes = [round(cell.longitude, _DECIMALS) for cell in cells]
    latitudes = [round(cell.latitude, _DECIMALS) for cell in cells]
    size = [_least_gap(longitudes), _least_gap(latitudes)]
    return _to_text({"longitude": longitudes, "latitude": latitudes, "trips": [cell.trips for cell in cells], "cell": size})


def _least_gap(middles: list[float]) -> float:
    """Size of the grid's cells on one axis."""
    return min((high - low for low, high in itertools.pairwise(sorted(set(middles)))), default=_LONE_CELL_DEG)


def _to_text(columns: object) -> str:
    return json.dumps(columns, separators=(",", ":"))
