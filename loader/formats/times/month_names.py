# ruff: noqa: RUF001 - letters of other scripts are the point
"""Months by name: `12-Mar-2024 09:03`, `Mar 12, 2024 9:03 PM`, `19 de marzo de 2024`, in the order year, month, day.

A name leaves no doubt which number is the day, so such dates need no order of their own. Names whole or short, in the languages
of calendar_words.py; text comes in lower case and without accents.
"""

from typing import Final

import polars as pl

from loader.formats.times.calendar_words import list_months

_NUMBERS: Final = list_months()
MONTH: Final = f"(?:{'|'.join(sorted(map(str, _NUMBERS), key=lambda word: (-len(word), word)))})"
_DAY = r"(\d{1,2})(?:st|nd|rd|th|er|o|a)?\.?"
_BETWEEN = r"(?:\s*[-/., ]\s*)?(?:of |de |del |d'|den )?"
HAS_NAME: Final = rf"(?:^|[^\p{{L}}]){MONTH}(?:[^\p{{L}}]|$)"
_YEAR = r"(?:de |del |of )?(\d{4})(?:\s?(?:r\.|г\.?))?"
_REST = r"((?:[^\d].*)?)$"
# Each gives day, month, year and what follows, in the order that its name says.
_DAY_FIRST = rf"^{_DAY}{_BETWEEN}({MONTH})\.?(?:\s*[-/., ]\s*)?{_YEAR}{_REST}"
_SHORT_YEAR = rf"^{_DAY}[-/. ]\s*({MONTH})\.?[-/., ]\s*'?(\d{{2}})((?:[ ,t].*)?)$"
_MONTH_FIRST = rf"^({MONTH})\.?[-/. ]\s*{_DAY},?[-/. ]\s*{_YEAR}{_REST}"
_YEAR_FIRST = rf"^(\d{{4}})[-/., ]\s?({MONTH})\.?[-/. ]\s?(\d{{1,2}}){_REST}"


def read_months(text: pl.Series) -> pl.Series:
    """Return dates with a month's name as `YYYY-MM-DD` and what follows; others as they are. Shape: as text, folded."""
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
    number = part(month).replace_strict(list(_NUMBERS), list(_NUMBERS.values()), default=None)
    # POSIX: 69 to 99 are the 1900s, 00 to 68 the 2000s.
    century = (
        pl.when(part(year).str.len_bytes() == 4)
        .then(pl.lit(""))
        .when(part(year) >= "69")
        .then(pl.lit("19"))
        .otherwise(pl.lit("20"))
    )
    rest = part("4").str.replace(r"^[:t]", " ")  # 12/Mar/2024:09:03:00, as web servers write
    return pl.format("{}{}-{}-{}{}", century, part(year), number, part(day), rest)
