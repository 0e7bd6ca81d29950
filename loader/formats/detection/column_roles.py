"""Roles: which column is the origin, the destination, the start time and so on, by name and by content."""

from loader.formats.detection.contested import settle_contested
from loader.formats.detection.end_roles import find_ends
from loader.formats.detection.flows import check_flows, find_flows
from loader.formats.detection.missing_roles import check_given, explain_missing
from loader.formats.detection.place_roles import find_place_ends
from loader.formats.detection.role_finder import RoleFinder
from loader.formats.detection.time_roles import find_times
from loader.formats.model.options import NO_COLUMN, LoadOptions
from shared.platform.errors import RequestError

TRIP_IDS = frozenset("tripid rideid rentalid journeyid bookingid triptoken tripnumber ridenumber id".split())  # noqa: SIM905


def find_roles(finder: RoleFinder, options: LoadOptions) -> None:
    """Find every role; those that options name come first."""
    for role, column in options.roles.items():
        if column != NO_COLUMN:
            finder.set(role, resolve_column(finder.columns, column, role), 1.0)
    finder.given = frozenset(options.roles)
    find_place_ends(finder, options)
    settle_contested(finder, options)
    if not finder.has_ends():
        find_ends(finder)
    find_times(finder)
    for role in ("region", "datasource"):
        if role not in finder.given:
            _find_name(finder, role, getattr(options, role))
    if "trip_id" not in finder.given:
        _find_trip_id(finder)
    find_flows(finder)


def _find_name(finder: RoleFinder, role: str, given: str | None) -> None:
    """Find a column of names; what somebody says of the whole file comes before it."""
    found = [
        column
        for column, meaning in enumerate(finder.meanings)
        if meaning.kind == role and meaning.side is None and meaning.strangers <= (1 if len(meaning.words) > 2 else 0)
    ]
    found = [column for column in found if not finder.is_used(column)]
    if not found:
        return
    if given is None:
        finder.set(role, found[0], 0.9)
    else:
        name = finder.columns[found[0]]
        finder.note(f"Column {name} is not used: {role} {given!r} is given for every row. --map {role}={name} uses the column.")


def _find_trip_id(finder: RoleFinder) -> None:
    """Find the publisher's own number of a trip: shown, and not stored."""
    names = ["".join(meaning.words) for meaning in finder.meanings]
    free = [column for column, name in enumerate(names) if name in TRIP_IDS and not finder.is_used(column)]
    if free:
        finder.set("trip_id", free[0], 0.9)


def resolve_column(columns: tuple[str, ...], wanted: str, role: str) -> int:
    """Find a column by its name (case and blanks aside) or its number from 1. Raises: RequestError."""
    if wanted in columns:
        return columns.index(wanted)
    folded = [name.strip().casefold() for name in columns]
    if wanted.strip().casefold() in folded:
        return folded.index(wanted.strip().casefold())
    if wanted.isdigit() and 1 <= int(wanted) <= len(columns):
        return int(wanted) - 1
    raise RequestError(f"There is no column {wanted!r} for {role}. Columns: {', '.join(columns)}.", parameter="roles")


def check_roles(finder: RoleFinder) -> None:
    """Raises: FileFormatError naming what was not found, or what a person has to settle."""
    check_given(finder)
    if finder.question is not None:
        raise finder.question
    check_flows(finder)
    if not finder.has_ends() or "started_at" not in finder.roles:
        raise explain_missing(finder)
