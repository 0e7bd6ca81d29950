"""Place sets: what a file holds, add, list, rename, delete, export; areas drawn one by one."""

import json
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.bodies import Body
from loader.hub.api.operations import Operation
from loader.hub.api.params import (
    DrawnPlaceBody,
    DrawnPlaceParams,
    NewPlaceSetBody,
    NewPlaceSetParams,
    NoParams,
    PlaceFileParams,
    PlaceSetParams,
    PlacesParams,
    RenameBody,
)
from loader.hub.api.place_responses import (
    PlaceInspectResponse,
    PlaceResponse,
    PlaceSetResponse,
    PlaceSetsResponse,
    PlacesResponse,
)
from loader.hub.api.tables import MEDIA, choose_format
from loader.hub.inspection.pool import InspectRequest
from loader.hub.uploads.gated_body import GatedBody
from loader.hub.uploads.uploads import check_size
from shared.places.model import NewPlace, NewPlaceSet, Place, PlaceSet
from shared.places.reading import fetch_place_set, list_place_sets, list_places, list_polygons
from shared.places.storing import (
    add_place_set,
    change_place,
    check_name,
    delete_place_set,
    draw_place,
    read_new_places,
    remove_place,
    rename_place_set,
)
from shared.platform.errors import RequestError
from shared.services.database import transaction

_FILE_BYTES: Final = 32 * 2**20
"""Largest file of places. New York's taxi zones take 4 MB as GeoJSON, all census blocks of a large city 30."""
_PATH: Final = "/api/v1/places"
_FORMS: Final = tuple((name, MEDIA[name]) for name in ("geojson", "parquet"))


class PlacesHandler(ApiHandler):
    """Base: files of places in memory, and calls of the database."""

    async def open_body(self, operation: Operation) -> Body:
        """Keep a file in memory while it is looked at, as few at a time as uploads."""
        if operation.file_body is None:
            return await super().open_body(operation)
        return GatedBody(self.services.upload_gate, _FILE_BYTES, pace=self.pace, give_up=self.refuse_slow)

    async def read_file(self, params: PlaceFileParams, *, wants_places: bool) -> dict[str, Any]:
        """What the file in the body holds, read in a process of its own."""
        body = self.body
        assert isinstance(body, GatedBody)  # noqa: S101 - for the type checker: the operation has a file
        try:
            check_size(len(body.data))
            options = {"key": params.key, "label": params.label, "crs": params.crs, "layer": params.layer}
            request = InspectRequest(params.file_name, options, is_whole=True, kind="places", wants_places=wants_places)
            return await self.services.inspections.inspect(request, bytes(body.data), look_up=_look_up_nothing)
        finally:
            await body.abort()

    async def change(self, work: Callable[..., Any], *given: Any, **named: Any) -> Any:  # noqa: ANN401 - what work returns
        """Call something that writes to the database."""
        return await self.services.executors.records.run(work, self.services.engine, *given, **named)

    async def read(self, work: Callable[..., Any], *given: Any) -> Any:  # noqa: ANN401 - what work returns
        """Call something that reads over a connection."""

        def run() -> Any:  # noqa: ANN401 - what work returns
            with transaction(self.services.engine) as connection:
                return work(connection, *given)

        return await self.services.executors.records.run(run)


def _look_up_nothing(_asked: object) -> None:
    """Files of places need nothing of the database."""


class PlaceSetsHandler(PlacesHandler):
    """The list of place sets, and new ones from a file: GET and POST /places."""

    @Operation("Place sets: zones, named areas and location tables", id="list_place_sets", response=PlaceSetsResponse)
    async def get(self, params: NoParams) -> None:
        """Respond with every set, by name."""
        self.respond({"place_sets": [make_place_set(found) for found in await self.read(list_place_sets)]})

    @Operation(
        "Add a place set from a file: GeoJSON, a zipped shapefile, GeoPackage or CSV (at most 32 MiB)",
        id="add_place_set",
        params=NewPlaceSetParams,
        file_body="The file.",
        response=PlaceSetResponse,
        status=201,
        scope="write",
    )
    async def post(self, params: NewPlaceSetParams) -> None:
        """Store the places of the body; respond with their set."""
        check_name(params.name)
        found = await self.read_file(params, wants_places=True)
        new = NewPlaceSet(params.name, found["kind"], found["crs"], params.file_name, params.added_by)
        added = await self.change(lambda engine: add_place_set(engine, new, read_new_places(found["new_places"])))
        self.respond(make_place_set(added), status=201, location=f"{_PATH}/{added.place_set_id}")


class PlaceInspectHandler(PlacesHandler):
    """What a file of places holds: POST /places/inspect."""

    @Operation(
        "What a file of places holds, before it is added (at most 32 MiB)",
        id="inspect_places",
        params=PlaceFileParams,
        file_body="The file.",
        response=PlaceInspectResponse,
    )
    async def post(self, params: PlaceFileParams) -> None:
        """Respond with format, reference system, columns, and what a person should know."""
        self.respond(await self.read_file(params, wants_places=False))


