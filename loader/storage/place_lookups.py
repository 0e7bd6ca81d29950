"""Place lookups: the place set of a load, from the database to the parser; and the sets that know a file's ids."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Engine

from loader.formats import LoadOptions, PlaceLookup
from loader.formats.model.errors import make_choice
from shared.places.reading import find_place_set, list_places
from shared.platform.errors import FileFormatError, NotFoundError
from shared.services.database import execute, transaction

FindPlaces = Callable[[str], Mapping[str, Any]]
MatchPlaces = Callable[[Sequence[int], Sequence[str]], Sequence[Mapping[str, Any]]]

_OFFERED: Final = 12
_CACHED: Final = 4
"""Place sets in memory; the largest take some 20 MB."""
_PERCENT: Final = 100


def fetch_places(engine: Engine, name: str) -> dict[str, Any]:
    """The place set of a name or id as PlaceLookup.from_json reads it. Raises: FileFormatError where there is none."""
    with transaction(engine) as connection:
        try:
            found = find_place_set(connection, name)
        except NotFoundError as error:
            raise FileFormatError(
                f"{error.message} Name another with places (--places).", code="no_such_places", parameter="places"
            ) from error
        places = list_places(connection, found.place_set_id)
    return {
        "place_set_id": found.place_set_id,
        "name": found.name,
        "is_zones": found.polygons > 0,
        "keys": [place.key for place in places],
        "names": [place.name for place in places],
        "positions": [place.position for place in places],
    }


def attach_places(options: LoadOptions, find: FindPlaces) -> LoadOptions:
    """Give options the place set that they name; from now on they name it by its id. Raises: as find."""
    if options.places is None or options.place_lookup is not None:
        return options
    lookup = PlaceLookup.from_json(find(options.places))
    return replace(options, places=str(lookup.place_set_id), place_lookup=lookup)


class PlaceCache:
    """The place sets of the loads at hand, each read once; a set that a load names does not change."""

    def __init__(self) -> None:
        self._lookups: OrderedDict[str, PlaceLookup] = OrderedDict()
        self._lock = threading.Lock()

    def attach(self, options: LoadOptions, engine: Engine) -> LoadOptions:
        """Give options the place set that they name by its id. Raises: FileFormatError where it is gone."""
        if options.places is None:
            return options
        with self._lock:
            lookup = self._lookups.get(options.places)
            if lookup is None:
                lookup = self._lookups[options.places] = PlaceLookup.from_json(fetch_places(engine, options.places))
            self._lookups.move_to_end(options.places)
            if len(self._lookups) > _CACHED:
                self._lookups.popitem(last=False)
        return replace(options, place_lookup=lookup)


def match_places(engine: Engine, columns: Sequence[int], values: Sequence[str]) -> list[dict[str, Any]]:
    """Place sets that know values of columns, one row a set and column, with how many. Shape: as match_place_sets returns."""
    with transaction(engine) as connection:
        rows = execute(connection, "match_place_sets", columns=list(columns), values=list(values)).mappings()
        return [dict(row) for row in rows]


def offer_places(error: FileFormatError, match: MatchPlaces) -> FileFormatError:
    """Return the question about ends that are ids with the place sets that know them as answers, those that know most first."""
    asked: list[dict[str, Any]] = error.facts.pop("place_columns", None) or []  # type: ignore[assignment]
    if not asked:
        return error
    pairs = [(number, str(value)) for number, column in enumerate(asked) for value in column["values"]]
    rows = match([number for number, _ in pairs], [value for _, value in pairs])
    offers = sorted(_list_offers(asked, rows), key=lambda offer: -offer[0])[:_OFFERED]
    facts = {**error.facts, "parameter": "places", "choices": [choice for _, choice in offers]}
    statement = f"{facts['statement']} {_describe(len(offers))}"
    return FileFormatError(error.message, code=error.error_code, **{**facts, "statement": statement})


def _describe(count: int) -> str:
    if count == 0:
        return "No place set knows them yet: add the publisher's list of stations or zones, and inspect the file again."
    return "A place set knows them: choose it." if count == 1 else "Several place sets know them: choose one."


def _list_offers(asked: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> list[tuple[float, dict[str, Any]]]:
    """The share of ids that each set knows, and the choice of it; none of those that know nothing of an end."""
    sets = {row["place_set_id"]: row for row in rows}
    known = {(row["place_set_id"], row["column_no"]): row["known"] for row in rows}
    offers = []
    for place_set_id, row in sets.items():
        best = {
            end: max((known.get((place_set_id, number), 0) / max(len(column["values"]), 1), number) for number, column in ends)
            for end, ends in _group_ends(asked).items()
        }
        if min(share for share, _ in best.values()) > 0:
            offers.append(_make_offer(row, [(share, asked[number]) for share, number in best.values()]))
    return offers


def _group_ends(asked: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[int, Mapping[str, Any]]]]:
    ends: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for number, column in enumerate(asked):
        ends.setdefault(column["end"], []).append((number, column))
    return ends


def _make_offer(row: Mapping[str, Any], best: Sequence[tuple[float, Mapping[str, Any]]]) -> tuple[float, dict[str, Any]]:
    total = sum(len(column["values"]) for _, column in best)
    known = round(sum(share * len(column["values"]) for share, column in best))
    what = "zones" if row["polygons"] else "places"
    columns = " and ".join(column["column"] for _, column in best)
    share = known * _PERCENT // total
    label = f"{row['name']}: {row['places']:,} {what}, knows {share} % of {columns}"
    return known / total, make_choice(label, places=str(row["place_set_id"]))
