"""Times: text to local wall clock by columns.

Plain forms are read here; values that fit none are rewritten (values/stamp_forms.py) and tried again. Numbers that mean times are
read in values/number_times.py.

A value without an offset is kept as written, also in the hour that daylight saving skips. A value with an offset, Z, UTC or
GMT, or an epoch number, is an instant: it is converted to the load's time zone, so each has exactly one wall clock, and two
instants of the repeated hour in autumn may share one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.formats.model.time_format import MISSING, NUMBER_KINDS, Microseconds, TimeFormat
from loader.formats.times.civil import count_days, widen_years
from loader.formats.times.number_times import parse_number_times
from loader.formats.times.stamp_forms import rewrite_stamps

__all__ = ["Times", "parse_plain", "parse_stamps", "parse_times", "to_wall"]

YEAR_ONE_US = -62_135_596_800_000_000  # 0001-01-01; polars also reads the year 0000
_LONG_YEAR_LAST = r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}(?:\D|$)"
_LEAST_DIGITS = 4  # "1.1.24", "2024-W1"

_CLOCK = r"(?:(?:[T ,]|,\s)\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:\s*([AaPp])\.?[Mm]\.?)?"
_ZONE = r"(?:\s*([Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?)?"
YEAR_FIRST = rf"^(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_CLOCK}{_ZONE}$"
SHORT_YEAR_FIRST = rf"^(\d{{2}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_CLOCK}{_ZONE}$"
YEAR_LAST = rf"^(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}|\d{{2}}){_CLOCK}{_ZONE}$"
# For each order of a date: its pattern, and which of its groups are year, month and day.
_ORDERS = {
    "ymd": (YEAR_FIRST, "123"),
    "yymd": (SHORT_YEAR_FIRST, "123"),
    "mdy": (YEAR_LAST, "312"),
    "dmy": (YEAR_LAST, "321"),
}


@dataclass(frozen=True)
class Times:
    """Wall clock and instant-ness of every row. Units: microseconds since 1970 on the wall clock; MISSING where unreadable.

    exact_us orders and subtracts times truly: UTC where a zone was written, the wall clock elsewhere.
    """

    wall_us: Microseconds
    exact_us: Microseconds


def parse_times(text: pl.Series, form: TimeFormat, *, timezone: str) -> Times:
    """Parse a column of times in the file's format.

    Shape: as text. Clock: local wall clock of timezone for instants, as written otherwise.
    """
    if form.kind == "unknown":
        none = np.full(len(text), MISSING, np.int64)
        return Times(none, none)
    if form.kind in NUMBER_KINDS:
        exact, has_zone = parse_number_times(text, form.kind)
    else:
        exact, has_zone = _parse_text(text, form, timezone)
    return to_wall(exact, has_zone, timezone)


def _parse_text(text: pl.Series, form: TimeFormat, timezone: str) -> tuple[Microseconds, npt.NDArray[np.bool_]]:
    exact = np.full(len(text), MISSING, np.int64)
    has_zone = np.zeros(len(text), np.bool_)
    if form.date_order == "ymd":
        plain = text.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
        exact = plain.cast(pl.Int64).fill_null(MISSING).to_numpy().copy()
        exact[(text.str.len_bytes() != 19).to_numpy() | (exact < YEAR_ONE_US)] = MISSING
    rest = np.flatnonzero(exact == MISSING)
    if len(rest):
        values = text.gather(rest).str.strip_chars(" \t")
        exact[rest], has_zone[rest] = parse_stamps(values, form.date_order or "mdy", timezone=timezone)
    return exact, has_zone


def parse_stamps(text: pl.Series, date_order: str, *, timezone: str | None = None) -> tuple[Microseconds, npt.NDArray[np.bool_]]:
    """Parse written times of one date order; gives UTC where a zone is written, the wall clock elsewhere, and where zones are.

    timezone explains abbreviations of zones; without one, any of them is taken for UTC (for detection only).
    """
    exact, has_zone = parse_plain(text, date_order)
    rest = np.flatnonzero(exact == MISSING)
    # Texts of fewer digits are no dates, and need no second look.
    rest = rest[text.gather(rest).str.count_matches(r"\d").fill_null(0).to_numpy() >= _LEAST_DIGITS]
    if len(rest):
        plain = rewrite_stamps(text.gather(rest), timezone=timezone)
        exact[rest], has_zone[rest] = parse_plain(plain, date_order)
        if date_order == "ymd":
            exact[rest], has_zone[rest] = _add_certain_dates(plain, exact[rest], has_zone[rest])
    return exact, has_zone


def _add_certain_dates(
    plain: pl.Series, exact: Microseconds, has_zone: npt.NDArray[np.bool_]
) -> tuple[Microseconds, npt.NDArray[np.bool_]]:
    """Add dates that end with their year, among others that begin with it, where only one order of day and month is possible."""
    rest = np.flatnonzero((exact == MISSING) & plain.str.contains(_LONG_YEAR_LAST).fill_null(value=False).to_numpy())
    if len(rest):
        (mdy, zone), (dmy, _) = (parse_plain(plain.gather(rest), order) for order in ("mdy", "dmy"))
        certain = np.where(mdy == MISSING, dmy, np.where((dmy == MISSING) | (dmy == mdy), mdy, MISSING))
        exact[rest], has_zone[rest] = certain, zone
    return exact, has_zone


def parse_plain(text: pl.Series, date_order: str) -> tuple[Microseconds, npt.NDArray[np.bool_]]:
    """Parse written times of the plain forms, as parse_stamps; others are MISSING."""
    part = _split_stamps(text, date_order)
    year = np.where(part["is_short"], widen_years(part["year"]), part["year"])
    days, is_date = count_days(year, part["month"], part["day"])
    is_half = part["is_am"] | part["is_pm"]
    hour = np.where(is_half, part["hour"] % 12 + 12 * part["is_pm"], part["hour"])
    is_hour = (hour < 24) & (~is_half | ((part["hour"] >= 1) & (part["hour"] <= 12)))
    seconds = part["minute"] * 60 + part["second"]
    is_midnight = (hour == 24) & (seconds == 0) & (part["fraction"] == 0)
    is_time = (is_hour | is_midnight) & (part["minute"] < 60) & (part["second"] < 60)
    is_offset = (part["offset_hours"] <= 18) & (part["offset_minutes"] < 60)
    offset = np.where(part["is_west"], -1, 1) * (part["offset_hours"] * 60 + part["offset_minutes"]) * 60
    exact = ((days * 24 + hour) * 3600 + seconds - offset) * 1_000_000 + part["fraction"]
    return np.where(is_date & is_time & is_offset, exact, MISSING), part["has_zone"].astype(np.bool_)


def _split_stamps(text: pl.Series, date_order: str) -> dict[str, Microseconds]:
    """Split written times into numbers, in one pass: each call of polars costs a tenth of a millisecond."""
    pattern, order = _ORDERS[date_order]
    groups = pl.DataFrame({"text": text}).select(pl.col("text").str.extract_groups(pattern).alias("groups"))
    year, month, day = (pl.col(number).cast(pl.Int64, strict=False).fill_null(-1) for number in order)
    hour, minute, second = (pl.col(number).cast(pl.Int64, strict=False).fill_null(0) for number in "456")
    half, zone = pl.col("8").str.to_lowercase(), pl.col("9")
    digits = zone.str.replace(":", "", literal=True)
    is_offset = zone.str.contains("^[+-]").fill_null(value=False)
    parts = groups.unnest("groups").select(
        year=year,
        month=month,
        day=day,
        hour=hour,
        minute=minute,
        second=second,
        fraction=pl.col("7").str.pad_end(9, "0").str.head(6).cast(pl.Int64, strict=False).fill_null(0),
        # POSIX: 69 to 99 are the 1900s, 00 to 68 the 2000s.
        is_short=(pl.col(order[0]).str.len_bytes() == 2).fill_null(value=False),
        is_am=(half == "a").fill_null(value=False),
        is_pm=(half == "p").fill_null(value=False),
        has_zone=zone.is_not_null(),
        is_west=zone.str.starts_with("-").fill_null(value=False),
        offset_hours=pl.when(is_offset).then(digits.str.slice(1, 2).cast(pl.Int64, strict=False)).fill_null(0),
        offset_minutes=pl.when(is_offset).then(digits.str.slice(3, 2).cast(pl.Int64, strict=False)).fill_null(0),
    )
    return {column.name: column.to_numpy() for column in parts}


def to_wall(exact: Microseconds, has_zone: npt.NDArray[np.bool_], timezone: str) -> Times:
    """Convert instants to the wall clock of a time zone; other times stay. exact: UTC for instants. Units: microseconds."""
    if not has_zone.any() or timezone == "UTC":
        return Times(exact, exact)
    rows = np.flatnonzero(has_zone & (exact != MISSING))
    # Outside these years nothing is loaded, and time zone rules don't reach.
    rows = rows[np.abs(exact[rows]) < 2**53]
    instants = pl.Series(exact[rows]).cast(pl.Datetime("us", "UTC"))
    local = instants.dt.convert_time_zone(timezone).dt.replace_time_zone(None)
    wall = exact.copy()
    wall[rows] = local.cast(pl.Int64).to_numpy()
    return Times(wall, exact)
