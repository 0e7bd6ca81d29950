"""Points: one column that holds both coordinates, to longitude and latitude in degrees (WGS 84).

Forms: WKT `POINT (lon lat)` (also Z, M, SRID=4326;), GeoJSON `{"type": "Point", "coordinates": [lon, lat]}` (also as Python
writes it), objects with longitude and latitude, `[lon, lat]`, `(lat, lon)` and `lat, lon` as maps and data portals write them
(also below the lines of an address), `lat lon`, WKB in hex, H3 indexes and Open Location Codes. Lines are in routes.py.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

from loader.formats.coordinates.cells import parse_h3, parse_plus_codes
from loader.formats.coordinates.degrees import Coordinates
from loader.formats.coordinates.wkb import parse_wkb
from loader.formats.text.fields import FieldTable
from loader.formats.text.kernels import read_points
from loader.formats.text.numbers import to_floats

NUMBER = r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
POINT_PATTERN = rf"(?i)^\s*(?:SRID=\d+;\s*)?POINT\s*(?:ZM|Z|M)?\s*\(\s*{NUMBER}\s+{NUMBER}(?:\s+{NUMBER}){{0,2}}\s*\)\s*$"
ARRAY_PATTERN = rf'^\s*(?:\{{.*["\']coordinates["\']\s*:\s*)?\[\s*{NUMBER}\s*,\s*{NUMBER}\s*(?:,\s*{NUMBER}\s*)?\]'
AXIS_PATTERNS = tuple(
    rf"""(?i)^\s*\{{.*?\b(?:{names})["']?\s*[:=]\s*["']?{NUMBER}["']?\s*[,}}]"""
    for names in ("longitude|long|lon|lng|x", "latitude|lat|y")
)
# `geo:40.7,-73.9` is RFC 5870's.
PAIR_PATTERN = rf"^\s*(?:geo:)?\(?\s*{NUMBER}\s*,\s*{NUMBER}\s*\)?\s*$"
# Below the lines of an address, as Socrata writes a location.
ADDRESS_PATTERN = r"(?s)^.*\(\s*([+-]?\d{1,3}\.\d+)\s*,\s*([+-]?\d{1,3}\.\d+)\s*\)\s*$"
SPACED_PATTERN = r"^\s*\(?\s*([+-]?\d{1,3}\.\d+)[ \t]+([+-]?\d{1,3}\.\d+)\s*\)?\s*$"
# Any of the forms that begin with the latitude.
LATITUDE_FIRST_PATTERN = f"{PAIR_PATTERN}|{ADDRESS_PATTERN}|{SPACED_PATTERN}"


def parse_points(table: FieldTable, column: int) -> Coordinates:
    """Parse a column of points. Shape: one value per row of the table."""
    bounds = table.bounds(column)
    longitude, latitude = read_points(table.buffer, bounds.starts, bounds.ends)
    rest = np.flatnonzero(np.isnan(longitude))
    if len(rest):
        ends = parse_point_text(table.cut(bounds.take(rest)))
        longitude[rest], latitude[rest] = ends.longitude, ends.latitude
    return Coordinates(longitude, latitude)


def parse_point_text(text: pl.Series) -> Coordinates:
    """Parse points of any form from text."""
    found = parse_pairs(text, POINT_PATTERN)
    for parse in OTHER_FORMS:
        rest = np.flatnonzero(np.isnan(found.longitude) | np.isnan(found.latitude))
        if len(rest) == 0:
            break
        more = parse(text.gather(rest))
        found = Coordinates(found.longitude.copy(), found.latitude.copy())
        found.longitude[rest], found.latitude[rest] = more.longitude, more.latitude
    return found


def parse_pairs(text: pl.Series, pattern: str) -> Coordinates:
    """Parse longitude and latitude as the first two groups of a pattern."""
    groups = text.str.extract_groups(pattern).struct
    return Coordinates(to_floats(groups.field("1")), to_floats(groups.field("2")))


def _parse_latitude_first(text: pl.Series, pattern: str) -> Coordinates:
    pairs = parse_pairs(text, pattern)
    return Coordinates(pairs.latitude, pairs.longitude)


def _parse_objects(text: pl.Series) -> Coordinates:
    return Coordinates(*(to_floats(text.str.extract(pattern)) for pattern in AXIS_PATTERNS))


def _parse_hex(text: pl.Series) -> Coordinates:
    return parse_wkb(text.str.strip_chars(" \t").str.decode("hex", strict=False).fill_null(b""))[0]


OTHER_FORMS: tuple[Callable[[pl.Series], Coordinates], ...] = (
    lambda text: parse_pairs(text, ARRAY_PATTERN),
    _parse_objects,
    lambda text: _parse_latitude_first(text, PAIR_PATTERN),
    _parse_hex,
    lambda text: _parse_latitude_first(text, ADDRESS_PATTERN),
    lambda text: _parse_latitude_first(text, SPACED_PATTERN),
    parse_h3,
    parse_plus_codes,
)
