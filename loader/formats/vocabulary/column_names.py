"""Names: what a column's name says about its role.

A name is cut into words (case, accents, blanks, underscores, camelCase and glued words like `startlat` all the same), and each
word is looked up in the vocabulary: it means a side (origin, destination), a kind (longitude, point, time, …), something else, or
nothing known. What all columns begin with (`table_1.`, `trip_`) says nothing.

    read_name("Dropoff Centroid  Location").side == "destination"
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from loader.formats.vocabulary.words import MEANINGS, PHRASES, fold

SIDES = ("origin", "destination")
# How plainly a word says which end it means: the plainest words of a name decide.
LEVELS = ("", " hint", " letter")
KINDS = ("longitude", "latitude", "point", "time", "date", "hour", "region", "datasource")
TRAITS = ("before the trip", "not the trip", "duration", "id", "count")
_COORDINATES = ("longitude", "latitude", "point")
_AXES = {"x": "longitude", "y": "latitude"}
# Words that glue to others: `starttime`, `pickupdatetime`, `fromlat`. Shorter ones would be found in any word.
_SHORT_GLUED = frozenset({"at", "to", "pu", "do", "id", "ts", "dt", "nr", "ms", "x", "y"})
_GLUED = sorted(
    (word for word, it in MEANINGS.items() if (len(word) > 2 and not it.endswith(" letter")) or word in _SHORT_GLUED),
    key=len,
    reverse=True,
)
_GLUED_SET = frozenset(_GLUED)
_LONGEST_IDEOGRAPHS = max(len(word) for word in MEANINGS if not word.isascii())
# `Abfahrtszeit`: German joins words by an s.
_JOINED_BY_S = 4
_SEPARATED_PREFIX = re.compile(r"^(.{1,60}?)(?:\.|__|/|:)(?=.)")


@dataclass(frozen=True)
class NameMeaning:
    """What a column's name says.

    level: how plainly it says the side, 0 most. traits: what else it holds. rest: the words that are no side, kind or filler;
    strangers counts them. mark: the digit, or the `x` or `y` of merged tables, that tells columns of one name apart.
    """

    side: str | None
    kind: str | None
    strangers: int
    words: tuple[str, ...]
    level: int = 0
    traits: frozenset[str] = frozenset()
    rest: frozenset[str] = frozenset()
    mark: str = ""
    is_axis_letter: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the name alone shows that this is a header's cell: a kind, or a side that no short word says."""
        return self.kind is not None or (self.side is not None and self.level == 0)


def read_names(columns: Sequence[str]) -> list[NameMeaning]:
    """Read the names of a table's columns."""
    return [read_name(name) for name in strip_prefix(columns)]


def strip_prefix(columns: Sequence[str]) -> list[str]:
    """Take away what stands before a dot or the like in front of every column, as Hive writes a table's name."""
    prefixes = {match.group(1) if (match := _SEPARATED_PREFIX.match(name)) else None for name in columns if name}
    if len(columns) > 1 and len(prefixes) == 1 and (prefix := prefixes.pop()) is not None:
        return [name[len(prefix) :].lstrip("._/:") for name in columns]
    return list(columns)


@lru_cache(maxsize=4096)
def read_name(name: str) -> NameMeaning:
    """Read a column's name."""
    words = split_words(name)
    meanings = {word: MEANINGS.get(word) for word in words}
    kind, mark, is_axis_letter = _find_kind(words)
    strangers = [word for word in words if _is_stranger(word, meanings[word])]
    if is_axis_letter and strangers:
        kind, mark, is_axis_letter = None, mark or next(word for word in words if word in _AXES), False
    side, level = _find_side(words, is_known=not strangers and (kind is not None or len(words) == 1))
    return NameMeaning(
        side,
        kind,
        len(strangers),
        words,
        level=level,
        traits=frozenset(trait for trait in meanings.values() if trait in TRAITS),
        rest=frozenset(strangers),
        mark=mark,
        is_axis_letter=is_axis_letter,
    )


