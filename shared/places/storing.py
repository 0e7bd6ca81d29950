"""Storing of place sets: add, rename and delete them; draw, change and remove single areas.

A set that a load uses is not deleted, because nobody could tell any more what the load's ids mean. A drawn set that any load
named is not changed any more, because a retry would give other trips.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine

from shared.places.model import NAME_CHARACTERS, NewPlace, NewPlaceSet, Place, PlaceSet
from shared.places.reading import fetch_place, fetch_place_set
from shared.platform.errors import ConflictError, NotFoundError, RequestError
from shared.services.database import execute, transaction

_STEP: Final = 5_000
"""Places of one statement: some megabytes where polygons are detailed."""
_EDGES: Final = ("west", "south", "east", "north")


def add_place_set(engine: Engine, new: NewPlaceSet, places: Sequence[NewPlace] = ()) -> PlaceSet:
    """Store a set with its places. Raises: ConflictError where the name is taken; RequestError for a name that can't be used."""
    check_name(new.name)
    row = {"name": new.name, "kind": new.kind, "crs": new.crs, "file_name": new.file_name, "added_by": new.added_by}
    with _unique_names(new.name), transaction(engine) as connection:
        place_set_id: int = execute(connection, "insert_place_set", **row).scalar_one()
        for first in range(0, len(places), _STEP):
            _insert(connection, place_set_id, places[first : first + _STEP])
        return fetch_place_set(connection, place_set_id)


def rename_place_set(engine: Engine, place_set_id: int, name: str) -> PlaceSet:
    """Give a set another name; loads know it by its id. Raises: NotFoundError, ConflictError, RequestError as add_place_set."""
    check_name(name)
    with _unique_names(name), transaction(engine) as connection:
        if execute(connection, "rename_place_set", place_set_id=place_set_id, name=name).first() is None:
            raise NotFoundError(f"There is no place set {place_set_id}.", place_set_id=place_set_id)
        return fetch_place_set(connection, place_set_id)


def delete_place_set(engine: Engine, place_set_id: int) -> None:
    """Delete a set with its places. Raises: NotFoundError; ConflictError where a load uses it."""
    with transaction(engine) as connection:
        _lock_unused(connection, place_set_id, "deleted")
        execute(connection, "delete_place_set", place_set_id=place_set_id)


def draw_place(engine: Engine, place_set_id: int, place: NewPlace) -> Place:
    """Add an area to a drawn set. Raises: NotFoundError; ConflictError for a name that is taken, a set of a file or in use."""
    with _unique_names(place.name), transaction(engine) as connection:
        _lock_drawn(connection, place_set_id)
        return fetch_place(connection, _insert(connection, place_set_id, [place]))


def change_place(engine: Engine, place_id: int, place: NewPlace) -> Place:
    """Give a drawn area another name or shape. Raises: as draw_place."""
    with _unique_names(place.name), transaction(engine) as connection:
        _lock_drawn(connection, fetch_place(connection, place_id).place_set_id)
        execute(connection, "update_place", place_id=place_id, **_make_row(place))
        return fetch_place(connection, place_id)


def remove_place(engine: Engine, place_id: int) -> None:
    """Remove an area from a drawn set. Raises: NotFoundError, ConflictError."""
    with transaction(engine) as connection:
        _lock_drawn(connection, fetch_place(connection, place_id).place_set_id)
        execute(connection, "delete_place", place_id=place_id)


def write_new_places(places: Sequence[NewPlace]) -> list[list[Any]]:
    """Places as plain JSON, one list each: for another process to store."""
    return [
        [each.key, each.name, each.position, each.bounds, each.polygon and b64encode(each.polygon).decode()] for each in places
    ]


def read_new_places(rows: Sequence[Sequence[Any]]) -> list[NewPlace]:
    """Places from what write_new_places made of them."""
    return [
        NewPlace(key, name, position, (bounds[0], bounds[1], bounds[2], bounds[3]), polygon and b64decode(polygon))
        for key, name, position, bounds, polygon in rows
    ]


def check_name(name: str) -> None:
    """Raises: RequestError for a name of a set that is empty, too long, a number (an id) or has a slash (a place of a set)."""
    if not name.strip() or len(name) > NAME_CHARACTERS or "\0" in name:
        raise RequestError(f"A name has 1 to {NAME_CHARACTERS} characters.", parameter="name")
    if name.isdecimal() or "/" in name:
        raise RequestError("The name of a place set is no number and has no slash.", parameter="name")


def _insert(connection: Connection, place_set_id: int, places: Sequence[NewPlace]) -> int:
    """Insert places; returns the last one's id."""
    rows = [_make_row(place) for place in places]
    names = {"key": "keys", "name": "names", "position": "positions", "polygon": "polygons"}
    columns = {names.get(field, field): [row[field] for row in rows] for field in rows[0]}
    ids = execute(connection, "insert_places", place_set_id=place_set_id, **columns).scalars().all()
    return int(ids[-1])


def _make_row(place: NewPlace) -> dict[str, Any]:
    edges = dict(zip(_EDGES, place.bounds, strict=True))
    return {"key": place.key, "name": place.name, "position": place.position, "polygon": place.polygon, **edges}


def _lock_unused(connection: Connection, place_set_id: int, what: str) -> str:
    """Lock a set that no load uses; returns its kind."""
    row = execute(connection, "lock_place_set", place_set_id=place_set_id).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no place set {place_set_id}.", place_set_id=place_set_id)
    found = fetch_place_set(connection, place_set_id)
    if found.load_ids:
        loads = ", ".join(map(str, found.load_ids))
        raise ConflictError(f"Loads use the places of {found.name} and it can't be {what}: {loads}. Undo them first.")
    return str(row.kind)


def _lock_drawn(connection: Connection, place_set_id: int) -> None:
    kind = _lock_unused(connection, place_set_id, "changed")
    if execute(connection, "has_loads_of_places", place_set_id=place_set_id).scalar_one():
        raise ConflictError(f"Loads have used place set {place_set_id}, and it can't be changed; draw the areas in another set.")
    if kind != "drawn":
        raise ConflictError(
            f"Place set {place_set_id} comes from a file and can't be changed; add the changed file as another set."
        )


@contextmanager
def _unique_names(name: str) -> Iterator[None]:
    try:
        yield
    except ConflictError as error:
        if error.facts.get("constraint") not in ("place_set_name_key", "place_by_key"):
            raise
        raise ConflictError(f"The name {name!r} is taken.", name=name) from error
