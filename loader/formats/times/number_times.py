"""Times written as one number: digit stamps, epochs, and the day numbers of spreadsheets.

    form = find_number_form(pl.Series(["20240319081200"]))      # form.kinds == ("digits",)
    exact, is_instant = parse_number_times(text, "digits")

A number says nothing about its unit, so the whole sample does: digit stamps are tried before epochs, as 20240319081200 is no
number of seconds, and an epoch's unit is the one that puts the sample into plausible years. Columns of integers pass as text.

| kind | example | meaning |
|---|---|---|
| digits | 20240319, 2024031908, 202403190812, 20240319081200, 20240319081200123 | year to second, and a fraction |
| digits_yy | 2403190812, 240319081200 | the same with a year of two digits |
| digits_dmy, digits_mdy | 190320240812, 19032024081200 | day or month first, the year behind them; a zero in front may be lost |
| digits_dmyy, digits_mdyy | 1903240812, 190324081200 | the same with a year of two digits |
| epoch_s, epoch_ms, epoch_us, epoch_ns | 1710835920 | seconds and their thousandths, millionths, milliardths since 1970 |
| epoch_min | 28513932 | minutes since 1970 |
| epoch_2001_s, ..._ms, ..._us, ..._ns | 732528720.5 | seconds and their parts since 2001 (Apple) |
| epoch_1960_s, epoch_1960_ms | 2026455120 | seconds and milliseconds since 1960 (SAS, Stata) |
| gps_s, gps_ms | 1394871138 | seconds and milliseconds of GPS, which has no leap seconds, since 1980-01-06 |
| ticks, filetime | 638464327200000000, 133553095200000000 | units of 100 ns since the year 1 (.NET) or 1601 (Windows) |
| webkit | 13355309520000000 | microseconds since 1601 (Chrome) |
| excel_1900, excel_1904 | 45370.3416667 | days since 1899-12-30 (Windows) or 1904-01-01 (old Macs) |
| julian | 2460388.8416667 | days since noon of 4714 BC in UTC, with a fraction |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.formats.model.time_format import MISSING, NUMBER_KINDS, Microseconds, NumberKind
from loader.formats.times.civil import count_days
from loader.formats.times.date_order import DateParts

_S_OF_1601, _S_OF_2001, _S_OF_1960, _S_OF_GPS = -11_644_473_600, 978_307_200, -315_619_200, 315_964_800
# Epochs: units in a second, and the moment of 0 in seconds since 1970.
_EPOCHS: Final[dict[str, tuple[int, int]]] = {
    "epoch_s": (1, 0),
    "epoch_ms": (10**3, 0),
    "epoch_us": (10**6, 0),
    "epoch_ns": (10**9, 0),
    "epoch_2001_s": (1, _S_OF_2001),
    "epoch_2001_ms": (10**3, _S_OF_2001),
    "epoch_2001_us": (10**6, _S_OF_2001),
    "epoch_2001_ns": (10**9, _S_OF_2001),
    "epoch_1960_s": (1, _S_OF_1960),
    "epoch_1960_ms": (10**3, _S_OF_1960),
    "gps_s": (1, _S_OF_GPS),
    "gps_ms": (10**3, _S_OF_GPS),
    "ticks": (10**7, -62_135_596_800),
    "filetime": (10**7, _S_OF_1601),
    "webkit": (10**6, _S_OF_1601),
}
INSTANT_KINDS: Final[frozenset[str]] = frozenset({*_EPOCHS, "epoch_min", "julian"} - {"ticks"})
# The kind that a column named for GPS may hold instead of an epoch. Nothing but a name tells them apart: GPS seconds of 2024 are
# Unix seconds of 2014.
GPS_KINDS: Final[dict[str, NumberKind]] = {"epoch_s": "gps_s", "epoch_ms": "gps_ms"}
# GPS time is ahead of UTC by one more second from each of these on, in GPS seconds. Source: IERS Bulletin C.
_LEAP_SECONDS: Final = np.array(
    [
        *(46_828_800, 78_364_801, 109_900_802, 173_059_203, 252_028_804, 315_187_205, 346_723_206, 393_984_007, 425_520_008),
        *(457_056_009, 504_489_610, 551_750_411, 599_184_012, 820_108_813, 914_803_214, 1_025_136_015, 1_119_744_016),
        1_167_264_017,
    ]
)
# Digit stamps: how many digits each has. Those of 15 and more have a fraction of a second behind 14.
_DIGIT_LENGTHS: Final[dict[str, tuple[int, ...]]] = {"digits": (8, 10, 12, 14, 15, 16, 17, 18, 19, 20), "digits_yy": (10, 12)}
# Digit stamps whose date is not written year first: how many digits each has, and where year, month and day begin.
_OTHER_ORDERS: Final[dict[str, tuple[tuple[int, ...], tuple[slice, slice, slice]]]] = {
    "digits_dmy": ((12, 14), (slice(4, 8), slice(2, 4), slice(0, 2))),
    "digits_mdy": ((12, 14), (slice(4, 8), slice(0, 2), slice(2, 4))),
    "digits_dmyy": ((10, 12), (slice(4, 6), slice(2, 4), slice(0, 2))),
    "digits_mdyy": ((10, 12), (slice(4, 6), slice(0, 2), slice(2, 4))),
}
_SHORT_YEARS: Final[dict[str, NumberKind]] = {"yymd": "digits_yy", "dmy": "digits_dmyy", "mdy": "digits_mdyy"}
# Day numbers: the day of 1970-01-01.
_DAY_ZERO: Final[dict[str, float]] = {"excel_1900": -25_569, "excel_1904": -24_107, "julian": -2_440_587.5}
_DAY_US: Final = 86_400 * 10**6
# A spreadsheet's seconds are rounded at the seventh digit of a day, hence whole seconds are meant within this. Unit: µs.
_EXCEL_ROUNDING_US: Final = 50_000

# Years in which trips are told apart from ids: few trips were kept before 1990, and dates in the far future are other numbers.
_EARLIEST_YEAR: Final = 1990
_LATEST_YEAR: Final = 2037
# Apple's clock wrote few trips before its phones; a Windows file time of today is nanoseconds since 2001 of 2005.
_EARLIEST_2001_YEAR: Final = 2007
# A reading holds for a column when more than so much of its sample fits; the rest are rejects.
_MOSTLY: Final = 0.5
# Ids and other numbers fit these readings easily, so nearly all of the sample must. Minutes may span ten years at most.
_RARE: Final = frozenset({*_OTHER_ORDERS, "epoch_min", "julian", *_EPOCHS} - {"epoch_s", "epoch_ms", "epoch_us", "epoch_ns"})
_NEARLY_ALL: Final = 0.95
_LONGEST_SPAN_US: Final = 10 * 366 * _DAY_US
# Years that .NET's ticks are told apart by from nanoseconds of 1990.
_TICK_YEARS: Final = (2000, 2035)
# Two readings that fit nearly as much of the sample leave a doubt. Whole numbers read as dates by chance in one of 200.
_DOUBT: Final = 0.05

WRAPPED: Final = r"^/?\\?/?Date\((-?\d+)(?:[+-]\d{4})?\)\\?/?$"  # JSON of ASP.NET: /Date(1710835920000)/
_DIGITS: Final = r"^(\d{8,20})(?:\.(\d+))?$"
_NOT_YEAR_FIRST: Final = r"^\d{9,14}(?:\.0+)?$"
_YEAR_FIRST: Final = r"^(?:199|20[0-3])"  # 20240230 is a date with a typing error, not a minute of 2008
_JULIAN: Final = r"^24\d{5}\.\d+$"
_SCIENTIFIC: Final = r"^(\d)(?:\.(\d+))?[eE](\+?)0?(\d{1,2})$"
_DAYS: Final = r"^\d{5}(?:\.\d+)?$"


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
    shares = {kind: share_plausible(known, kind) for kind in NUMBER_KINDS if kind not in GPS_KINDS.values()}
    if any(share > _MOSTLY for kind, share in shares.items() if kind.startswith("digits")):
        # Stamps of 2024 with a short year are milliseconds since 2001, too; those are stamps by chance in one of 200.
        shares = {kind: share for kind, share in shares.items() if not kind.startswith(("epoch_2001", "epoch_1960"))}
    best = max(shares.values())
    fitting = {kind for kind, share in shares.items() if share > max(_MOSTLY, best - _DOUBT)}
    kinds = _rank({kind for kind in fitting if kind not in _RARE or shares[kind] >= _NEARLY_ALL}, shares, known)
    return NumberForm(kinds, best * len(known) / len(text) if kinds else 0.0)


def _rank(kinds: set[NumberKind], shares: Mapping[NumberKind, float], known: pl.Series) -> tuple[NumberKind, ...]:
    """Order the readings that fit. A stamp with a whole year leaves no doubt; ten digits with a short one may be seconds."""
    if "digits" in kinds:
        return ("digits",)
    if "ticks" in kinds and _are_ticks(known):
        return ("ticks",)
    kinds = _settle_order(kinds, shares, known)
    return tuple(kind for kind in NUMBER_KINDS if kind in kinds)


def _are_ticks(known: pl.Series) -> bool:
    first, last = (np.datetime64(f"{year}", "us").astype(np.int64) for year in (_TICK_YEARS[0], _TICK_YEARS[1] + 1))
    exact = _parse(known, "ticks")
    return bool(np.all((exact >= first) & (exact < last)))


def _settle_order(kinds: set[NumberKind], shares: Mapping[NumberKind, float], known: pl.Series) -> set[NumberKind]:
    """Leave out orders of year, month and day that the column contradicts, as it does those of written dates."""
    kinds = {kind for kind in kinds if not kind.endswith("my") or shares[kind] >= shares["digits_mdy"]}
    kinds = {kind for kind in kinds if not kind.endswith("mdy") or shares[kind] >= shares["digits_dmy"]}
    if len(kinds & {"digits_yy", "digits_dmyy", "digits_mdyy"}) < 2:
        return kinds
    seen = DateParts()
    seen.observe(_read_stamps(known).str.replace(r"^(\d\d)(\d\d)(\d\d).*$", "$1-$2-$3"))
    order = seen.decide()
    likely = _SHORT_YEARS[order] if order else None
    return (kinds - set(_SHORT_YEARS.values())) | {likely} if likely in kinds else kinds


def clean_numbers(text: pl.Series) -> pl.Series:
    """Return numbers that may be times in plain digits; null where a value is none, or lost digits. Shape: as text."""
    values = text.str.strip_chars(" \t")
    is_plain = values.str.contains(rf"{_DIGITS}|{_DAYS}|{_JULIAN}")
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
    """Return a column of integers or floats as the text that the functions here read. Shape: as values."""
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
    """Parse times written as one number; gives UTC for INSTANT_KINDS, the wall clock for others, and which of them are instants.

    Shape: as text. Units: microseconds since 1970; MISSING where a value reads otherwise.
    """
    is_instant = np.full(len(text), kind in INSTANT_KINDS)
    return _parse(clean_numbers(text), kind), is_instant


def _parse(clean: pl.Series, kind: NumberKind) -> Microseconds:
    if kind in _EPOCHS:
        return _parse_epochs(clean, *_EPOCHS[kind])
    if kind in _DIGIT_LENGTHS:
        return _parse_digits(clean, kind)
    if kind in _OTHER_ORDERS:
        return _parse_digits(_put_year_first(clean, kind), "digits")
    if kind == "epoch_min":
        return _parse_minutes(clean)
    return _parse_days(clean, _JULIAN if kind == "julian" else _DAYS, _DAY_ZERO[kind])


def _put_year_first(clean: pl.Series, kind: str) -> pl.Series:
    """Return digit stamps of another order year first; null where a value is none."""
    lengths, order = _OTHER_ORDERS[kind]
    digits = _read_stamps(clean)
    year, month, day = (digits.str.slice(part.start, part.stop - part.start) for part in order)
    is_old = (year >= "69").fill_null(value=False)
    century = pl.when(is_old).then(pl.lit("19")).otherwise(pl.lit("20")) if kind.endswith("yy") else pl.lit("")
    rest = digits.str.slice(max(part.stop for part in order))
    stamp = pl.select(pl.concat_str(century, year, month, day, rest)).to_series()
    return pl.select(pl.when(digits.str.len_bytes().is_in(lengths)).then(stamp)).to_series()


def _read_stamps(clean: pl.Series) -> pl.Series:
    """Return digit stamps whose date is not written year first, with the zero that a column of numbers has lost."""
    digits = pl.select(pl.when(clean.str.contains(_NOT_YEAR_FIRST)).then(clean.str.replace(r"\..*$", ""))).to_series()
    padded = pl.concat_str(pl.lit("0"), digits)
    return pl.select(pl.when(digits.str.len_bytes() % 2 == 1).then(padded).otherwise(digits)).to_series()


def _parse_minutes(clean: pl.Series) -> Microseconds:
    digits, fraction = _split(clean)
    whole = digits.cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    part_us = pl.select(pl.concat_str(pl.lit("0."), fraction)).to_series().cast(pl.Float64, strict=False).fill_null(0).to_numpy()
    is_epoch = (whole >= 10**7) & (whole < 10**8)
    return np.where(is_epoch, whole * 60_000_000 + np.rint(part_us * 60).astype(np.int64) * 10**6, MISSING)


def share_plausible(clean: pl.Series, kind: NumberKind) -> float:
    """Return the share of numbers, 0 to 1, that are a time of plausible years when they are read so."""
    exact = _parse(clean, kind)
    years = exact.view("M8[us]").astype("M8[Y]").astype(np.int64) + 1970
    earliest, latest = _find_years(kind)
    fits = (exact != MISSING) & (years >= earliest) & (years <= latest)
    if kind == "epoch_min" and fits.any():
        looks_like_date = clean.str.contains(_YEAR_FIRST).fill_null(value=False).to_numpy()
        fits &= ~looks_like_date & (np.ptp(exact[fits]) <= _LONGEST_SPAN_US)
    return float(np.count_nonzero(fits)) / max(len(clean), 1)


def _find_years(kind: NumberKind) -> tuple[int, int]:
    """Find the first and last year that a reading is plausible for. Clock: the machine's, for unusual readings.

    Unix seconds of the 1990s are seconds since 2001 of today, and Unix seconds of the 2030s are seconds since 1960 of today.
    """
    next_year = datetime.now(UTC).year + 1
    if kind.startswith("epoch_1960"):
        return next_year - 9, next_year
    if kind.startswith("epoch_2001"):
        return _EARLIEST_2001_YEAR, next_year
    return _EARLIEST_YEAR, next_year if kind in GPS_KINDS.values() else _LATEST_YEAR


def _split(clean: pl.Series) -> tuple[pl.Series, pl.Series]:
    parts = pl.select(pl.when(clean.str.contains(_DIGITS)).then(clean)).to_series().str.splitn(".", 2).struct
    return parts.field("field_0"), parts.field("field_1").fill_null("")


def _parse_epochs(clean: pl.Series, units: int, zero_s: int) -> Microseconds:
    digits, fraction = _split(clean)
    whole = digits.cast(pl.Int64, strict=False).fill_null(-1).to_numpy()
    if zero_s == _S_OF_GPS:
        whole = whole - np.where(whole >= 10**8, np.searchsorted(_LEAP_SECONDS, whole // units, side="right") * units, 0)
    zero_us = zero_s * 10**6
    if units >= 10**6:
        return np.where(whole >= 10**8, whole // (units // 10**6) + zero_us, MISSING)
    step = 10**6 // units
    places = len(str(step)) - 1
    rest = fraction.str.pad_end(places, "0").str.head(places).cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    is_epoch = (whole >= 10**8) & (whole < 2**62 // step)
    return np.where(is_epoch, np.where(is_epoch, whole, 0) * step + rest + zero_us, MISSING)


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


def _parse_days(clean: pl.Series, pattern: str, day_zero: float) -> Microseconds:
    values = pl.select(pl.when(clean.str.contains(pattern)).then(clean)).to_series().cast(pl.Float64, strict=False)
    days = values.fill_null(float("nan")).to_numpy()
    known = np.isfinite(days)
    exact = np.rint((np.where(known, days, 0) + day_zero) * _DAY_US).astype(np.int64)
    seconds = np.rint(exact / 10**6).astype(np.int64) * 10**6
    return np.where(known, np.where(np.abs(exact - seconds) <= _EXCEL_ROUNDING_US, seconds, exact), MISSING)


def is_row_number(text: pl.Series) -> bool:
    """Return whether numbers rise by the same step from row to row, as ids do and times hardly: then no epoch is meant."""
    numbers = text.cast(pl.Int64, strict=False).drop_nulls().to_numpy()
    steps = np.diff(numbers)
    return len(steps) > 1 and bool(np.all(steps == steps[0])) and steps[0] in (-1, 1)
