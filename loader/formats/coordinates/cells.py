"""Cells: codes that name a piece of the Earth, to the longitude and latitude of its centre (WGS 84, degrees).

Geohash (`dr5ru7`), H3 index (`8928308280fffff`) and Open Location Code (`87G8P27V+JF`). H3 and Open Location Code are told from
other text by themselves; four letters and more that could be a geohash could be anything, so that somebody has to say it is one:
the column's name, or a person.
Source: G. Niemeyer's geohash; Open Location Code Specification 1.0.
"""

from collections.abc import Callable
from typing import Final

import h3
import numpy as np
import numpy.typing as npt
import polars as pl

from loader.formats.coordinates.degrees import Coordinates
from shared.domain.position import GEOHASH_ALPHABET

# Shorter geohashes are as large as a country: no end of a trip.
GEOHASH, H3, PLUS_CODE = "geohash", "h3", "open_location_code"
_GEOHASH: Final = r"^[0-9b-hjkmnp-zB-HJKMNP-Z]{4,12}$"
_H3: Final = r"^(?i)(?:0x)?8[0-9a-f]{14}$"
_PLUS_CODE: Final = r"^[23456789CFGHJMPQRVWX]{8}\+(?:[23456789CFGHJMPQRVWX]{2,7})?$"

_GEOHASH_DIGITS: Final = np.full(256, -1, np.int64)
for _value, _letter in enumerate(GEOHASH_ALPHABET):
    _GEOHASH_DIGITS[ord(_letter)] = _GEOHASH_DIGITS[ord(_letter.upper())] = _value
_PLUS_DIGITS: Final = "23456789CFGHJMPQRVWX"
_PLUS_STEPS: Final = (20.0, 1.0, 0.05, 0.0025, 0.000125)
_PLUS_ROWS, _PLUS_COLUMNS = 5, 4  # of the grid that each digit after the tenth divides a cell into


def name_cells(text: pl.Series) -> str | None:
    """Name the form of cells that most texts of a column have; None where they are none."""
    forms = ((H3, parse_h3), (PLUS_CODE, parse_plus_codes), (GEOHASH, parse_geohashes))
    shares = ((form, np.count_nonzero(~np.isnan(parse(text).longitude))) for form, parse in forms)
    return next((form for form, count in shares if count * 2 > len(text)), None)


def parse_geohashes(text: pl.Series) -> Coordinates:
    """Return the centres of geohash cells. Shape: one value per text, NaN where it is none."""
    found = _make_ends(len(text))
    is_code = text.str.contains(_GEOHASH).fill_null(value=False)
    for length in text.filter(is_code).str.len_bytes().unique().to_list():
        rows = np.flatnonzero((is_code & (text.str.len_bytes() == length)).to_numpy())
        codes = np.frombuffer("".join(text.gather(rows)).encode(), np.uint8).reshape(len(rows), length)
        found.longitude[rows], found.latitude[rows] = _decode_geohashes(_GEOHASH_DIGITS[codes])
    return found


def _decode_geohashes(digits: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Shape: one row per code, a digit a column."""
    middle = [np.zeros(len(digits)), np.zeros(len(digits))]
    half = [180.0, 90.0]
    for number in range(5 * digits.shape[1]):
        bit = (digits[:, number // 5] >> (4 - number % 5)) & 1
        axis = number % 2
        half[axis] /= 2
        middle[axis] += np.where(bit, half[axis], -half[axis])
    return middle[0], middle[1]


def parse_h3(text: pl.Series) -> Coordinates:
    """Return the centres of H3 cells, written in hexadecimal. Shape: one value per text, NaN where it is none."""
    return _map_unique(text, _H3, _decode_h3)


def _decode_h3(code: str) -> tuple[float, float] | None:
    code = code.lower().removeprefix("0x")
    if not h3.is_valid_cell(code):
        return None
    latitude, longitude = h3.cell_to_latlng(code)
    return longitude, latitude


def parse_plus_codes(text: pl.Series) -> Coordinates:
    """Return the centres of full Open Location Codes. Shape: one value per text, NaN where it is none."""
    return _map_unique(text, _PLUS_CODE, _decode_plus_code)


def _decode_plus_code(code: str) -> tuple[float, float]:
    digits = [_PLUS_DIGITS.index(letter) for letter in code.replace("+", "")]
    latitude, longitude = -90.0, -180.0
    for step, row, column in zip(_PLUS_STEPS, digits[0:10:2], digits[1:10:2], strict=False):
        latitude, longitude, height, width = latitude + row * step, longitude + column * step, step, step
    for digit in digits[10:]:
        height, width = height / _PLUS_ROWS, width / _PLUS_COLUMNS
        latitude += digit // _PLUS_COLUMNS * height
        longitude += digit % _PLUS_COLUMNS * width
    return longitude + width / 2, latitude + height / 2


def _map_unique(text: pl.Series, pattern: str, decode: Callable[[str], tuple[float, float] | None]) -> Coordinates:
    """Decode each distinct text that fits a pattern once: cells come again and again."""
    found = _make_ends(len(text))
    rows = np.flatnonzero(text.str.contains(pattern).fill_null(value=False).to_numpy())
    known: dict[str, tuple[float, float]] = {}
    for row, code in zip(rows.tolist(), text.gather(rows), strict=True):
        place = known.get(code) or known.setdefault(code, decode(code) or (np.nan, np.nan))
        found.longitude[row], found.latitude[row] = place
    return found


def _make_ends(count: int) -> Coordinates:
    return Coordinates(np.full(count, np.nan), np.full(count, np.nan))
