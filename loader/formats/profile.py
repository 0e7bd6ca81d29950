"""Profile: what a column's sample values look like. Each question is answered when it is asked, and once."""

from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.formats.months import HAS_NAME
from loader.formats.numbers import Floats, is_missing, parse_numbers
from loader.formats.points import parse_point_text, parse_routes
from loader.formats.times import EPOCH, MISSING, parse_stamps

CLOCK = r"^\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?$"
BARE_DATE = (
    r"^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
    r"|\d{1,2}[-/. ][A-Za-z]{3,9}[-/., ]\s*\d{2,4}|[A-Za-z]{3,9}[-/. ]\d{1,2},?[-/. ]\s*\d{4})"
    r"(?:[T ]+0{1,2}:00(?::00)?(?:\.0+)?)?$"
)
DATE_START = r"^\d{1,4}[-/.]\d{1,2}[-/.]\d"
DECIMAL_COMMA = r"^\s*[+-]?\d+,\d+\s*$"


class Profile:
    """Shares of the values that hold something which read as this or that, from 0 to 1."""

    def __init__(self, text: pl.Series, *, decimal: str = ".") -> None:
        values = text.str.strip_chars(" \t")
        self._values = values.filter(pl.Series(~is_missing(values)))
        self._decimal = decimal

    @property
    def filled(self) -> int:
        """Give how many values hold something."""
        return len(self._values)

    @property
    def example(self) -> str:
        """Give the first value."""
        return str(self._values[0])[:64] if self.filled else ""

    @cached_property
    def numbers(self) -> Floats:
        """Give the values that are numbers."""
        numbers = parse_numbers(self._values, decimal=self._decimal)
        return numbers[~np.isnan(numbers)]

    @property
    def number(self) -> float:
        """Give the share of numbers."""
        return len(self.numbers) / max(self.filled, 1)

    @property
    def fraction(self) -> float:
        """Give the share of numbers written with a fraction."""
        return self._share(self._values.str.contains(r"^[+-]?\d*[.,]\d+$").to_numpy())

    @cached_property
    def point(self) -> float:
        """Give the share of points; a number with a decimal comma is none."""
        return 0.0 if self.number > 0.5 else self._share(~np.isnan(parse_point_text(self._values).longitude))

    @cached_property
    def route(self) -> float:
        """Give the share of lines."""
        if not self._values.str.contains(r"(?i)LINESTRING|\[\s*\[").any():
            return 0.0
        return self._share(~np.isnan(parse_routes(self._values)[1].longitude))

    @cached_property
    def times(self) -> dict[str, float]:
        """Give the share of times for each order of year, month and day."""
        return {order: self._share(exact != MISSING) for order, (exact, _) in self._stamps.items()}

    @property
    def time(self) -> float:
        """Give the share of times in the best order."""
        return max(self.times.values(), default=0.0)

    @property
    def has_zone(self) -> bool:
        """Tell whether any value has an offset or zone."""
        return any(bool(has_zone.any()) for _, has_zone in self._stamps.values())

    @cached_property
    def _stamps(self) -> dict[str, tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]]:
        if not self._values.str.contains(rf"{DATE_START}|{HAS_NAME}").any():
            return {}
        return {order: parse_stamps(self._values, order) for order in ("ymd", "mdy", "dmy")}

    @cached_property
    def _epochs(self) -> pl.Series:
        return self._values.filter(self._values.str.contains(EPOCH))

    @property
    def epoch(self) -> float:
        """Give the share of whole numbers long enough to count seconds since 1970."""
        return len(self._epochs) / max(self.filled, 1)

    @property
    def epoch_digits(self) -> int:
        """Give how many digits they have, as a rule."""
        digits = self._epochs.str.extract(r"^(\d+)").str.len_bytes().to_numpy()
        return int(np.median(digits)) if len(digits) else 0

    @property
    def is_recent(self) -> bool:
        """Tell whether the whole numbers, taken for epochs, lie between 1990 and 2100: a number of an object hardly does."""
        values = self._epochs.cast(pl.Float64, strict=False).to_numpy()
        unit = 1000.0 ** max(0, (self.epoch_digits - 9) // 3) if len(values) else 1.0
        return len(values) > 0 and 631_152_000 <= float(np.nanmedian(values)) / unit <= 4_102_444_800

    @cached_property
    def clock(self) -> float:
        """Give the share of clock times without a date."""
        return self._share(self._values.str.contains(CLOCK).to_numpy())

    @cached_property
    def bare_date(self) -> float:
        """Give the share of dates without a clock time, or at midnight."""
        return self._share(self._values.str.contains(BARE_DATE).to_numpy())

    def _share(self, mask: npt.NDArray[np.bool_]) -> float:
        return float(np.count_nonzero(mask)) / max(self.filled, 1)
