"""End roles: which columns are the origin and the destination.

Columns whose names say the end come first. A pair that nothing names becomes the end that is left; two such pairs are origin and
destination in order only where just a digit tells their names apart; everything else is asked.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from loader.formats.detection.column_profile import MOSTLY
from loader.formats.detection.questions import ask_roles, quote_names
from loader.formats.detection.role_finder import ENDS
from loader.formats.vocabulary.column_names import NameMeaning
from shared.platform.errors import FileFormatError

if TYPE_CHECKING:
    from loader.formats.detection.role_finder import RoleFinder

AXES: Final = ("longitude", "latitude")
# How sure a name makes us: one word that is not known costs a twentieth.
_STRANGER = 0.95
_BY_SIDE: Final = (1.0, 1.0, 0.8)
_BY_DIGIT, _BY_ORDER, _BY_REST = 0.6, 0.5, 0.7
# A pickup_location may be an address; these can only be positions.
_POINT_WORDS: Final = frozenset(
    {"point", "coord", "coords", "coordinate", "coordinates", "geom", "geometry", "wkt", "latlng", "lonlat"}
)
# Any code of a few letters could be a geohash; in columns of these names it is one.
GEOHASH_WORDS = frozenset({"geohash", "geohashed"})


@dataclass(frozen=True)
class EndColumns:
    """Columns that hold one end: longitude and latitude, or a point. share: how much of their content fits."""

    columns: tuple[int, ...]
    meaning: NameMeaning
    share: float

    def roles(self, end: str) -> dict[str, int]:
        """Return the roles that these columns have as an end."""
        if len(self.columns) == 1:
            return {end: self.columns[0]}
        return {f"{end}_{axis}": column for axis, column in zip(AXES, self.columns, strict=True)}

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """The smallest says most plainly what it is."""
        return self.meaning.is_axis_letter, self.meaning.strangers, self.meaning.level, self.columns[0]

    @property
    def confidence(self) -> float:
        """How sure the name and the content make us."""
        return self.share * _STRANGER**self.meaning.strangers * _BY_SIDE[self.meaning.level]


@dataclass
class EndCandidates:
    """What was found for both ends in one form. loose: what no name gives to an end."""

    named: dict[str, EndColumns]
    loose: list[EndColumns]
    confidence: dict[str, float] = field(default_factory=dict)
    question: FileFormatError | None = None


def find_ends(finder: "RoleFinder") -> None:
    """Prefer coordinates for both ends, then points for both, then a line, then whatever each end has."""
    missing = [end for end in ENDS if not finder.has_end(end)]
    pairs, points = _find_pairs(finder), _find_points(finder)
    for ends in (pairs, points):
        if all(end in ends.named for end in missing):
            _set(finder, [ends], missing)
            return
    others = {end for end in ENDS if end not in missing}
    _share_out(finder, pairs, missing, elsewhere=others | set(points.named))
    route = _find_route(finder)
    if all(end in pairs.named for end in missing):
        _set(finder, [pairs], missing)
    elif route is not None and not others and not all(end in points.named for end in missing):
        finder.set("route", *route)
    else:
        _share_out(finder, points, missing, elsewhere=others | set(pairs.named))
        _set(finder, [pairs, points, *_name_ends(finder)], missing)
    if not finder.has_ends():
        finder.question = finder.question or pairs.question or points.question


def _set(finder: "RoleFinder", found: Sequence[EndCandidates], missing: Sequence[str]) -> None:
    """Give each end the first columns that were found for it."""
    for end in missing:
        for ends in found:
            if end in ends.named:
                confidence = ends.confidence.get(end, ends.named[end].confidence)
                for role, column in ends.named[end].roles(end).items():
                    finder.set(role, column, confidence)
                break


def _find_pairs(finder: "RoleFinder") -> EndCandidates:
    """Find pairs of a longitude and a latitude whose names differ in nothing else."""
    groups: dict[tuple[object, ...], dict[str, list[int]]] = defaultdict(lambda: {axis: [] for axis in AXES})
    for column, meaning in finder.free(*AXES):
        if _score_number(finder, column) > MOSTLY:
            mark = "" if meaning.side else meaning.mark
            groups[meaning.side, meaning.rest, mark][str(meaning.kind)].append(column)
    pairs = []
    for group in groups.values():
        axes = [sorted(group[axis], key=lambda column: (finder.meanings[column].is_axis_letter, column)) for axis in AXES]
        pairs += [_make_pair(finder, columns) for columns in zip(*axes, strict=False)]
    return _sort_out(finder, pairs, lambda end: _pair_remaining(finder, groups, end))


def _pair_remaining(finder: "RoleFinder", groups: dict[tuple[object, ...], dict[str, list[int]]], end: str) -> EndColumns | None:
    """Pair the plainest longitude and the plainest latitude of an end, though their names differ."""
    found = []
    for axis in AXES:
        columns = [column for (side, *_), group in groups.items() if side == end for column in group[axis]]
        if not columns:
            return None
        found.append(min(columns, key=lambda column: _rank(finder.meanings[column], column)))
    return _make_pair(finder, tuple(found))


def _rank(meaning: NameMeaning, column: int) -> tuple[bool, int, int, int]:
    return meaning.is_axis_letter, meaning.strangers, meaning.level, column


def _make_pair(finder: "RoleFinder", columns: tuple[int, ...]) -> EndColumns:
    meaning = max((finder.meanings[column] for column in columns), key=lambda meaning: meaning.strangers)
    return EndColumns(columns, meaning, min(_score_number(finder, column) for column in columns))


def _score_number(finder: "RoleFinder", column: int) -> float:
    profile = finder.profile(column)
    return profile.number if profile.filled else 0.6


def _find_points(finder: "RoleFinder") -> EndCandidates:
    found = []
    for column, meaning in enumerate(finder.meanings):
        may_be = meaning.kind in ("point", None, "time", "date") if meaning.side else meaning.kind == "point"
        if may_be and not finder.is_used(column) and (share := _score_point(finder, column)) > MOSTLY:
            found.append(EndColumns((column,), meaning, share))
    found.sort(key=lambda point: (point.meaning.kind != "point", *point.rank))
    return _sort_out(finder, found, lambda _: None)


def _score_point(finder: "RoleFinder", column: int) -> float:
    profile, meaning = finder.profile(column), finder.meanings[column]
    if profile.filled:
        return max(profile.point, profile.geohash) if GEOHASH_WORDS & set(meaning.words) else profile.point
    return 0.6 if meaning.kind == "point" or (meaning.kind is None and meaning.strangers == 0) else 0.0


def _sort_out(finder: "RoleFinder", found: list[EndColumns], complete: Callable[[str], EndColumns | None]) -> EndCandidates:
    named: dict[str, EndColumns] = {}
    for end in ENDS:
        sided = [columns for columns in found if columns.meaning.side == end]
        best = sided[0] if sided and len(sided[0].columns) == 1 else min(sided, key=lambda columns: columns.rank, default=None)
        if (best := best or complete(end)) is not None and not finder.has_end(end):
            named[end] = best
    loose = [columns for columns in found if columns.meaning.side is None]
    if not all(columns.meaning.is_axis_letter for columns in loose):
        loose = [columns for columns in loose if not columns.meaning.is_axis_letter]
    return EndCandidates(named, sorted(loose, key=lambda columns: min(columns.columns)))


def _share_out(finder: "RoleFinder", ends: EndCandidates, missing: Sequence[str], *, elsewhere: set[str]) -> None:
    """Give what no name gives to an end to the ends that are left; ask where that isn't clear."""
    left = [end for end in missing if end not in ends.named and end not in elsewhere]
    plain = [columns for columns in ends.loose if not columns.meaning.rest]
    if not left or not ends.loose:
        return
    if len(left) == 1:
        chosen = plain if len(plain) == 1 else ends.loose
        if len(chosen) == 1:
            ends.named[left[0]] = chosen[0]
            ends.confidence[left[0]] = _BY_REST * chosen[0].share if chosen is plain else _BY_ORDER
        else:
            _ask_end(finder, ends, left[0])
        return
    ordered, confidence = _order(plain if len(plain) > 1 else ends.loose)
    if ordered:
        for end, columns in zip(left, ordered, strict=True):
            ends.named[end], ends.confidence[end] = columns, confidence
    elif len(ends.loose) > 1:
        _ask_order(finder, ends)


