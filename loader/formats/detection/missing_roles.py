"""Missing roles: say what a file lacks, and what to do about it; refuse columns that can't be what somebody says they are."""

from typing import TYPE_CHECKING, Final

from loader.formats.detection.clocks import detect_clock
from loader.formats.detection.place_roles import list_place_columns, sample_ids
from loader.formats.detection.questions import quote_names
from loader.formats.vocabulary.column_names import NameMeaning
from shared.platform.errors import FileFormatError

if TYPE_CHECKING:
    from loader.formats.detection.role_finder import RoleFinder

_SHOWN_COLUMNS: Final = 30
_SHOWN_IDS: Final = 6
_ENDS: Final = ("origin", "destination")
_POINT_ROLES: Final = ("origin", "destination")


def explain_missing(finder: "RoleFinder") -> FileFormatError:
    """Make the error that names what was not found."""
    missing = [] if finder.has_ends() else [end for end in _ENDS if not finder.has_end(end)]
    ids = _find_ids(finder) if missing else {}
    sentences = []
    hints: list[str] = []
    if ids:
        names = quote_names(finder.columns, sorted(column for columns in ids.values() for column in columns)[:_SHOWN_IDS])
        what = "are given as ids or names" if len(missing) > 1 else "is given as an id or name"
        subject = f"The {missing[0]}" if len(missing) == 1 else " and ".join(missing).capitalize()
        sentences.append(f"{subject} {what} ({names}): these are ids; coordinates are missing.")
        hints.append("Name the place set that knows them (--places NAME), or add longitude and latitude to the file.")
    wanted = [] if ids else list(missing)
    explanations, time_hints = _explain_time(finder, wanted)
    sentences += explanations
    hints += time_hints
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
        place_columns=sample_ids(finder, ids) if ids and "started_at" in finder.roles else None,
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


def _find_ids(finder: "RoleFinder") -> dict[str, list[int]]:
    """Find columns that name each missing end by a number or a name; none where one of the ends has no such column."""
    found = {end: list_place_columns(finder, end) for end in _ENDS if not finder.has_end(end)}
    return found if all(found.values()) else {}


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
