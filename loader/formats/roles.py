"""Roles: which column is the origin, the destination, the start time and so on, by name and by content."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from loader.formats.detection.contested import settle_contested
from loader.formats.detection.end_roles import ENDS, find_ends
from loader.formats.detection.missing_roles import check_given, explain_missing
from loader.formats.detection.time_roles import find_times
from loader.formats.detection.vocabulary import MEANINGS
from loader.formats.names import NameMeaning, read_names
from loader.formats.plan import NO_COLUMN, LoadOptions
from loader.formats.profile import MOSTLY, Profile
from shared.errors import FileFormatError, RequestError

__all__ = ["ENDS", "MOSTLY", "RoleFinder", "check_roles", "resolve_column"]

TRIP_IDS = frozenset("tripid rideid rentalid journeyid bookingid triptoken tripnumber ridenumber id".split())  # noqa: SIM905


@dataclass
class RoleFinder:
    """Find roles among named columns; profile gives what a column holds.

    given: roles that somebody has settled. question: what a person has to settle. notes: what a person may want to know.
    clock: how a column of clocks without dates is written.
    """

    columns: tuple[str, ...]
    profile: Callable[[int], Profile]
    meanings: list[NameMeaning] = field(init=False)
    given: frozenset[str] = frozenset()
    roles: dict[str, int] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict)
    question: FileFormatError | None = None
    notes: list[str] = field(default_factory=list)
    clock: str = "clock"

    def __post_init__(self) -> None:
        self.meanings = read_names(self.columns)

    def find(self, options: LoadOptions) -> None:
        """Find every role; those that options name come first."""
        for role, column in options.roles.items():
            if column != NO_COLUMN:
                self.set(role, resolve_column(self.columns, column, role), 1.0)
        self.given = frozenset(options.roles)
        settle_contested(self, options)
        if not self.has_ends():
            find_ends(self)
        find_times(self)
        for role in ("region", "datasource"):
            if role not in self.given:
                self._find_name(role, getattr(options, role))
        if "trip_id" not in self.given:
            self._find_trip_id()
        self._find_counts()

    def has_ends(self) -> bool:
        """Tell whether both ends are known."""
        return "route" in self.roles or all(self.has_end(end) for end in ENDS)

    def has_end(self, end: str) -> bool:
        """Tell whether an end is known."""
        return end in self.roles or {f"{end}_longitude", f"{end}_latitude"} <= set(self.roles)

    def is_used(self, column: int) -> bool:
        """Tell whether a column has a role."""
        return column in self.roles.values()

    def free(self, *kinds: str) -> Iterator[tuple[int, NameMeaning]]:
        """Give the columns of some kinds that have no role of another kind."""
        for column, meaning in enumerate(self.meanings):
            if meaning.kind in kinds and not any(
                column == used and not role.endswith(str(meaning.kind)) for role, used in self.roles.items()
            ):
                yield column, meaning

    def set(self, role: str, column: int, confidence: float) -> None:
        """Give a column a role, unless somebody has settled it."""
        if role not in self.given:
            self.roles[role], self.confidence[role] = column, round(confidence, 2)

    def drop(self, role: str) -> None:
        """Leave a role empty."""
        self.roles.pop(role, None)
        self.confidence.pop(role, None)

    def note(self, text: str) -> None:
        """Say what a person may want to know."""
        self.notes.append(text)

    def _find_name(self, role: str, said: str | None) -> None:
        """Find a column of names; what somebody says of the whole file comes before it."""
        found = [
            column
            for column, meaning in enumerate(self.meanings)
            if meaning.kind == role and meaning.side is None and meaning.strangers <= (1 if len(meaning.words) > 2 else 0)
        ]
        found = [column for column in found if not self.is_used(column)]
        if not found:
            return
        if said is None:
            self.set(role, found[0], 0.9)
        else:
            name = self.columns[found[0]]
            self.note(f"Column {name} is not used: {role} {said!r} is given for every row. --map {role}={name} uses the column.")

    def _find_trip_id(self) -> None:
        """Find the publisher's own number of a trip: shown, and not stored."""
        names = ["".join(meaning.words) for meaning in self.meanings]
        free = [column for column, name in enumerate(names) if name in TRIP_IDS and not self.is_used(column)]
        if free:
            self.set("trip_id", free[0], 0.9)

    def _find_counts(self) -> None:
        """Say where a row seems to stand for several trips: each is loaded as one."""
        for column, meaning in enumerate(self.meanings):
            is_count = "count" in meaning.traits and meaning.side is None
            if is_count and all(MEANINGS.get(word) in ("count", "id") for word in meaning.rest) and not self.is_used(column):
                self._note_count(column)

    def _note_count(self, column: int) -> None:
        profile = self.profile(column)
        if profile.number > MOSTLY and float(profile.numbers.max()) > 1:
            self.note(f"Column {self.columns[column]} is not used: a row is one trip, whatever is counted there.")


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
    if not finder.has_ends() or "started_at" not in finder.roles:
        raise explain_missing(finder)
