"""Reading of place sets and places. Functions take a connection, so that a question can read them in its own transaction."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from shared.places.model import Bounds, Place, PlaceSet
from shared.platform.errors import NotFoundError, RequestError
from shared.services.database import execute

_FIELDS: Final = ("place_set_id", "name", "kind", "crs", "file_name", "added_by", "added_at", "places", "polygons")


def list_place_sets(connection: Connection) -> list[PlaceSet]:
    """Every place set, by name."""
    return _list_sets(connection)


def fetch_place_set(connection: Connection, place_set_id: int) -> PlaceSet:
    """A place set. Raises: NotFoundError."""
    for found in _list_sets(connection, place_set_id=place_set_id):
        return found
    raise NotFoundError(f"There is no place set {place_set_id}.", place_set_id=place_set_id)


def find_place_set(connection: Connection, name: str) -> PlaceSet:
    """The place set of a name; digits are an id. Raises: NotFoundError with the names there are."""
    if name.isdecimal() and len(name) < 10:
        return fetch_place_set(connection, int(name))
    for found in _list_sets(connection, name=name):
        return found
    known = ", ".join(each.name for each in _list_sets(connection)[:20])
    raise NotFoundError(f"There is no place set {name!r}; " + (f"there are: {known}." if known else "none has been added yet."))


def fetch_place(connection: Connection, place_id: int) -> Place:
    """A place with its polygon. Raises: NotFoundError."""
    row = execute(connection, "fetch_place", place_id=place_id).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"There is no place {place_id}.", place_id=place_id)
    return _make_place(row)


def find_place(connection: Connection, text: str) -> Place:
    """The place of a name or key, or of SET/NAME, with its polygon; one with a polygon comes before a point.

    Raises: NotFoundError; RequestError where several places are called so.
    """
    found = _find(connection, text, None)
    if not found and "/" in text:
        place_set, _, name = text.partition("/")
        found = _find(connection, name, place_set)
    if not found:
        raise NotFoundError(f"There is no place {text!r}.")
    if len(found) > 1 and (found[0].polygon is None) == (found[1].polygon is None):
        raise RequestError(f"Several places are called {text!r}; name the set, too, as in SET/{text}.", parameter="area")
    return found[0]


def list_places(connection: Connection, place_set_id: int) -> list[Place]:
    """Places of a set without their polygons, in the order of its file."""
    return [
        _make_place({**row, "polygon": None}) for row in execute(connection, "list_places", place_set_id=place_set_id).mappings()
    ]


def list_polygons(connection: Connection, place_set_id: int) -> list[Place]:
    """Places of a set with their polygons, in the order of its file."""
    return [_make_place(row) for row in execute(connection, "list_polygons", place_set_id=place_set_id).mappings()]


def _find(connection: Connection, text: str, place_set: str | None) -> list[Place]:
    return [_make_place(row) for row in execute(connection, "find_place", text=text, place_set=place_set).mappings()]


def _list_sets(connection: Connection, *, place_set_id: int | None = None, name: str | None = None) -> list[PlaceSet]:
    rows = execute(connection, "list_place_sets", place_set_id=place_set_id, name=name).mappings()
    return [
        PlaceSet(**{field: row[field] for field in _FIELDS}, bounds=_read_bounds(row), load_ids=tuple(row["load_ids"]))
        for row in rows
    ]


def _make_place(row: Mapping[Any, Any]) -> Place:
    polygon = row["polygon"]
    return Place(
        row["place_id"],
        row["place_set_id"],
        row["key"],
        row["name"],
        row["position"],
        None if polygon is None else bytes(polygon),
    )


def _read_bounds(row: Mapping[Any, Any]) -> Bounds | None:
    return None if row["west"] is None else (row["west"], row["south"], row["east"], row["north"])
