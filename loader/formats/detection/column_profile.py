"""Profile: what a column's sample values look like. Each question is answered when it is asked, and once."""

from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.formats.coordinates.cells import parse_geohashes
from loader.formats.coordinates.points import parse_point_text
from loader.formats.coordinates.polylines import find_polylines
from loader.formats.coordinates.routes import ROUTE_START, parse_routes
from loader.formats.model.time_format import MISSING
from loader.formats.text.numbers import Floats, is_missing, parse_numbers
from loader.formats.times.number_times import NumberForm, find_number_form, is_row_number
from loader.formats.times.parser import parse_plain
from loader.formats.times.stamp_forms import find_zone_names, rewrite_stamps

CLOCK = r"^\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?$"
BARE_DATE = (
    r"(?i)^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|(?:19|20)\d{2}(?:0\d|1[0-2])[0-3]\d(?:\.0+)?)"
    r"(?:[T ]+(?:0{1,2}:00(?::00)?(?:\.0+)?|12:00(?::00)? ?am)(?:\s*(?:Z|UTC|[+-]00:?00))?)?$"
)
MOSTLY = 0.5
# A date has at least so many digits and a sign or a letter between them.
_MAY_BE_STAMP = r"\d\D+\d|\d{8}"
DECIMAL_COMMA = r"^\s*[+-]?\d+,\d+\s*$"


class Profile:
    """Shares of the values that hold something which read as this or that, from 0 to 1."""

    rows: pl.Series
    """All values, also those that hold nothing."""

    def __init__(self, text: pl.Series, *, decimal: str = ".") -> None:
        values = text.str.strip_chars(" \t")
        self.rows = values
        self._values = values.filter(pl.Series(~is_missing(values)))
        self._decimal = decimal

    @property
    def filled(self) -> int:
        """Return how many values hold something."""
        return len(self._values)

    @property
    def example(self) -> str:
        """Return the first value."""
        return str(self._values[0])[:64].replace("\0", "␀") if self.filled else ""

    @cached_property
    def numbers(self) -> Floats:
        """Return the values that are numbers."""
        numbers = parse_numbers(self._values, decimal=self._decimal)
        return numbers[~np.isnan(numbers)]

    @property
    def number(self) -> float:
        """Return the share of numbers."""
        return len(self.numbers) / max(self.filled, 1)

    @property
    def fraction(self) -> float:
        """Return the share of numbers written with a fraction."""
        return self._share(self._values.str.contains(r"^[+-]?\d*[.,]\d+$").to_numpy())

    @cached_property
    def point(self) -> float:
        """Return the share of points; a number with a decimal comma is none."""
        return 0.0 if self.number > 0.5 else self._share(~np.isnan(parse_point_text(self._values).longitude))

    @cached_property
    def route(self) -> float:
        """Return the share of lines."""
        if self._values.str.contains(ROUTE_START).any():
            return self._share(~np.isnan(parse_routes(self._values)[1].longitude))
        return self._share(find_polylines(self._values))

    @cached_property
    def geohash(self) -> float:
        """Return the share of what could be geohashes: any code of a few letters and digits could."""
        return 0.0 if self.number > 0.5 else self._share(~np.isnan(parse_geohashes(self._values).longitude))

    @cached_property
    def times(self) -> dict[str, float]:
        """Return the share of times for each order of year, month and day."""
        return {order: self._share(exact != MISSING) for order, (exact, _) in self._stamps.items()}

    @property
    def time(self) -> float:
        """Return the share of times in the best order."""
        return max(self.times.values(), default=0.0)

    @property
    def has_zone(self) -> bool:
        """Return whether any value has an offset or zone."""
        return any(bool(has_zone.any()) for _, has_zone in self._stamps.values())

    @cached_property
    def _stamps(self) -> dict[str, tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]]:
        if self.number > 0.5 or not self._values.str.contains(_MAY_BE_STAMP).any():
            return {}
        return {order: self._parse_stamps(order) for order in ("ymd", "mdy", "dmy", "yymd")}

    def _parse_stamps(self, order: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Parse as parse_stamps does, rewriting the values once for all orders."""
        exact, has_zone = parse_plain(self._values, order)
        rest = np.flatnonzero(exact == MISSING)
        if len(rest):
            exact[rest], has_zone[rest] = parse_plain(self.plain.gather(rest), order)
        return exact, has_zone

    @property
    def text(self) -> pl.Series:
        """Return the values that hold something."""
        return self._values

    @cached_property
    def plain(self) -> pl.Series:
        """Return the values with times in plain form, as far as they are written times."""
        return rewrite_stamps(self._values)

    @cached_property
    def zone_names(self) -> pl.Series:
        """Return the abbreviations of time zones that end values, such as EDT."""
        return find_zone_names(self._values).drop_nulls()

    @cached_property
    def number_form(self) -> NumberForm:
        """Return how the values read as times written as numbers."""
        return find_number_form(self._values)

    @property
    def epoch(self) -> float:
        """Return the share of numbers that mean times: digit stamps, epochs, days of a spreadsheet."""
        return self.number_form.share

    @property
    def is_recent(self) -> bool:
        """Return whether the numbers mean times for sure, although no name says so: an object's number hardly does."""
        kinds = self.number_form.kinds
        if not kinds or kinds[0].startswith(("excel", "epoch_2001", "epoch_1960", "epoch_min", "julian")):
            return False
        return not is_row_number(self._values)

    @cached_property
    def clock(self) -> float:
        """Return the share of clock times without a date."""
        return self._share(self.plain.str.contains(CLOCK).to_numpy())

    @cached_property
    def bare_date(self) -> float:
        """Return the share of dates without a clock time, or at midnight."""
        return self._share(self.plain.str.contains(BARE_DATE).to_numpy())

    def _share(self, mask: npt.NDArray[np.bool_]) -> float:
        return float(np.count_nonzero(mask)) / max(self.filled, 1)
