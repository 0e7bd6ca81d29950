"""Date order: which of a numeric date's three parts are year, month and day, told over a whole column.

    seen = DateParts()
    seen.observe(text)          # batch by batch
    seen.decide()               # "mdy", "dmy", "yymd", or None: ask

A date that fits one order only (13/1, 1/13) decides between day and month. A year of two digits may stand first or last
(24/03/19): it is the part that varies least. Where both are constant, or the other order is as likely, a person must say it.
"""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.formats.times.stamp_forms import rewrite_stamps

Numbers = npt.NDArray[np.int64]
Order = Literal["mdy", "dmy", "yymd"]
_START: Final = r"^\s*(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{1,2})(?:\D|$)"
# Part of a column's dates that may contradict an order before it is ruled out: typing errors are rarer.
_ODD_SHARE: Final = 0.05
# More years than this are no trips' years but days of a month.
_MANY_YEARS: Final = 10
# Two digits that are no year of trips: 2041 to 1989.
_NO_YEAR: Final = (41, 89)


class DateParts:
    """Counts over all dates seen; the same whatever the batches. Dates that begin with a year of four digits don't count."""

    def __init__(self) -> None:
        self.day_first = self.month_first = 0
        self._short = self._not_year_first = self._not_year_last = 0
        self._values = np.zeros((3, 100), np.bool_)

    def observe(self, text: pl.Series) -> None:
        """Process a column's next values."""
        first, second, third, sizes = _split(text)
        self.day_first += int(np.count_nonzero((first > 12) & (first <= 31) & (second <= 12)))
        self.month_first += int(np.count_nonzero((second > 12) & (second <= 31) & (first <= 12)))
        is_short = sizes[1] < 4
        first, second, third = first[is_short], second[is_short], third[is_short]
        is_odd = (second > 12) | (second < 1) | (third < 1) | (third > 31) | (sizes[0][is_short] == 1)
        self._short += len(first)
        self._not_year_first += int(np.count_nonzero(is_odd | _is_no_year(first)))
        is_day = (first >= 1) & (second >= 1) & (np.maximum(first, second) <= 31) & (np.minimum(first, second) <= 12)
        self._not_year_last += int(np.count_nonzero(~is_day | (sizes[1][is_short] == 1) | _is_no_year(third)))
        for seen, part in zip(self._values, (first, second, third), strict=True):
            seen[part] = True

    @property
    def may_be_year_first(self) -> bool:
        """Whether the dates seen may begin with a year of two digits."""
        return bool(self._short) and self._may(self._not_year_first)

    def decide(self) -> Order | None:
        """Return the order, or None where the dates seen leave it open."""
        if self.may_be_year_first:
            if not self._may(self._not_year_last) or self._is_year(0, day=2):
                return "yymd"
            if not self._is_year(2, day=0):
                return None
        if self.day_first == self.month_first:
            return None
        return "dmy" if self.day_first > self.month_first else "mdy"

    def _may(self, contradicting: int) -> bool:
        return contradicting <= _ODD_SHARE * self._short

    def _is_year(self, part: int, *, day: int) -> bool:
        """Return whether one part is plainly the year, and another the day: it has fewer values, over too many years."""
        years, months, days = (np.flatnonzero(self._values[at]) for at in (part, 1, day))
        return len(years) < len(days) and (len(months) == 1 or int(np.ptp(days)) > _MANY_YEARS)


def _split(text: pl.Series) -> tuple[Numbers, Numbers, Numbers, tuple[Numbers, Numbers]]:
    """Return the three parts of every numeric date, and how many digits the first and the last have."""
    is_plain = text.str.contains(_START)
    others = text.filter(~is_plain & text.str.contains(r"\d"))
    found = pl.concat([text.filter(is_plain), rewrite_stamps(others)]) if len(others) else text
    parts = found.str.extract_groups(_START).struct
    first, second, third = (parts.field(name).drop_nulls() for name in "123")
    numbers = [part.cast(pl.Int64).to_numpy() for part in (first, second, third)]
    sizes = [part.str.len_bytes().cast(pl.Int64).to_numpy() for part in (first, third)]
    return numbers[0], numbers[1], numbers[2], (sizes[0], sizes[1])


def _is_no_year(part: Numbers) -> npt.NDArray[np.bool_]:
    return (part >= _NO_YEAR[0]) & (part <= _NO_YEAR[1])
