"""Order check: a trip ends after it starts. Where nearly every row says otherwise, the two columns were taken for each other."""

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from loader.formats.detection.column_times import Order, detect_time_format
from loader.formats.detection.questions import ask_roles
from loader.formats.model.options import LoadOptions
from loader.formats.model.time_format import MISSING, Microseconds, TimeFormat
from loader.formats.times.joined_clocks import join_dates_and_clocks
from loader.formats.times.parser import parse_times
from shared.platform.errors import FileFormatError

if TYPE_CHECKING:
    from loader.formats.detection.role_finder import RoleFinder

# A clock may be wrong in some rows, not in all.
NEARLY_ALL: Final = 0.95
# One odd row is no reason to ask.
_ROWS_TO_ASK: Final = 2
# A trip's arrival, or the vehicle's where the trip begins.
_DRIVERS_ARRIVAL: Final = frozenset({"arrive", "arrived", "arrival"})
_TIME_ROLES: Final[tuple[str, ...]] = ("started_at", "started_time", "ended_at", "ended_time")


def check_order(finder: "RoleFinder", options: LoadOptions) -> None:
    """Exchange start and end where nothing but their place named them, ask where their names did."""
    roles = finder.roles
    if {"started_at", "ended_at"} - set(roles) or roles["started_at"] == roles["ended_at"]:
        return
    if finder.given & set(_TIME_ROLES):
        return  # who says which column is which has seen the file
    backward, rows = count_backward(finder, options)
    if rows == 0 or backward < NEARLY_ALL * rows:
        return
    exchanged: dict[str, int] = {
        role: roles[other]
        for role, other in zip(_TIME_ROLES, (*_TIME_ROLES[2:], *_TIME_ROLES[:2]), strict=True)
        if other in roles
    }
    if not any(finder.meanings[roles[role]].side for role in ("started_at", "ended_at")):
        for role, column in exchanged.items():
            finder.set(role, column, finder.confidence[role])
    elif _DRIVERS_ARRIVAL & set(finder.meanings[roles["ended_at"]].words):
        start, end = (finder.columns[roles[role]] for role in ("started_at", "ended_at"))
        finder.note(f"{end} lies before {start} in every row, and is not used: it seems to be the vehicle's arrival.")
        finder.drop("ended_at")
        finder.drop("ended_time")
    elif rows >= _ROWS_TO_ASK:
        start, end = (finder.columns[roles[role]] for role in ("started_at", "ended_at"))
        kept: dict[str, int] = {role: roles[role] for role in _TIME_ROLES if role in roles}
        answers: dict[str, dict[str, int]] = {
            f"{end}: the start, {start}: the end": exchanged,
            f"{start}: the start, {end}: the end": kept,
        }
        message = f"By their names trips start at {start} and end at {end}, but then every trip ends before it starts."
        finder.question = finder.question or ask_roles(message, finder.columns, answers)


def count_backward(finder: "RoleFinder", options: LoadOptions) -> tuple[int, int]:
    """Count the rows of the sample that end before they start, and the rows that have both and differ."""
    try:
        form = detect_time_format(finder, options)
    except FileFormatError:
        return 0, 0  # what the numbers or zones mean is asked first
    orders: tuple[Order, ...] = (form.date_order,) if form.date_order else ("mdy", "dmy", "yymd")
    counts = []
    for order in orders:
        written = replace(form, date_order=order)
        start, end = (_read_moments(finder, side, written) for side in ("started", "ended"))
        if len(start) != len(end):
            return 0, 0
        known = (start != MISSING) & (end != MISSING) & (start != end)
        counts.append((int(np.count_nonzero(end[known] < start[known])), int(np.count_nonzero(known))))
    counts = [count for count in counts if count[1]]
    is_clear = len({backward * 2 > rows for backward, rows in counts}) == 1
    return max(counts, key=lambda count: count[1]) if is_clear else (0, 0)


def is_backward(finder: "RoleFinder", options: LoadOptions, *, start: int, end: int) -> bool:
    """Return whether nearly every row would end before it starts, were these columns start and end."""
    trial = copy(finder)
    trial.roles = {"started_at": start, "ended_at": end}
    backward, rows = count_backward(trial, options)
    return rows > 0 and backward >= NEARLY_ALL * rows


def _read_moments(finder: "RoleFinder", side: str, form: TimeFormat) -> Microseconds:
    text = finder.profile(finder.roles[f"{side}_at"]).rows
    if f"{side}_time" in finder.roles:
        text = join_dates_and_clocks(text, finder.profile(finder.roles[f"{side}_time"]).rows, finder.clock)
    return parse_times(text, form, timezone="UTC").exact_us
