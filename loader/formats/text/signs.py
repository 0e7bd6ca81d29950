"""Signs: blanks, dashes, digits and quotes of other scripts, as plain ones."""

from typing import Final

import polars as pl

# Zero-width marks vanish. No-break spaces and wide digits are left to Unicode's compatibility forms.
_SIGNS: Final[dict[str, str]] = {
    **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\ufe63", "-"),
    **dict.fromkeys("\u200b\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff", ""),
    **dict.fromkeys("\u2018\u2019\u201c\u201d", "'"),
}


def clean_signs(text: pl.Series) -> pl.Series:
    """Return text with plain blanks, dashes, digits and quotes. Shape: as text."""
    if not (text.str.len_bytes() != text.str.len_chars()).any():
        return text
    return text.str.replace_many(list(_SIGNS), list(_SIGNS.values())).str.normalize("NFKC")
