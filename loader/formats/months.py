"""Months by name: `12-Mar-2024 09:03`, `Mar 12, 2024 9:03 PM`, `Tue, 12 Mar 2024 09:03:00 GMT`, in the order year, month, day.

A name leaves no doubt which number is the day, so such dates need no order of their own. English names, whole or short.
"""

import polars as pl

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
HAS_NAME = rf"(?i)(?:^|[^a-z]){_MONTH}(?:[^a-z]|$)"
# Each gives day, month, year and what follows; where the month comes first, month and day.
_DAY_FIRST = rf"(?i)^{_WEEKDAY}{_DAY}[-/. ]\s*{_MONTH}[-/., ]\s*(\d{{4}})(.*)$"
_SHORT_YEAR = rf"(?i)^{_WEEKDAY}{_DAY}[-/. ]\s*{_MONTH}[-/., ]\s*(\d{{2}})((?:[ ,T].*)?)$"
_MONTH_FIRST = rf"(?i)^{_WEEKDAY}{_MONTH}[-/. ]\s*{_DAY},?[-/. ]\s*(\d{{4}})(.*)$"
_YEAR_FIRST = rf"(?i)^(\d{{4}})[-/. ]{_MONTH}[-/. ](\d{{1,2}})(.*)$"


def read_months(text: pl.Series) -> pl.Series:
    """Give dates with a month's name as `YYYY-MM-DD` and what follows; others as they are. Shape: as text."""
    if not text.str.contains(HAS_NAME).any():
        return text
    groups = pl.DataFrame({"text": text}).select(
        "text",
        day_first=pl.col("text").str.extract_groups(_DAY_FIRST),
        short=pl.col("text").str.extract_groups(_SHORT_YEAR),
        month_first=pl.col("text").str.extract_groups(_MONTH_FIRST),
        year_first=pl.col("text").str.extract_groups(_YEAR_FIRST),
    )
    return groups.select(
        pl.coalesce(
            _join("day_first", day="1", month="2", year="3"),
            _join("month_first", day="2", month="1", year="3"),
            _join("year_first", day="3", month="2", year="1"),
            _join("short", day="1", month="2", year="3"),
            "text",
        )
    ).to_series()


def _join(name: str, *, day: str, month: str, year: str) -> pl.Expr:
    """Join the parts of one form; null where it doesn't fit."""
    part = pl.col(name).struct.field
    number = part(month).str.head(3).str.to_lowercase().replace_strict(_NAMES, list(range(1, 13)), default=None)
    # POSIX: 69 to 99 are the 1900s, 00 to 68 the 2000s.
    century = (
        pl.when(part(year).str.len_bytes() == 4)
        .then(pl.lit(""))
        .when(part(year) >= "69")
        .then(pl.lit("19"))
        .otherwise(pl.lit("20"))
    )
    rest = part("4").str.replace(r"^:", " ")  # 12/Mar/2024:09:03:00, as web servers write
    return pl.format("{}{}-{}-{}{}", century, part(year), number, part(day), rest)
