"""Profile: what a column's sample values look like."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from loader.formats.numbers import is_missing, parse_numbers
from loader.formats.points import parse_point_text, parse_routes
from loader.formats.times import EPOCH, MISSING, parse_stamps

CLOCK = r"^\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?$"
BARE_DATE = r"^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?:[T ]+0{1,2}:00(?::00)?(?:\.0+)?)?$"
DECIMAL_COMMA = r"^\s*[+-]?\d+,\d+\s*$"


@dataclass(frozen=True)
class Profile:
    """Shares of the values that hold something (`filled`) which read as this or that. low, high: range of the numbers."""

    filled: int
    number: float
    low: float
    high: float
    fraction: float
    point: float
    route: float
    times: dict[str, float]
    epoch: float
    epoch_digits: int
    clock: float
    bare_date: float
    has_zone: bool
    example: str

    @property
    def time(self) -> float:
        """Give the share of values that read as times in the best order of year, month and day."""
        return max(self.times.values())


def profile_column(text: pl.Series, *, decimal: str) -> Profile:
    """Profile one column of the sample."""
    values = text.str.strip_chars(" \t")
    values = values.filter(pl.Series(~is_missing(values)))
    count = max(len(values), 1)
    numbers = parse_numbers(values, decimal=decimal)
    finite = numbers[~np.isnan(numbers)]
    stamps = {order: parse_stamps(values, order) for order in ("ymd", "mdy", "dmy")}
    epochs = values.filter(values.str.contains(EPOCH))
    number = len(finite) / count
    return Profile(
        filled=len(values),
        number=number,
        low=float(finite.min()) if len(finite) else 0.0,
        high=float(finite.max()) if len(finite) else 0.0,
        fraction=float(np.count_nonzero(finite % 1)) / count,
        # A number with a decimal comma is no pair.
        point=0.0 if number > 0.5 else float(np.count_nonzero(~np.isnan(parse_point_text(values).longitude))) / count,
        route=float(np.count_nonzero(~np.isnan(parse_routes(values)[1].longitude))) / count,
        times={order: float(np.count_nonzero(exact != MISSING)) / count for order, (exact, _) in stamps.items()},
        epoch=len(epochs) / count,
        epoch_digits=int(np.median(epochs.str.extract(r"^(\d+)").str.len_bytes().to_numpy())) if len(epochs) else 0,
        clock=_share(values, CLOCK, count),
        bare_date=_share(values, BARE_DATE, count),
        has_zone=any(bool(has_zone.any()) for _, has_zone in stamps.values()),
        example=str(values[0])[:64] if len(values) else "",
    )


def _share(values: pl.Series, pattern: str, count: int) -> float:
    return float(values.str.contains(pattern).sum()) / count
