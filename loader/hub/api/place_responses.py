"""Responses of calls about place sets, for the OpenAPI document."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from loader.hub.api.responses import Response

# A tuple's schema (prefixItems) is not read by every tool of OpenAPI.
Bounds = Annotated[list[float], Field(min_length=4, max_length=4, description="West, south, east, north in degrees.")]


class PlaceSetResponse(Response):
    """A place set."""

    place_set_id: int
    name: str
    kind: Literal["zones", "points", "drawn"] = Field(description="zones have polygons; drawn ones were drawn on the map.")
    crs: str = Field(description="The reference system that its file was in.")
    file_name: str | None = Field(description="Null of areas that are drawn.")
    added_by: str | None
    added_at: datetime
    places: int
    polygons: int = Field(description="Places that have a polygon.")
    bounds: Bounds | None = Field(description="West, south, east, north in degrees; null of an empty set.")
    load_ids: list[int] = Field(description="The newest loads that use it, 10 at most.")


class PlaceSetsResponse(Response):
    """Every place set, by name."""

    place_sets: list[PlaceSetResponse]


class PlaceResponse(Response):
    """A place, without its polygon."""

    place_id: int
    key: str = Field(description="What files call it; unique in its set.")
    name: str
    longitude: float = Field(description="Of the point where its trips lie. Degrees.")
    latitude: float


class PlacesResponse(Response):
    """The places of a set."""

    place_set: PlaceSetResponse
    places: list[PlaceResponse]


class PlaceColumnResponse(Response):
    """A column of a file of places."""

    name: str
    examples: list[str]
    distinct: int = Field(description="How many different values it has.")


class ShownPlaceResponse(Response):
    """One of a file's first places."""

    key: str
    name: str
    bounds: Bounds


class PlaceInspectResponse(Response):
    """What a file of places holds."""

    format: str
    kind: Literal["zones", "points"]
    crs: str = Field(description="The reference system that the places come in; they are stored in WGS 84.")
    layer: str | None
    other_layers: list[str]
    key: str = Field(description="The column that gives the key.")
    label: str = Field(description="The column that gives the name.")
    columns: list[PlaceColumnResponse]
    rows_read: int
    places: int
    bounds: Bounds
    shown: list[ShownPlaceResponse]
    notes: list[str] = Field(description="What a person should know before adding it.")
