"""Places and place sets."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, get_args

from shared.domain.position import decode_position

if TYPE_CHECKING:
    from shapely import MultiPolygon, Polygon

Kind = Literal["zones", "points", "drawn"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
NAME_CHARACTERS: Final = 200
"""Longest name of a set, and longest key or name of a place."""

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@dataclass(frozen=True)
class Place:
    """A place. key: what files call it. position: where its trips lie if a file names it.

    polygon: WKB of a polygon or multipolygon in WGS 84, valid, longitude first; None of a point.
    """

    place_id: int
    place_set_id: int
    key: str
    name: str
    position: int
    polygon: bytes | None = None

    @cached_property
    def shape(self) -> "Polygon | MultiPolygon | None":
        """The polygon as a shapely geometry; None of a point. Units: degrees."""
        if self.polygon is None:
            return None
        import shapely  # with GEOS a twentieth of a second, and most processes need none

        shape: Polygon | MultiPolygon = shapely.from_wkb(self.polygon)
        return shape

    @property
    def point(self) -> tuple[float, float]:
        """Longitude and latitude of the position. Units: degrees."""
        return decode_position(self.position)


@dataclass(frozen=True)
class PlaceSet:
    """A named set of places. crs: the system that its file was in. bounds: of all places; None of an empty set.

    places, polygons: how many places there are, and how many of them have one. load_ids: the newest loads that use it.
    """

    place_set_id: int
    name: str
    kind: Kind
    crs: str
    file_name: str | None
    added_by: str | None
    added_at: datetime
    places: int
    polygons: int
    bounds: Bounds | None
    load_ids: tuple[int, ...]


@dataclass(frozen=True)
class NewPlace:
    """A place to store. position and polygon as in Place; bounds: of the polygon or the point."""

    key: str
    name: str
    position: int
    bounds: Bounds
    polygon: bytes | None = None


@dataclass(frozen=True)
class NewPlaceSet:
    """A place set to store."""

    name: str
    kind: Kind
    crs: str = "EPSG:4326"
    file_name: str | None = None
    added_by: str | None = None
