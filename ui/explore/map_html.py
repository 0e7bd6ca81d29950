"""The map as one HTML file: flows, locations, density and box as pydeck layers, with the script that draws them inside.

The page is map_page.html: pydeck's own template loads scripts and style sheets from four hosts that this map does not need. The
file's content security policy allows no request, so that it shows the same on a machine without network.
CRS: WGS 84, longitude before latitude.
"""

import html
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any, Final, Literal

import pydeck as pdk  # type: ignore[import-untyped]

from shared.domain.area import Box
from shared.groups.question import FlowLocation, FlowMap
from ui.explore.map_extent import choose_zoom

Scheme = Literal["light", "dark"]
Color = tuple[int, int, int, int]

# pydeck's build of deck.gl, which makes a map of a deck's JSON.
_SCRIPT: Final = files("pydeck") / "nbextension" / "static" / "index.js"
# As the page's map draws them (flowmap/src/scale.js): widths in proportion to trips, areas of circles too.
_WIDTHS_PX: Final = (0.8, 10.0)
_RADII_PX: Final = (2.0, 13.0)
_WIDTH_PX: Final = 1100
_METERS_PER_DEGREE: Final = 111_320.0
_ARC_TILT_DEG: Final = 90  # lies flat, to one side of its way, so that both ways between two places can be seen
_ARC_HEIGHT: Final = 0.15


@dataclass(frozen=True, slots=True)
class _Palette:
    """Colours of one theme, as flowmap/src/theme.js has them; flows from few trips to many."""

    land: str
    text: str
    faint: str
    density: tuple[int, int, int]
    flows: tuple[Color, ...]
    circle: Color
    outline: Color
    box: Color


_PALETTES: Final[dict[Scheme, _Palette]] = {
    "light": _Palette(
        land="#f6f5f1",
        text="#26231f",
        faint="#57534e",
        density=(107, 127, 140),
        flows=((143, 195, 201, 70), (74, 158, 172, 160), (18, 103, 125, 220), (4, 60, 82, 240)),
        circle=(16, 78, 98, 255),
        outline=(255, 255, 255, 200),
        box=(199, 74, 11, 255),
    ),
    "dark": _Palette(
        land="#171d25",
        text="#e8eaed",
        faint="#a5afbd",
        density=(125, 152, 173),
        flows=((38, 98, 110, 80), (35, 138, 146, 165), (88, 200, 188, 225), (216, 250, 236, 245)),
        circle=(126, 222, 205, 255),
        outline=(9, 13, 18, 200),
        box=(255, 146, 79, 255),
    ),
}