def _order(loose: list[EndColumns]) -> tuple[list[EndColumns], float]:
    """Put two that differ in a digit, or in nothing, in order; nothing where the order is ambiguous."""
    marks = [columns.meaning.mark for columns in loose]
    if len(loose) != 2 or loose[0].meaning.rest != loose[1].meaning.rest:
        return [], 0.0
    if marks[0] == marks[1]:
        return loose, _BY_ORDER
    ordered = sorted(loose, key=lambda columns: (not columns.meaning.mark.isdigit(), columns.meaning.mark.zfill(9)))
    if "" in marks:
        ordered = sorted(loose, key=lambda columns: columns.meaning.mark != "")
    return ordered, _BY_DIGIT if all(mark.isdigit() or not mark for mark in marks) else _BY_ORDER


def _ask_end(finder: "RoleFinder", ends: EndCandidates, end: str) -> None:
    answers = {f"{quote_names(finder.columns, it.columns)}: the {end}": it.roles(end) for it in ends.loose}
    ends.question = ask_roles(f"Several columns may be the {end}, and no name says which.", finder.columns, answers)


def _ask_order(finder: "RoleFinder", ends: EndCandidates) -> None:
    answers = {
        f"From {quote_names(finder.columns, first.columns)} to {quote_names(finder.columns, second.columns)}": {
            **first.roles("origin"),
            **second.roles("destination"),
        }
        for first in ends.loose
        for second in ends.loose
        if first is not second
    }
    shown = "; ".join(quote_names(finder.columns, columns.columns) for columns in ends.loose)
    message = f"Which end is the origin and which the destination, no column's name says: {shown}."
    ends.question = ask_roles(message, finder.columns, answers)


def _find_route(finder: "RoleFinder") -> tuple[int, float] | None:
    found = [
        (meaning.kind != "point", meaning.strangers, column, share)
        for column, meaning in enumerate(finder.meanings)
        if not finder.is_used(column) and (share := finder.profile(column).route) > MOSTLY
    ]
    if not found:
        return None
    _, strangers, column, share = min(found)
    return column, share * _STRANGER**strangers


def _name_ends(finder: "RoleFinder") -> tuple[EndCandidates, EndCandidates]:
    """Take columns at their word: named as coordinates or points, although nothing in the sample reads as such."""
    pairs, points = EndCandidates({}, []), EndCandidates({}, [])
    for end in ENDS:
        kinds: dict[str | None, int] = {}
        for column, meaning in enumerate(finder.meanings):
            if meaning.side == end and meaning.strangers == 0 and (meaning.kind != "point" or _POINT_WORDS & set(meaning.words)):
                kinds.setdefault(meaning.kind, column)
        if all(axis in kinds for axis in AXES):
            pairs.named[end] = EndColumns(tuple(kinds[axis] for axis in AXES), finder.meanings[kinds["longitude"]], 0.3)
        if "point" in kinds:
            points.named[end] = EndColumns((kinds["point"],), finder.meanings[kinds["point"]], 0.3)
    return pairs, points
