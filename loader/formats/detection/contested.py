"""Contested words: a bike is checked out first, a passenger checks in first. Only a file's times tell which it means."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from loader.formats.detection.column_profile import MOSTLY
from loader.formats.detection.order_check import is_backward
from loader.formats.detection.questions import ask_roles
from loader.formats.model.options import LoadOptions
from loader.formats.vocabulary.words import CONTESTED

if TYPE_CHECKING:
    from loader.formats.detection.role_finder import RoleFinder

_EXCHANGED: Final = {"origin": "destination", "destination": "origin"}
_COORDINATES: Final = ("longitude", "latitude", "point")


def settle_contested(finder: "RoleFinder", options: LoadOptions) -> None:
    """Let the times decide where both words stand in the header; ask where positions need it and no time tells."""
    found = {word: [column for column, it in enumerate(finder.meanings) if word in it.words] for word in CONTESTED}
    if not all(found.values()):
        return
    times = {
        word: next((column for column in columns if finder.profile(column).time > MOSTLY), None)
        for word, columns in found.items()
    }
    checked_in, checked_out = (times[word] for word in CONTESTED)
    if checked_in is not None and checked_out is not None:
        if is_backward(finder, options, start=checked_out, end=checked_in):
            _exchange(finder, [column for columns in found.values() for column in columns])
        return
    named = {
        word: {str(finder.meanings[column].kind): column for column in columns if finder.meanings[column].kind in _COORDINATES}
        for word, columns in found.items()
    }
    if all(named.values()) and not _is_settled(finder):
        _ask(finder, named)


def _is_settled(finder: "RoleFinder") -> bool:
    return any(role.startswith(("origin", "destination", "route")) for role in finder.given)


def _exchange(finder: "RoleFinder", columns: list[int]) -> None:
    for column in columns:
        meaning = finder.meanings[column]
        if meaning.side is not None:
            finder.meanings[column] = replace(meaning, side=_EXCHANGED[meaning.side])


def _ask(finder: "RoleFinder", named: dict[str, dict[str, int]]) -> None:
    answers = {}
    for first, second in (CONTESTED[::-1], CONTESTED):
        answers[f"{first} is the origin, {second} the destination"] = {
            end if kind == "point" else f"{end}_{kind}": column
            for end, word in (("origin", first), ("destination", second))
            for kind, column in named[word].items()
        }
    message = f"Trips may begin at {CONTESTED[1]}, as bikes do, or at {CONTESTED[0]}, as passengers do."
    finder.question = ask_roles(message, finder.columns, answers)
