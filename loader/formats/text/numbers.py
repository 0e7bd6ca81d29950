"""Numbers: text to float64 by columns; what is not a plain decimal number is NaN."""

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.formats.text.angles import parse_angles

Floats = npt.NDArray[np.float64]

# Words that stand for "no value" in exports; compared without case and surrounding blanks.
NULL_WORDS = ("", "null", "none", "nan", "na", "n/a", "#n/a", "nil", "\\n", "-", "[]")


def parse_numbers(text: pl.Series, *, decimal: str = ".") -> Floats:
    """Parse a column of decimal numbers; NaN where there is none or it is no finite number.

    Shape: as text. Accepts sign, fraction and exponent, and blanks around; with decimal="," a comma for the point; hemispheres,
    degree signs and the like as parse_angles does.
    """
    values = to_floats(text, decimal=decimal)
    if np.isnan(values).any():
        # Only when something failed: blanks around numbers are rare.
        values = to_floats(text.str.strip_chars(" \t"), decimal=decimal)
        rest = np.flatnonzero(np.isnan(values) & text.str.contains(r"\d").fill_null(value=False).to_numpy())
        if len(rest):
            values = values.copy()
            values[rest] = parse_angles(text.gather(rest), decimal=decimal)
    return values


def to_floats(text: pl.Series, *, decimal: str = ".") -> Floats:
    """Parse a column of numbers without blanks around."""
    if decimal == ",":
        text = text.str.replace(",", ".", literal=True)
    values = text.cast(pl.Float64, strict=False).to_numpy()
    if np.isinf(values).any():
        values = np.where(np.isinf(values), np.nan, values)
    return values


def is_missing(text: pl.Series) -> npt.NDArray[np.bool_]:
    """Return which fields hold no value: empty, blank, or a word like NULL."""
    words = text.str.strip_chars(" \t").str.to_lowercase()
    return words.is_in(list(NULL_WORDS)).to_numpy()
