"""Place roles: columns whose ids or names a place set knows, as the ends of trips."""

from typing import TYPE_CHECKING, Any

from loader.formats.detection.questions import quote_names
from loader.formats.model.options import LoadOptions
from loader.formats.model.places import By, PlaceLookup
from shared.platform.errors import FileFormatError

if TYPE_CHECKING:
    from loader.formats.detection.role_finder import RoleFinder

_ENDS = ("origin", "destination")
_BYS: tuple[By, By] = ("key", "name")
_PLACE_KINDS = ("point", None)
_SHARE_SHOWN = 2_000


def find_place_ends(finder: "RoleFinder", options: LoadOptions) -> None:
    """Give each end the column whose ids or names the load's place set knows most of.

    Columns that somebody named for an end are left alone. Raises: FileFormatError where the set knows none of an end's ids.
    """
    lookup = options.place_lookup
    if lookup is None:
        return
    for end in _ENDS:
        role = f"{end}_place"
        if any(given != role and (given == "route" or given.startswith(end)) for given in finder.given):
            continue
        columns = [finder.roles[role]] if role in finder.roles else list_place_columns(finder, end)
        found = [
            (lookup.count_share(finder.profile(column).text, by), -number, column, by)
            for number, column in enumerate(columns)
            for by in _BYS
        ]
        share, _, column, by = max(found, default=(0.0, 0, -1, "key"))
        if share > 0 or role in finder.roles:
            finder.set(role, column, share)
            finder.places_by[end] = by
        elif columns:
            finder.question = _refuse(finder, lookup, columns)


def describe_places(finder: "RoleFinder", options: LoadOptions) -> dict[str, Any] | None:
    """Return what the plan says of the place set: id, name, whether its places are zones, and by what each end is looked up."""
    lookup = options.place_lookup
    if lookup is None or not finder.places_by:
        return None
    facts = {"place_set_id": lookup.place_set_id, "name": lookup.name, "places": lookup.places, "is_zones": lookup.is_zones}
    return {**facts, "by": dict(finder.places_by)}


def list_place_columns(finder: "RoleFinder", end: str) -> list[int]:
    """List the columns that may hold ids or names of the places at an end, the plainest first."""
    found = []
    for column, meaning in enumerate(finder.meanings):
        is_other = meaning.traits & {"before the trip", "not the trip", "duration", "count"}
        if meaning.side == end and meaning.kind in _PLACE_KINDS and not is_other and not finder.is_used(column):
            profile = finder.profile(column)
            if profile.filled and profile.point == 0 and profile.time == 0 and profile.clock == 0:
                found.append((meaning.level, meaning.strangers, column))
    return [column for _, _, column in sorted(found)]


def sample_ids(finder: "RoleFinder", columns: dict[str, list[int]]) -> list[dict[str, Any]]:
    """Return some distinct values of each end's columns, for place sets to be found that know them."""
    return [
        {
            "end": end,
            "column": finder.columns[column],
            "values": finder.profile(column).text.unique(maintain_order=True).head(_SHARE_SHOWN).to_list(),
        }
        for end, numbers in columns.items()
        for column in numbers
    ]


def _refuse(finder: "RoleFinder", lookup: PlaceLookup, columns: list[int]) -> FileFormatError:
    example = finder.profile(columns[0]).example
    statement = f"The places of {lookup.name} know nothing of {quote_names(finder.columns, columns[:6])} (such as {example})."
    return FileFormatError(
        f"{statement} Choose another place set (--places), or say which column it knows, such as --map origin_place=COLUMN.",
        statement=statement,
        code="unknown_places",
        parameter="places",
        columns=finder.columns,
        place_columns=sample_ids(finder, {end: list_place_columns(finder, end) for end in _ENDS}),
    )
