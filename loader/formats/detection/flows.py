"""Flows: tables whose rows count trips between two places. A load takes single trips, each with its time, and refuses them.

A row that becomes several trips would break the accounting of loads (rows read = loaded + rejected), and trips without a time
have no week. So a table of flows is a question, whose one answer is that each row is one trip all the same.
"""

from typing import TYPE_CHECKING, Final

from loader.formats.detection.column_profile import MOSTLY
from loader.formats.detection.place_roles import list_place_columns
from loader.formats.model.errors import make_choice
from loader.formats.model.options import COUNT_ROLE, NO_COLUMN
from loader.formats.vocabulary.column_names import NameMeaning
from loader.formats.vocabulary.words import MEANINGS
from shared.platform.errors import FileFormatError

if TYPE_CHECKING:
    from loader.formats.detection.role_finder import RoleFinder

# Those that travel together are one trip.
_PEOPLE: Final = frozenset(
    "passengers pax riders persons people pasajeros passageiros passagers passeggeri fahrgaste fahrgaeste reizigers "  # noqa: SIM905
    "pasazerowie cestujici reisor resor 人数 인원 승객수".split()
)
_ENDS: Final = ("origin", "destination")


def find_flows(finder: "RoleFinder") -> None:
    """Ask where a column counts trips; say where one counts people, who travel together."""
    for column, meaning in _list_counts(finder):
        name = finder.columns[column]
        if _PEOPLE & set(meaning.words):
            finder.note(f"Column {name} is not used: a row is one trip, whoever takes part in it.")
        elif COUNT_ROLE in finder.given:
            finder.note(f"Column {name} is not used: a row is one trip, whatever is counted there.")
        elif "started_at" in finder.roles and finder.question is None:
            finder.question = _ask(finder, column)


def check_flows(finder: "RoleFinder") -> None:
    """Raises: FileFormatError for a table of flows without times."""
    if "started_at" in finder.roles or COUNT_ROLE in finder.given:
        return
    has_ends = finder.has_ends() or all(finder.has_end(end) or list_place_columns(finder, end) for end in _ENDS)
    for column, meaning in _list_counts(finder) if has_ends else ():
        if not _PEOPLE & set(meaning.words):
            statement = (
                f"This is a table of flows: {finder.columns[column]} counts the trips of a row, and no column says when "
                "they began. "
                "Trips are loaded one by one, each with its start time: load the file that the flows were counted from."
            )
            raise FileFormatError(statement, code="flows", parameter="roles", columns=finder.columns, statement=statement)


def _list_counts(finder: "RoleFinder") -> list[tuple[int, NameMeaning]]:
    """Columns named as a count and nothing else, with more than one in some row."""
    found = []
    for column, meaning in enumerate(finder.meanings):
        is_count = "count" in meaning.traits and meaning.side is None and not finder.is_used(column)
        if is_count and all(MEANINGS.get(word) in ("count", "id") for word in meaning.rest):
            profile = finder.profile(column)
            if profile.number > MOSTLY and float(profile.numbers.max()) > 1:
                found.append((column, meaning))
    return found


def _ask(finder: "RoleFinder", column: int) -> FileFormatError:
    statement = (
        f"This may be a table of flows: {finder.columns[column]} seems to count the trips of a row. "
        "Trips are loaded one by one, each with its start time: load the file that the flows were counted from."
    )
    return FileFormatError(
        f"{statement} Where every row is one trip, say so: --map {COUNT_ROLE}={NO_COLUMN}.",
        statement=statement,
        code="flows",
        parameter="roles",
        choices=[make_choice("Every row is one trip", roles={COUNT_ROLE: NO_COLUMN})],
        columns=finder.columns,
        roles=dict(finder.roles),
    )
