"""Role finder: the columns of a file, what they hold, and the roles found so far."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from loader.formats.detection.column_profile import Profile
from loader.formats.vocabulary.column_names import NameMeaning, read_names
from shared.platform.errors import FileFormatError

ENDS: Final = ("origin", "destination")


@dataclass
class RoleFinder:
    """Find roles among named columns; profile gives what a column holds.

    given: roles that somebody has settled. question: what a person has to settle. notes: what a person may want to know.
    clock: how a column of clocks without dates is written. places_by: of an end that is a place, by what it is looked up.
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
    places_by: dict[str, Literal["key", "name"]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.meanings = read_names(self.columns)

    def has_ends(self) -> bool:
        """Return whether both ends are known."""
        return "route" in self.roles or all(self.has_end(end) for end in ENDS)

    def has_end(self, end: str) -> bool:
        """Return whether an end is known."""
        return bool({end, f"{end}_place"} & set(self.roles)) or {f"{end}_longitude", f"{end}_latitude"} <= set(self.roles)

    def is_used(self, column: int) -> bool:
        """Return whether a column has a role."""
        return column in self.roles.values()

    def free(self, *kinds: str) -> Iterator[tuple[int, NameMeaning]]:
        """Return the columns of some kinds that have no role of another kind."""
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