class DrawnSetHandler(PlacesHandler):
    """A new set of areas to be drawn: POST /places/drawn."""

    @Operation(
        "Add an empty place set, for areas that are drawn",
        id="add_drawn_set",
        body=NewPlaceSetBody,
        response=PlaceSetResponse,
        status=201,
        scope="write",
    )
    async def post(self, params: NoParams, body: NewPlaceSetBody) -> None:
        """Respond with the set."""
        added = await self.change(add_place_set, NewPlaceSet(body.name, "drawn", added_by=body.added_by))
        self.respond(make_place_set(added), status=201, location=f"{_PATH}/{added.place_set_id}")


class PlaceSetHandler(PlacesHandler):
    """One place set: GET, PUT and DELETE /places/{place_set_id}."""

    @Operation("A place set", id="get_place_set", params=PlaceSetParams, response=PlaceSetResponse)
    async def get(self, params: PlaceSetParams) -> None:
        """Respond with the set."""
        self.respond(make_place_set(await self.read(fetch_place_set, params.place_set_id)))

    @Operation(
        "Rename a place set; loads know it by its id",
        id="rename_place_set",
        params=PlaceSetParams,
        body=RenameBody,
        response=PlaceSetResponse,
        scope="write",
    )
    async def put(self, params: PlaceSetParams, body: RenameBody) -> None:
        """Respond with the set."""
        self.respond(make_place_set(await self.change(rename_place_set, params.place_set_id, body.name)))

    @Operation("Delete a place set that no load uses", id="delete_place_set", params=PlaceSetParams, status=204, scope="write")
    async def delete(self, params: PlaceSetParams) -> None:
        """Delete the set and its places."""
        await self.change(delete_place_set, params.place_set_id)
        self.set_status(204)


class SetPlacesHandler(PlacesHandler):
    """The places of a set: GET and POST /places/{place_set_id}/places."""

    @Operation(
        "The places of a set, without polygons; with them as GeoJSON and GeoParquet",
        id="list_places",
        params=PlacesParams,
        response=PlacesResponse,
        media=tuple(media for _, media in _FORMS),
    )
    async def get(self, params: PlacesParams) -> None:
        """Respond with the places in the order of their file."""
        form = choose_format(params.format, self.request.headers.get("Accept", ""), _FORMS)
        found = await self.read(fetch_place_set, params.place_set_id)
        if form == "json":
            places = await self.read(list_places, params.place_set_id)
            self.respond({"place_set": make_place_set(found), "places": [make_place(place) for place in places]})
            return
        body = await self.read(lambda connection: _export(connection, params.place_set_id, form))
        name = json.dumps(f"{found.name}.{form}").strip('"').encode("ascii", "replace").decode().replace('"', "")
        self.set_header("Content-Type", MEDIA[form])
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        self.write(body)

    @Operation(
        "Draw an area: add it to a set of drawn areas",
        id="draw_place",
        params=PlaceSetParams,
        body=DrawnPlaceBody,
        response=PlaceResponse,
        status=201,
        scope="write",
    )
    async def post(self, params: PlaceSetParams, body: DrawnPlaceBody) -> None:
        """Respond with the place."""
        drawn = await self.change(lambda engine: draw_place(engine, params.place_set_id, _make_drawn(body)))
        self.respond(make_place(drawn), status=201)


class PlaceHandler(PlacesHandler):
    """One drawn area: PUT and DELETE /places/{place_set_id}/places/{place_id}."""

    @Operation(
        "Give a drawn area another name or shape",
        id="change_place",
        params=DrawnPlaceParams,
        body=DrawnPlaceBody,
        response=PlaceResponse,
        scope="write",
    )
    async def put(self, params: DrawnPlaceParams, body: DrawnPlaceBody) -> None:
        """Respond with the place."""
        changed = await self.change(lambda engine: change_place(engine, params.place_id, _make_drawn(body)))
        self.respond(make_place(changed))

    @Operation("Remove a drawn area", id="remove_place", params=DrawnPlaceParams, status=204, scope="write")
    async def delete(self, params: DrawnPlaceParams) -> None:
        """Remove the area."""
        await self.change(remove_place, params.place_id)
        self.set_status(204)


def make_place_set(found: PlaceSet) -> dict[str, Any]:
    """A place set as JSON."""
    names = ("place_set_id", "name", "kind", "crs", "file_name", "added_by", "places", "polygons")
    return {
        **{name: getattr(found, name) for name in names},
        "added_at": found.added_at.isoformat(),
        "bounds": list(found.bounds) if found.bounds else None,
        "load_ids": list(found.load_ids),
    }


def make_place(place: Place) -> dict[str, Any]:
    """A place as JSON, without its polygon."""
    longitude, latitude = place.point
    return {"place_id": place.place_id, "key": place.key, "name": place.name, "longitude": longitude, "latitude": latitude}


def _make_drawn(body: DrawnPlaceBody) -> NewPlace:
    """The area of a body. Raises: RequestError for a geometry that is no area."""
    from shared.places.geometry import make_place as make_new  # GEOS
    from shared.places.geometry import parse_geojson

    shape = parse_geojson(body.geometry)
    if shape.geom_type == "Point":
        raise RequestError("An area is a polygon or multipolygon, and no point.", parameter="geometry")
    return make_new(body.name, body.name, shape)


def _export(connection: Connection, place_set_id: int, form: str) -> bytes:
    from shared.places.exports import write_geojson, write_geoparquet  # GEOS and Arrow

    places = list_polygons(connection, place_set_id)
    return write_geojson(places) if form == "geojson" else write_geoparquet(places)
