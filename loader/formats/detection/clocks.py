"""Clocks: columns of clock times without a date, in every form that exports give them.

`08:12`, `8:12:00 AM`, `08h12`, `0 days 08:12:00`; a clock on the day zero of a program (`1899-12-30 08:12:00`); whole numbers
`812`, `81200`, hours `8` and minutes of the day `492`; fractions of a day (`0.3416667`).
"""

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
import polars as pl

from loader.formats.detection.column_profile import MOSTLY, Profile
from loader.formats.text.numbers import Floats
from loader.formats.text.records import Mask
from loader.formats.times.joined_clocks import CLOCK_DIGITS, DAY_MINUTES
from loader.formats.vocabulary.column_names import NameMeaning

# A few cells may hold something else; their rows are rejects.
NEARLY_ALL: Final = 0.95
ClockForm = Literal["clock", "hour", "hhmm", "hhmmss", "minute", "day_fraction"]

# Durations in minutes hardly differ by more; those in seconds do, so a person is asked.
_LEAST_SPREAD_MINUTES: Final = 300

CLOCK = rf"^(?:0 days |T)?{CLOCK_DIGITS}$"
# Programs that know no clock without a date put it on their day zero: Access, Excel, Lotus, UNIX, .NET.
_DAY_ZERO = r"(?:1899|1900|1904|1970|0001)[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:1899|1900|1904|1970|0001)"
_HALF = r"(?i)^[ap]\.?\s?m\.?$"
_DATED_CLOCK = rf"^(?:{_DAY_ZERO})(?:[T ]|, )\s*\d{{1,2}}:\d{{2}}"


def detect_clock(profile: Profile, meaning: NameMeaning) -> ClockForm | None:
    """Tell in which form a column holds clocks without a date; None where it holds something else."""
    if not profile.filled or meaning.traits & {"id", "count", "duration"}:
        return None
    values = profile.text
    if _share(values.str.contains(CLOCK)) > MOSTLY or _share(values.str.contains(_DATED_CLOCK)) > MOSTLY:
        return "clock"
    if meaning.kind not in ("time", "hour"):
        return None
    return _detect_number(profile, meaning)


def is_one_day(profile: Profile) -> bool:
    """Return whether all values have clocks of one day, such as that of the export."""
    dates = profile.text.str.extract(r"^(\S{6,10})[T ]\d{1,2}:\d{2}")
    return profile.filled > 1 and dates.null_count() == 0 and dates.n_unique() == 1 and profile.text.n_unique() > 1


def may_be_minutes(profile: Profile) -> bool:
    """Return whether a column may hold minutes of the day: whole numbers that spread over most of its hours."""
    numbers = profile.numbers
    if profile.number < NEARLY_ALL or len(numbers) == 0:
        return False
    is_whole = bool(np.all((numbers % 1 == 0) & (numbers >= 0) & (numbers < DAY_MINUTES)))
    return is_whole and float(np.ptp(numbers)) > _LEAST_SPREAD_MINUTES


def has_halves(values: pl.Series) -> bool:
    """Return whether values are the halves of a day: AM and PM, and nothing else. Shape: without empty values."""
    return len(values) > 0 and _share(values.str.contains(_HALF)) >= NEARLY_ALL


def is_minute_of_hour(profile: Profile) -> bool:
    """Return whether a column may hold the minute of an hour."""
    numbers = profile.numbers
    return profile.number >= NEARLY_ALL and bool(np.all((numbers % 1 == 0) & (numbers >= 0) & (numbers < 60)))


def _detect_number(profile: Profile, meaning: NameMeaning) -> ClockForm | None:
    numbers = profile.numbers
    if profile.number <= MOSTLY or len(numbers) == 0 or float(numbers.min()) < 0:
        return None
    if float(np.median(numbers)) < 1 and float(numbers.max()) < 2 and len(np.unique(numbers)) > 1:
        is_fraction = meaning.kind == "time" and meaning.strangers == 0 and float(np.mean(numbers % 1 != 0)) > MOSTLY
        return "day_fraction" if is_fraction else None
    for form, fits in _NUMBER_FORMS.items():
        if float(np.mean(fits(numbers))) >= NEARLY_ALL:
            return form if meaning.kind == "hour" or meaning.side is not None or meaning.strangers == 0 else None
    return None


# Each tells which numbers fit; the first form that nearly all fit is taken.
_NUMBER_FORMS: Final[dict[ClockForm, Callable[[Floats], Mask]]] = {
    "hour": lambda n: (n % 1 == 0) & (n <= 24),
    "hhmm": lambda n: (n % 1 == 0) & (n % 100 < 60) & (n <= 2400),
    "hhmmss": lambda n: (n % 1 == 0) & (n % 100 < 60) & (n // 100 % 100 < 60) & (n <= 240_000),
}


def _share(mask: pl.Series) -> float:
    return int(mask.sum()) / max(len(mask), 1)
