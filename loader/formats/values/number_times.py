"""Times written as one number: digit stamps, epochs, and the day numbers of spreadsheets.

    form = find_number_form(pl.Series(["20240319081200"]))      # form.kinds == ("digits",)
    exact, is_instant = parse_number_times(text, "digits")

A number says nothing about its unit, so the whole sample does: digit stamps are tried before epochs, as 20240319081200 is no
number of seconds, and an epoch's unit is the one that puts the sample into plausible years. Columns of integers pass as text.

| kind | example | meaning |
|---|---|---|
| digits | 20240319, 2024031908, 202403190812, 20240319081200, 20240319081200123 | year to second, and a fraction |
| digits_yy | 2403190812, 240319081200 | the same with a year of two digits |
| epoch_s, epoch_ms, epoch_us, epoch_ns | 1710835920 | seconds and their thousandths, millionths, milliardths since 1970 |
| excel_1900, excel_1904 | 45370.3416667 | days since 1899-12-30 (Windows) or 1904-01-01 (old Macs) |
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.formats.values.civil import MISSING, Microseconds, count_days

NumberKind = Literal["digits", "digits_yy", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "excel_1900", "excel_1904"]
NUMBER_KINDS: Final[tuple[NumberKind, ...]] = (
    "digits",
    "digits_yy",
    "epoch_s",
    "epoch_ms",
    "epoch_us",
    "epoch_ns",
    "excel_1900",
    "excel_1904",
)
# Units of an epoch in a second.
EPOCH_UNITS: Final[dict[str, int]] = {"epoch_s": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}
# Digit stamps: how many digits each has. Those of 15 and more have a fraction of a second behind 14.
_DIGIT_LENGTHS: Final[dict[str, tuple[int, ...]]] = {"digits": (8, 10, 12, 14, 15, 16, 17, 18, 19, 20), "digits_yy": (10, 12)}
_EXCEL_DAY_ZERO: Final[dict[str, int]] = {"excel_1900": -25_569, "excel_1904": -24_107}
_DAY_US: Final = 86_400 * 10**6
# A spreadsheet's seconds are rounded at the seventh digit of a day, hence whole seconds are meant within this. Unit: µs.
_EXCEL_ROUNDING_US: Final = 50_000

# Years in which trips are told apart from ids: few trips were kept before 1990, and dates in the far future are other numbers.
_EARLIEST_YEAR: Final = 1990
_LATEST_YEAR: Final = 2037
_EARLIEST_S: Final = 631_152_000
_LATEST_S: Final = 2_145_916_800
# A reading holds for a column when more than so much of its sample fits; the rest are rejects.
_MOSTLY: Final = 0.5
# Two readings that fit nearly as much of the sample leave a doubt. Whole numbers read as dates by chance in one of 200.
_DOUBT: Final = 0.05

WRAPPED: Final = r"^/?\\?/?Date\((-?\d+)(?:[+-]\d{4})?\)\\?/?$"  # JSON of ASP.NET: /Date(1710835920000)/
_DIGITS: Final = r"^(\d{8,20})(?:\.(\d+))?$"
_SCIENTIFIC: Final = r"^(\d)(?:\.(\d+))?[eE](\+?)0?(\d{1,2})$"
_EXCEL: Final = r"^\d{5}(?:\.\d+)?$"


@dataclass(frozen=True)
class NumberForm:
    """How a sample of numbers reads as times. kinds: every reading that fits, the likeliest first; share: of the values, 0 to 1.

    is_lossy: the numbers were written as 1.71084E+12, so that seconds are lost.
    """

    kinds: tuple[NumberKind, ...] = ()
    share: float = 0.0
    is_lossy: bool = False


def find_number_form(text: pl.Series) -> NumberForm:
    """Find how numbers read as times over a whole sample. Shape: text without empty values."""
    clean = clean_numbers(text)
    known = clean.drop_nulls()
    if len(text) == 0 or len(known) * 2 <= len(text):
        lossy = int(text.str.contains(_SCIENTIFIC).sum() or 0)
        return NumberForm(is_lossy=lossy * 2 > len(text) > 0)
    shares = {kind: _share_plausible(known, kind) for kind in NUMBER_KINDS}
    best = max(shares.values())
    kinds = _rank({kind for kind, share in shares.items() if share > max(_MOSTLY, best - _DOUBT)})
    return NumberForm(kinds, best * len(known) / len(text) if kinds else 0.0)


def _rank(kinds: set[NumberKind]) -> tuple[NumberKind, ...]:
    """Order the readings that fit. A stamp with a whole year leaves no doubt; ten digits with a short one may be seconds."""
    if "digits" in kinds:
        return ("digits",)
    return tuple(kind for kind in NUMBER_KINDS if kind in kinds)


def clean_numbers(text: pl.Series) -> pl.Series:
    """Give numbers that may be times in plain digits; null where a value is none, or lost digits. Shape: as text."""
    values = text.str.strip_chars(" \t")
    is_plain = values.str.contains(rf"{_DIGITS}|{_EXCEL}")
    if is_plain.all():
        return values
    groups = values.str.extract_groups(_SCIENTIFIC).struct
    fraction, exponent = groups.field("2").fill_null(""), groups.field("4").cast(pl.Int64)
    frame = pl.DataFrame(
        {
            "text": values,
            "is_plain": is_plain,
            "first": groups.field("1"),
            "fraction": fraction,
            "has_plus": groups.field("3") == "+",
            "exponent": exponent,
        }
    )
    # 1.710835920E+09: every second is still there, as many digits as the exponent says (or three less, of milliseconds).
    # Without the plus it is what programs write of a float, in as many digits as it has.
    lost = pl.col("exponent") - pl.col("fraction").str.len_bytes()
    is_exact = ~pl.col("has_plus") | (lost <= 0) | ((lost <= 3) & (pl.col("exponent") >= 12))
    plain = pl.concat_str("first", "fraction", pl.lit("0" * 20)).str.slice(0, pl.col("exponent") + 1)
    return frame.select(
        pl.when(pl.col("is_plain"))
        .then("text")
        .when(pl.col("text").str.contains(WRAPPED))
        .then(pl.col("text").str.extract(WRAPPED))
        .when(is_exact)
        .then(plain)
    ).to_series()


def format_numbers(values: pl.Series) -> pl.Series:
    """Give a column of integers or floats as the text that the functions here read. Shape: as values."""
    if not values.dtype.is_float():
        return values.cast(pl.String)
    finite = pl.select(pl.when(values.is_finite()).then(values)).to_series().cast(pl.Float64)
    whole = finite.floor()
    places = ((finite - whole) * 10**6).round().cast(pl.Int64, strict=False)
    digits = whole.cast(pl.Int64, strict=False).cast(pl.String)
    parts = pl.DataFrame({"digits": digits, "places": places})
    fraction = pl.col("places").cast(pl.String).str.zfill(6)
    is_whole = (pl.col("places") == 0) | (pl.col("places") >= 10**6)
    return parts.select(pl.when(is_whole).then("digits").otherwise(pl.concat_str("digits", pl.lit("."), fraction))).to_series()


def parse_number_times(text: pl.Series, kind: NumberKind) -> tuple[Microseconds, npt.NDArray[np.bool_]]:
    """Parse times written as one number; gives UTC for epochs, the wall clock for others, and which of them are instants.

    Shape: as text. Units: microseconds since 1970; MISSING where a value reads otherwise.
    """
    is_instant = np.full(len(text), kind in EPOCH_UNITS)
    return _parse(clean_numbers(text), kind), is_instant


def _parse(clean: pl.Series, kind: NumberKind) -> Microseconds:
    if kind in EPOCH_UNITS:
        return _parse_epochs(clean, EPOCH_UNITS[kind])
    if kind in _DIGIT_LENGTHS:
        return _parse_digits(clean, kind)
    return _parse_days(clean, _EXCEL_DAY_ZERO[kind])


def _share_plausible(clean: pl.Series, kind: NumberKind) -> float:
    exact = _parse(clean, kind)
    years = exact.view("M8[us]").astype("M8[Y]").astype(np.int64) + 1970
    fits = (exact != MISSING) & (years >= _EARLIEST_YEAR) & (years <= _LATEST_YEAR)
    return float(np.count_nonzero(fits)) / max(len(clean), 1)


def _split(clean: pl.Series) -> tuple[pl.Series, pl.Series]:
    parts = pl.select(pl.when(clean.str.contains(_DIGITS)).then(clean)).to_series().str.splitn(".", 2).struct
    return parts.field("field_0"), parts.field("field_1").fill_null("")


def _parse_epochs(clean: pl.Series, units: int) -> Microseconds:
    digits, fraction = _split(clean)
    whole = digits.cast(pl.Int64, strict=False).fill_null(-1).to_numpy()
    if units >= 10**6:
        return np.where(whole >= 10**8, whole // (units // 10**6), MISSING)
    step = 10**6 // units
    places = len(str(step)) - 1
    rest = fraction.str.pad_end(places, "0").str.head(places).cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    is_epoch = (whole >= 10**8) & (whole < 2**62 // step)
    return np.where(is_epoch, np.where(is_epoch, whole, 0) * step + rest, MISSING)


def _parse_digits(clean: pl.Series, kind: NumberKind) -> Microseconds:
    digits, fraction = _split(clean)
    lengths = digits.str.len_bytes().fill_null(0).to_numpy()
    if kind == "digits_yy":
        century = pl.when(pl.col("digits") >= "69").then(pl.lit("19")).otherwise(pl.lit("20"))
        digits = pl.DataFrame({"digits": digits}).select(pl.concat_str(century, "digits")).to_series()
    parts = [(0, 4), (4, 2), (6, 2), (8, 2), (10, 2), (12, 2)]
    year, month, day, hour, minute, second = (
        digits.str.slice(at, size).cast(pl.Int64, strict=False).fill_null(0).to_numpy() for at, size in parts
    )
    # Behind 14 digits a fraction may follow, with or without a point; elsewhere only the zeros that a written float has.
    written = pl.select(
        pl.concat_str(digits.str.slice(14), pl.when(digits.str.len_bytes() >= 14).then(fraction).otherwise(pl.lit("")))
    )
    part_s = written.to_series().str.pad_end(6, "0").str.head(6).cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    has_odd_fraction = fraction.str.contains("[1-9]").to_numpy() & (digits.str.len_bytes() != 14).fill_null(value=True).to_numpy()
    days, is_date = count_days(year, month, day)
    is_clock = (hour < 24) & (minute < 60) & (second < 60) & ~has_odd_fraction
    exact = ((days * 24 + hour) * 3600 + minute * 60 + second) * 10**6 + part_s
    return np.where(np.isin(lengths, _DIGIT_LENGTHS[kind]) & is_date & is_clock, exact, MISSING)


def _parse_days(clean: pl.Series, day_zero: int) -> Microseconds:
    values = pl.select(pl.when(clean.str.contains(_EXCEL)).then(clean)).to_series().cast(pl.Float64, strict=False)
    days = values.fill_null(float("nan")).to_numpy()
    known = np.isfinite(days)
    exact = np.rint((np.where(known, days, 0) + day_zero) * _DAY_US).astype(np.int64)
    seconds = np.rint(exact / 10**6).astype(np.int64) * 10**6
    return np.where(known, np.where(np.abs(exact - seconds) <= _EXCEL_ROUNDING_US, seconds, exact), MISSING)


def is_row_number(text: pl.Series) -> bool:
    """Tell whether numbers rise by the same step from row to row, as ids do and times hardly: then no epoch is meant."""
    numbers = text.cast(pl.Int64, strict=False).drop_nulls().to_numpy()
    steps = np.diff(numbers)
    return len(steps) > 1 and bool(np.all(steps == steps[0])) and steps[0] in (-1, 1)