@dataclass(frozen=True, slots=True)
class MapPage:
    """What the file shows. density: as MapContent has it; scales: trips at the wide end; title and notes: above the map."""

    flow_map: FlowMap
    density: str | None
    ground: Box
    box: Box | None
    flow_scale: int
    place_scale: int
    title: str
    notes: tuple[str, ...]
    scheme: Scheme

    def make(self) -> bytes:
        """Make the file, UTF-8."""
        palette = _PALETTES[self.scheme]
        deck = pdk.Deck(layers=list(self._make_layers(palette)), initial_view_state=_look_at(self.ground), map_provider=None)
        described = json.dumps(json.loads(deck.to_json()), separators=(",", ":"))
        page = Template((files("ui.explore") / "map_page.html").read_text(encoding="utf-8"))
        return page.substitute(
            title=html.escape(self.title),
            notes="".join(f"<p>{html.escape(note)}</p>" for note in self.notes),
            land=palette.land,
            text=palette.text,
            faint=palette.faint,
            script=_SCRIPT.read_text(encoding="utf-8"),
            deck=described.replace("<", "\\u003c"),
        ).encode()

    def _make_layers(self, palette: _Palette) -> Iterator[pdk.Layer]:
        if self.density:
            yield _make_density(json.loads(self.density), palette)
        if self.box:
            yield _make_box(self.box, palette)
        yield self._make_flows(palette)
        yield self._make_places(palette)

    def _make_flows(self, palette: _Palette) -> pdk.Layer:
        places = {place.id: [round(place.longitude, 5), round(place.latitude, 5)] for place in self.flow_map.locations}
        rows = [
            {
                "a": places[flow.origin],
                "b": places[flow.destination],
                "w": round(_between(_WIDTHS_PX, flow.trips / self.flow_scale), 2),
                "c": _mix(palette.flows, (flow.trips / self.flow_scale) ** (1 / 3)),
                "label": f"{flow.origin} to {flow.destination}: {flow.trips:,} trips",
            }
            for flow in sorted(self.flow_map.flows, key=lambda flow: flow.trips)
        ]
        return pdk.Layer(
            "ArcLayer",
            rows,
            id="flows",
            get_source_position="a",
            get_target_position="b",
            get_width="w",
            get_source_color="c",
            get_target_color="c",
            get_tilt=_ARC_TILT_DEG,
            get_height=_ARC_HEIGHT,
            pickable=True,
            auto_highlight=True,
        )

    def _make_places(self, palette: _Palette) -> pdk.Layer:
        rows = [
            {
                "p": [round(place.longitude, 5), round(place.latitude, 5)],
                "r": round(_between(_RADII_PX, (_count_trips(place) / self.place_scale) ** 0.5), 2),
                "label": f"{place.name} ({place.id}): {place.out_trips:,} trips out, {place.in_trips:,} in, "
                f"{place.internal_trips:,} inside",
            }
            for place in self.flow_map.locations
        ]
        return pdk.Layer(
            "ScatterplotLayer",
            rows,
            id="places",
            get_position="p",
            get_radius="r",
            radius_units=pdk.types.String("pixels"),
            get_fill_color=list(palette.circle),
            get_line_color=list(palette.outline),
            stroked=True,
            line_width_min_pixels=1,
            pickable=True,
        )


def _make_density(cells: dict[str, Any], palette: _Palette) -> pdk.Layer:
    most = max(cells["trips"])
    rows = [
        {"p": [longitude, latitude], "c": [*palette.density, round(20 + 120 * (trips / most) ** (1 / 3))]}
        for longitude, latitude, trips in zip(cells["longitude"], cells["latitude"], cells["trips"], strict=True)
    ]
    return pdk.Layer(
        "ScatterplotLayer",
        rows,
        id="density",
        get_position="p",
        get_fill_color="c",
        get_radius=round(cells["cell"][1] * _METERS_PER_DEGREE / 2, 1),
        radius_min_pixels=1.2,
    )


def _make_box(box: Box, palette: _Palette) -> pdk.Layer:
    east = box.east if box.east >= box.west else box.east + 360
    ring = [[box.west, box.south], [east, box.south], [east, box.north], [box.west, box.north], [box.west, box.south]]
    return pdk.Layer(
        "PathLayer",
        [{"path": ring, "label": "The box"}],
        id="box",
        get_path="path",
        get_color=list(palette.box),
        width_min_pixels=2,
        width_max_pixels=2,
    )


def _look_at(ground: Box) -> pdk.ViewState:
    east = ground.east if ground.east >= ground.west else ground.east + 360
    return pdk.ViewState(
        longitude=(ground.west + east) / 2, latitude=(ground.south + ground.north) / 2, zoom=choose_zoom(ground, _WIDTH_PX) - 0.5
    )


def _count_trips(place: FlowLocation) -> int:
    return max(place.in_trips, place.out_trips) + place.internal_trips


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * min(1.0, share)


def _mix(stops: tuple[Color, ...], share: float) -> list[int]:
    place = min(1.0, share) * (len(stops) - 1)
    index = min(len(stops) - 2, int(place))
    return [round(low + (high - low) * (place - index)) for low, high in zip(stops[index], stops[index + 1], strict=True)]
