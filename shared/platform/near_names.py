"""Names like one that isn't there: for errors that say what may have been meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from shared.platform.safe_text import shorten

_OFFERED: Final = 3
_CUTOFF: Final = 0.6
# What is compared of a name that somebody gave: comparing takes time with the square of it.
_COMPARED: Final = 60


def find_near(name: str, names: Iterable[str]) -> list[str]:
    """The names most like one, best first; the same in other letter case before all."""
    folded = {known.casefold(): known for known in names}
    return [folded[key] for key in get_close_matches(shorten(name, _COMPARED).casefold(), folded, n=_OFFERED, cutoff=_CUTOFF)]


def describe_near(name: str, names: Iterable[str]) -> str:
    """The end of a sentence that says that a name isn't there: near names, else some that are there."""
    known = list(names)
    near = find_near(name, known)
    shown = ", ".join(repr(shorten(each, _COMPARED)) for each in near or known[:_OFFERED])
    return f"; {'near names' if near else 'there is'}: {shown}" if shown else ""
