"""Clocks beside dates: join a column of dates and one of clock times."""

from typing import Final

import polars as pl

DAY_MINUTES: Final = 1440


CLOCK_DIGITS = r"\d{1,2}[:h]\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[AaPp]\.?\s?[Mm]\.?)?"


_CLOCK_PART = rf"(?:^|[T ])({CLOCK_DIGITS})\s*(?:Z|UTC|[+-]00:?00)?$"


_ITSELF_A_CLOCK = r"\d[:.時시点]\d"


_MIDNIGHT = r"(?i)(?:T|,?\s+)(?:0{1,2}:00(?::00)?(?:[.,]0+)?|12:00(?::00)?\s*a\.?\s?m\.?)(?:\s*(?:Z|UTC|[+-]00:?00))?$"


def join_dates_and_clocks(dates: pl.Series, clocks: pl.Series, form: str = "clock") -> pl.Series:
    """Join a column of dates, which may be written with midnight, and one of clocks to times; empty where there is no clock.

    A date that has a clock of its own, or a clock of another form, makes a time that nothing reads.
    """
    frame = pl.DataFrame({"date": dates.str.strip_chars(), "clock": clocks.str.strip_chars()})
    clock = _FORMS[form]
    is_empty = pl.col("clock").is_null() | (pl.col("clock") == "")
    # Another form is read as it is if it is a clock in itself; what is none must not leave the date alone to be read.
    other = pl.when(pl.col("clock").str.contains(_ITSELF_A_CLOCK)).then("clock").otherwise(pl.lit("?"))
    joined = pl.concat_str(pl.col("date").str.replace(_MIDNIGHT, ""), pl.coalesce(clock, other), separator=" ")
    return frame.select(pl.when(is_empty).then(pl.lit("")).otherwise(joined).fill_null("")).to_series()


def _write_number(digits: int, *parts: tuple[int, int]) -> pl.Expr:
    """Write a whole number as a clock; null where the cell is none."""
    text = pl.col("clock").str.extract(rf"^(\d{{1,{digits}}})(?:\.0*)?$").str.zfill(digits)
    pieces = [text.str.slice(start, length) for start, length in parts]
    return pl.concat_str(*pieces, *([pl.lit("00")] if len(pieces) == 1 else []), separator=":")


def _write_fraction() -> pl.Expr:
    fraction = pl.col("clock").cast(pl.Float64, strict=False)
    seconds = pl.when((fraction >= 0) & (fraction < 1)).then((fraction * 86_400).round())
    return (pl.lit(0).cast(pl.Datetime("us")) + pl.duration(seconds=seconds.cast(pl.Int64))).dt.strftime("%H:%M:%S")


def _write_minutes() -> pl.Expr:
    minutes = pl.col("clock").str.extract(r"^(\d{1,4})(?:\.0*)?$").cast(pl.Int64)
    hour, minute = ((part.cast(pl.String).str.zfill(2)) for part in (minutes // 60, minutes % 60))
    return pl.when(minutes < DAY_MINUTES).then(pl.concat_str(hour, minute, separator=":"))


_FORMS: Final[dict[str, pl.Expr]] = {
    "clock": pl.col("clock").str.extract(_CLOCK_PART).str.replace("h", ":", literal=True),
    "hour": _write_number(2, (0, 2)),
    "hhmm": _write_number(4, (0, 2), (2, 2)),
    "hhmmss": _write_number(6, (0, 2), (2, 2), (4, 2)),
    "minute": _write_minutes(),
    "day_fraction": _write_fraction(),
}
