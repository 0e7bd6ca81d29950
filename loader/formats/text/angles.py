# ruff: noqa: RUF001 - signs of minutes and seconds are the point
"""Angles: coordinates with signs around the number, to degrees.

    parse_angles(pl.Series(["40.7407 N", "73°59'31\\"W"]))     # 40.7407, -73.99194

A hemisphere's letter gives the sign; beside a minus it leaves a doubt, and the value is none. Degrees, minutes and seconds need a
degree sign or a letter, as three numbers alone may be anything. O is West in Spanish and East in German: no value.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.formats.text.signs import clean_signs

Floats = npt.NDArray[np.float64]

_WRAPPINGS: Final = ((r'^=\s*"(.*)"$', "$1"), (r"^'+(.*?)'?$", "$1"), (r'^"(.*)"$', "$1"))
_LETTER: Final = r"([NSEW])?"
_NUMBER: Final = r"(\d+(?:\.\d+)?|\.\d+)"
_DEGREES: Final = rf"^{_LETTER}\s*([+-]?)\s*{_NUMBER}\s*(?:°|DEG)?\s*{_LETTER}$"
_MINUTES: Final = rf"^{_LETTER}\s*([+-]?)\s*(\d{{1,3}})\s*(°|D|DEG|\s|:)\s*(\d{{1,2}}(?:\.\d+)?)\s*(?:['′´M]|MIN)?\s*{_LETTER}$"
_SECONDS: Final = (
    rf"^{_LETTER}\s*([+-]?)\s*(\d{{1,3}})\s*(°|D|DEG|[\s:-])\s*(\d{{1,2}})\s*(?:['′´M:-]|\s|MIN)\s*(\d{{1,2}}(?:\.\d+)?)\s*"
    rf"(?:[\"″S]|''|′′|SEC)?\s*{_LETTER}$"
)
# Thousands apart: by blanks or apostrophes, or by at least two commas.
_GROUPED: Final = r"^([+-]?\d{1,3})(?:[ '](\d{3}))(?:[ '](\d{3}))?((?:\.\d+)?)$"
_COMMAS: Final = r"^[+-]?\d{1,3}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})$"


def parse_angles(text: pl.Series, *, decimal: str = ".") -> Floats:
    """Parse numbers with signs around them; NaN where there is none or two contradict. Shape: as text. Units: as written."""
    values = clean_signs(text).str.strip_chars(" \t")
    for pattern, replacement in _WRAPPINGS:
        values = values.str.replace(pattern, replacement)
    values = values.str.strip_chars(" \t").str.to_uppercase()
    if decimal == ",":
        values = values.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    plain = values.cast(pl.Float64, strict=False).to_numpy()
    found = np.where(np.isfinite(plain), plain, np.nan)
    for parse in (_parse_grouped, _parse_degrees, _parse_minutes, _parse_seconds):
        rest = np.flatnonzero(np.isnan(found))
        if len(rest) == 0:
            break
        found[rest] = parse(values.gather(rest))
    return found


def find_hemispheres(text: pl.Series) -> set[str]:
    """Find the hemispheres' letters that stand beside numbers in a column."""
    values = clean_signs(text).str.strip_chars(" \t").str.to_uppercase()
    found = pl.concat([values.str.extract(r"^([NSEW])\s*\d"), values.str.extract(r"\d[\s°'\"′″]*([NSEW])$")])
    return set(found.drop_nulls().unique().to_list())


def _parse_grouped(text: pl.Series) -> Floats:
    groups = text.str.extract_groups(_GROUPED).struct
    blanks = pl.select(pl.concat_str([groups.field("1"), groups.field("2"), groups.field("3").fill_null(""), groups.field("4")]))
    commas = pl.select(pl.when(text.str.contains(_COMMAS)).then(text.str.replace_all(",", "", literal=True)))
    numbers = pl.select(pl.coalesce(blanks.to_series(), commas.to_series())).to_series().cast(pl.Float64, strict=False)
    return numbers.fill_null(float("nan")).to_numpy()


def _parse_degrees(text: pl.Series) -> Floats:
    groups = text.str.extract_groups(_DEGREES).struct
    return _give_sign(_number(groups.field("3")), first=groups.field("1"), minus=groups.field("2"), last=groups.field("4"))


def _parse_minutes(text: pl.Series) -> Floats:
    groups = text.str.extract_groups(_MINUTES).struct
    minutes = _number(groups.field("5"))
    value = np.where(minutes < 60, _number(groups.field("3")) + minutes / 60, np.nan)
    value = _need_mark(value, groups.field("4"), first=groups.field("1"), last=groups.field("6"))
    return _give_sign(value, first=groups.field("1"), minus=groups.field("2"), last=groups.field("6"))


def _parse_seconds(text: pl.Series) -> Floats:
    groups = text.str.extract_groups(_SECONDS).struct
    minutes, seconds = _number(groups.field("5")), _number(groups.field("6"))
    value = _number(groups.field("3")) + minutes / 60 + seconds / 3600
    value = np.where((minutes < 60) & (seconds < 60), value, np.nan)
    value = _need_mark(value, groups.field("4"), first=groups.field("1"), last=groups.field("7"))
    return _give_sign(value, first=groups.field("1"), minus=groups.field("2"), last=groups.field("7"))


def _number(text: pl.Series) -> Floats:
    return text.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()


def _need_mark(value: Floats, separator: pl.Series, *, first: pl.Series, last: pl.Series) -> Floats:
    """Take only values with a degree sign or a letter."""
    has_mark = separator.is_in(["°", "D", "DEG"]).fill_null(value=False) | first.is_not_null() | last.is_not_null()
    return np.where(has_mark.to_numpy(), value, np.nan)


def _give_sign(value: Floats, *, first: pl.Series, minus: pl.Series, last: pl.Series) -> Floats:
    frame = pl.DataFrame({"first": first, "minus": minus.fill_null(""), "last": last})
    letter = pl.coalesce("first", "last")
    is_twice = pl.col("first").is_not_null() & pl.col("last").is_not_null()
    signs = frame.select(
        is_negative=letter.is_in(["S", "W"]).fill_null(value=False) | (pl.col("minus") == "-"),
        is_doubtful=is_twice | (letter.is_not_null() & (pl.col("minus") != "")),
    )
    signed = np.where(signs["is_negative"].to_numpy(), -value, value)
    return np.where(signs["is_doubtful"].to_numpy(), np.nan, signed)
