"""Civil time: year, month and day to microseconds since 1970."""

import numpy as np
import numpy.typing as npt

from loader.formats.model.time_format import Microseconds


def count_days(year: Microseconds, month: Microseconds, day: Microseconds) -> tuple[Microseconds, npt.NDArray[np.bool_]]:
    """Count days from 1970-01-01 in the Gregorian calendar, and tell which dates exist. Shape: as year."""
    is_date = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(is_date, (year - 1970) * 12 + month - 1, 0)
    first, following = ((months + step).astype("M8[M]").astype("M8[D]").astype(np.int64) for step in (0, 1))
    return first + day - 1, is_date & (day <= following - first)


def widen_years(year: Microseconds) -> Microseconds:
    """Complete years of two digits as POSIX does: 69 to 99 are the 1900s, 00 to 68 the 2000s."""
    return np.where(year >= 69, year + 1900, year + 2000)
