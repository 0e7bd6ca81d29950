"""What the map tells Python: box, view, and what was clicked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.area import Box


@dataclass(frozen=True, slots=True)
class Viewport:
    """Where the map looks: its middle, its zoom, and the visible ground plus a margin in which small pans need no new data."""

    longitude: float
    latitude: float
    zoom: float
    bounds: Box

    def to_json(self) -> dict[str, Any]:
        """The view as the browser sends and takes it."""
        edges = [self.bounds.west, self.bounds.south, self.bounds.east, self.bounds.north]
        return {"longitude": self.longitude, "latitude": self.latitude, "zoom": self.zoom, "bounds": edges}


@dataclass(frozen=True, slots=True)
class FlowPick:
    """A flow the analyst clicked; the names are geohashes."""

    origin: str
    destination: str


@dataclass(frozen=True, slots=True)
class LocationPick:
    """A place the analyst clicked; the name is a geohash."""

    location: str


Rings = list[list[list[float]]]
"""Rings of vertices, longitude first, the first not repeated. Units: degrees."""

Pick = FlowPick | LocationPick


@dataclass(frozen=True, slots=True)
class MapState:
    """What the map last reported: a box, the rings of a shape, or neither.

    box_seq is 0 until it reported an area, so that None can mean both 'none yet' and 'cleared'.
    """

    box: Box | None = None
    rings: Rings | None = None
    viewport: Viewport | None = None
    picked: Pick | None = None
    box_seq: int = 0


def read_map_state(raw: Mapping[str, Any] | None) -> MapState:
    """Read the component's state: each part is {v: value, seq: number}. Raises: RequestError for a box off the globe."""
    parts = raw or {}
    area = parts.get("bbox") or {}
    value = area.get("v")
    return MapState(
        box=None if isinstance(value, Mapping) else _read_box(value),
        rings=value["rings"] if isinstance(value, Mapping) else None,
        viewport=_read_viewport((parts.get("viewport") or {}).get("v")),
        picked=_read_pick((parts.get("picked") or {}).get("v")),
        box_seq=area.get("seq", 0),
    )


def _read_box(edges: list[float] | None) -> Box | None:
    return Box(*edges) if edges else None


def _read_viewport(value: Mapping[str, Any] | None) -> Viewport | None:
    if not value:
        return None
    return Viewport(longitude=value["longitude"], latitude=value["latitude"], zoom=value["zoom"], bounds=Box(*value["bounds"]))


def _read_pick(value: Mapping[str, str] | None) -> Pick | None:
    if not value:
        return None
    if "location" in value:
        return LocationPick(value["location"])
    return FlowPick(value["origin"], value["destination"])