def _is_stranger(word: str, meaning: str | None) -> bool:
    return not word.isdigit() and (meaning is None or meaning in TRAITS)


def _find_kind(words: tuple[str, ...]) -> tuple[str | None, str, bool]:
    """Find the kind, what tells it from a column of the same name, and whether only a letter says the kind."""
    kinds = [meaning for word in words if (meaning := MEANINGS.get(word)) in KINDS]
    letters = [word for word in words if word in _AXES]
    digits = [word for word in words if word.isdigit()]
    mark = digits[-1] if digits else ""
    if {"latitude", "longitude"} <= set(kinds):
        return "point", mark, False
    axis = next((kind for kind in kinds if kind in ("longitude", "latitude")), None)
    if axis is not None or (letters and kinds and kinds[-1] not in _COORDINATES):
        return axis or kinds[-1], letters[-1] if letters else mark, False
    if len(letters) == 1:
        return _AXES[letters[0]], mark, True
    return (kinds[-1] if kinds else None), mark, False


def _find_side(words: tuple[str, ...], *, is_known: bool) -> tuple[str | None, int]:
    for number, level in enumerate(LEVELS):
        if level == " letter" and not is_known:
            break
        sides = {side for side in SIDES for word in words if MEANINGS.get(word) == side + level}
        if sides:
            return (sides.pop(), number) if len(sides) == 1 else (None, 0)
    return None, 0


def split_words(name: str) -> tuple[str, ...]:
    """Cut a column's name into folded words."""
    found: list[str] = []
    for chunk in re.findall(r"[^\W_]+", name.strip()):
        spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", chunk)
        cuts = [_cut(text) for text in dict.fromkeys((spaced, chunk))]
        found += min(cuts, key=lambda words: sum(word not in MEANINGS for word in words if not word.isdigit()))
    return tuple(_join_phrases(found))


def _cut(text: str) -> list[str]:
    # E7: degrees times ten million; no side.
    words = re.findall(r"[^\W\d_]+|\d+", re.sub(r"(?i)e[5-7]$", "", text))
    return [part for word in words for part in _unglue(fold(word))]


def _join_phrases(words: list[str]) -> list[str]:
    joined = [PHRASES.get(pair) for pair in pairwise(words)]
    if not any(joined):
        return words
    kept = [joined[at] or word for at, word in enumerate(words[:-1])] + words[-1:]
    return [word for at, word in enumerate(kept) if not (at and joined[at - 1])]


@lru_cache(maxsize=4096)
def _unglue(word: str) -> tuple[str, ...]:
    """Cut a glued word into known words, if it is made of nothing else; ideographs and syllables always."""
    if word in MEANINGS:
        return (word,)
    if not word.isascii():
        return _cut_ideographs(word)
    for known in _GLUED:
        if word.startswith(known):
            rest = word[len(known) :]
            tails = (rest, rest[1:]) if rest[:1] == "s" and len(known) >= _JOINED_BY_S else (rest,)
            for tail in tails:
                parts = _unglue(tail) if tail else ()
                if parts and all(part in _GLUED_SET for part in parts):
                    return (known, *parts)
    return (word,)


def _cut_ideographs(word: str) -> tuple[str, ...]:
    """Cut text without blanks into the longest known words; what lies between them are words, too."""
    found: list[str] = []
    unknown, at = "", 0
    while at < len(word):
        ends = range(min(len(word), at + _LONGEST_IDEOGRAPHS), at, -1)
        end = next((end for end in ends if word[at:end] in MEANINGS and not word[at:end].isascii()), None)
        if end is None:
            unknown += word[at]
            at += 1
            continue
        found += [unknown, word[at:end]] if unknown else [word[at:end]]
        unknown, at = "", end
    return tuple([*found, unknown] if unknown else found)
