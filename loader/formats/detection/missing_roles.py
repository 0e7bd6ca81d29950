"""Missing roles: say what a file lacks, and what to do about it; refuse columns that can't be what somebody says they are."""

from typing import TYPE_CHECKING, Final

from loader.formats.detection.clocks import detect_clock
from loader.formats.detection.questions import quote_names
from loader.formats.vocabulary.column_names import NameMeaning
from shared.platform.errors import FileFormatError

if TYPE_CHECKING:
    from loader.formats.detection.role_finder import RoleFinder

_SHOWN_COLUMNS: Final = 30
_SHOWN_IDS: Final = 6
_ENDS: Final = ("origin", "destination")
_POINT_ROLES: Final = ("origin", "destination")
# Columns named for an end that hold a place's name or number, not where it is.
_PLACE_KINDS: Final = ("point", None)


def explain_missing(finder: "RoleFinder") -> FileFormatError:
    """Make the error that names what was not found."""
    missing = [] if finder.has_ends() else [end for end in _ENDS if not finder.has_end(end)]
    ids = _find_ids(finder) if missing else []
    sentences = []
    if ids:
        names = quote_names(finder.columns, ids[:_SHOWN_IDS])
        sentences.append(
            f"{' and '.join(missing).capitalize()} are given as ids or names ({names}): these are ids; coordinates are missing. "
            "Add longitude and latitude of both ends, such as from the publisher's list of stations or zones, and load it again."
            if len(missing) > 1
            else f"The {missing[0]} is given as an id or name ({names}): these are ids; coordinates are missing. "
            "Add its longitude and latitude, and load it again."
        )
    wanted = [] if ids else list(missing)
    explanations, hints = _explain_time(finder, wanted)
    sentences += explanations
    if wanted:
        shown = ", ".join(finder.columns[:_SHOWN_COLUMNS])
        roles = " ".join(f"--map {'started_at' if name == 'start time' else name}=COLUMN" for name in wanted)
        sentences.append(f"Found no column for {' and '.join(wanted)}. Columns: {shown}.")
        hints.append(f"Name them, such as {roles}.")
    return FileFormatError(
        " ".join([*sentences, *hints]),
        code="missing_roles",
        parameter="roles",
        columns=finder.columns,
        statement=" ".join(sentences),
        roles=dict(finder.roles),
    )


def _explain_time(finder: "RoleFinder", wanted: list[str]) -> tuple[list[str], list[str]]:
    """Say what the file has instead of a start time, and how to answer; adds to what is wanted where it has nothing like it."""
    if "started_at" in finder.roles:
        return [], []
    clocks = [column for column, it in enumerate(finder.meanings) if detect_clock(finder.profile(column), it) and _is_timed(it)]
    others = [column for column, it in enumerate(finder.meanings) if _is_timed(it) and finder.profile(column).time > 0]
    if clocks and not others:
        column = clocks[0]
        example = finder.profile(column).example
        return [f"{finder.columns[column]} has clock times without a date (such as {example}): add a column with the date."], []
    if others:
        names = quote_names(finder.columns, others[:_SHOWN_IDS])
        statement = f"No column is the start of a trip: {names} can't be told to be it."
        return [statement], [f"If it is, say so: --map started_at={finder.columns[others[0]]}."]
    wanted.append("start time")
    return [], []


def _is_timed(meaning: NameMeaning) -> bool:
    return "id" not in meaning.traits and (meaning.kind in ("time", "date", "hour") or meaning.side is not None)


def _find_ids(finder: "RoleFinder") -> list[int]:
    """Find columns that name both ends by a number or a name; none where one of the ends has no such column."""
    found: dict[str, list[int]] = {end: [] for end in _ENDS}
    for column, meaning in enumerate(finder.meanings):
        if meaning.side in found and _is_place(meaning) and finder.profile(column).filled:
            profile = finder.profile(column)
            if profile.point == 0 and profile.time == 0 and profile.clock == 0 and not finder.is_used(column):
                found[meaning.side].append(column)
    ends = [end for end in _ENDS if not finder.has_end(end)]
    if not all(found[end] for end in ends):
        return []
    return sorted(column for end in ends for column in found[end])


def _is_place(meaning: NameMeaning) -> bool:
    return meaning.kind in _PLACE_KINDS and not meaning.traits & {"before the trip", "not the trip", "duration", "count"}


def check_given(finder: "RoleFinder") -> None:
    """Raises: FileFormatError where a column that somebody named for an end holds nothing like a position in the whole sample."""
    for role in finder.given & set(finder.roles):
        profile = finder.profile(finder.roles[role])
        if not profile.filled:
            continue
        name = finder.columns[finder.roles[role]]
        if role in _POINT_ROLES and max(profile.point, profile.geohash) == 0:
            hint = (
                " These are ids; coordinates are missing."
                if profile.number > 0 or "id" in finder.meanings[finder.roles[role]].traits
                else ""
            )
            raise _refuse(
                finder, f"{name} can't be the {role}: it holds values such as {profile.example!r}, which are no points.{hint}"
            )
        if role.endswith(("_longitude", "_latitude")) and profile.number == 0:
            raise _refuse(
                finder, f"{name} can't be the {role}: it holds values such as {profile.example!r}, which are no numbers."
            )


def _refuse(finder: "RoleFinder", message: str) -> FileFormatError:
    return FileFormatError(
        message, code="missing_roles", parameter="roles", columns=finder.columns, statement=message, roles=dict(finder.roles)
    )
