"""Points: one column that holds both coordinates, to longitude and latitude in degrees (WGS 84).

Forms: WKT `POINT (lon lat)` (also Z, M, SRID=4326;), GeoJSON `{"type": "Point", "coordinates": [lon, lat]}`, objects with
longitude and latitude, `[lon, lat]`, `(lat, lon)` and `lat, lon` as maps and data portals write them, and WKB in hex.
A LINESTRING, or an array of pairs, gives its first and its last point.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

from loader.formats.ends import Ends
from loader.formats.fields import FieldTable
from loader.formats.kernels import read_points
from loader.formats.numbers import to_floats
from loader.formats.wkb import parse_wkb

_NUMBER = r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
POINT_PATTERN = rf"(?i)^\s*(?:SRID=\d+;\s*)?POINT\s*(?:ZM|Z|M)?\s*\(\s*{_NUMBER}\s+{_NUMBER}(?:\s+{_NUMBER}){{0,2}}\s*\)\s*$"
ROUTE_PATTERN = (
    rf"(?i)^\s*(?:SRID=\d+;\s*)?LINESTRING\s*(?:ZM|Z|M)?\s*\(\s*{_NUMBER}\s+{_NUMBER}[^,]*,"
    rf"(?:[^()]*,)?\s*{_NUMBER}\s+{_NUMBER}(?:\s+{_NUMBER}){{0,2}}\s*\)\s*$"
)
ARRAY_PATTERN = rf'^\s*(?:\{{.*"coordinates"\s*:\s*)?\[\s*{_NUMBER}\s*,\s*{_NUMBER}\s*(?:,\s*{_NUMBER}\s*)?\]'
AXIS_PATTERNS = tuple(
    rf"""(?i)^\s*\{{.*?\b(?:{names})["']?\s*[:=]\s*["']?{_NUMBER}["']?\s*[,}}]"""
    for names in ("longitude|long|lon|lng|x", "latitude|lat|y")
)
PAIR_PATTERN = rf"^\s*\(?\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\)?\s*$"
_PAIR = rf"\[\s*{_NUMBER}\s*,\s*{_NUMBER}\s*(?:,\s*{_NUMBER}\s*)?\]"
FIRST_PAIR_PATTERN = rf'^\s*(?:\{{.*"coordinates"\s*:\s*)?\[\s*{_PAIR}[^a-zA-Z"]*'
LAST_PAIR_PATTERN = rf'^\s*(?:\{{.*"coordinates"\s*:\s*)?\[.*{_PAIR}\s*\]\s*(?:,.*)?\}}?\s*$'


def parse_points(table: FieldTable, column: int) -> Ends:
    """Parse a column of points. Shape: one value per row of the table."""
    bounds = table.bounds(column)
    longitude, latitude = read_points(table.buffer, bounds.starts, bounds.ends)
    rest = np.flatnonzero(np.isnan(longitude))
    if len(rest):
        ends = parse_point_text(table.cut(bounds.take(rest)))
        longitude[rest], latitude[rest] = ends.longitude, ends.latitude
    return Ends(longitude, latitude)


def parse_point_text(text: pl.Series) -> Ends:
    """Parse points of any form from text."""
    found = _parse_pairs(text, POINT_PATTERN)
    for parse in OTHER_FORMS:
        rest = np.flatnonzero(np.isnan(found.longitude) | np.isnan(found.latitude))
        if len(rest) == 0:
            break
        more = parse(text.gather(rest))
        found = Ends(found.longitude.copy(), found.latitude.copy())
        found.longitude[rest], found.latitude[rest] = more.longitude, more.latitude
    return found


def _parse_pairs(text: pl.Series, pattern: str) -> Ends:
    groups = text.str.extract_groups(pattern).struct
    return Ends(to_floats(groups.field("1")), to_floats(groups.field("2")))


def _parse_latitude_first(text: pl.Series) -> Ends:
    pairs = _parse_pairs(text, PAIR_PATTERN)
    return Ends(pairs.latitude, pairs.longitude)


def _parse_objects(text: pl.Series) -> Ends:
    return Ends(*(to_floats(text.str.extract(pattern)) for pattern in AXIS_PATTERNS))


def _parse_hex(text: pl.Series) -> Ends:
    return parse_wkb(text.str.strip_chars(" \t").str.decode("hex", strict=False).fill_null(b""))[0]


OTHER_FORMS: tuple[Callable[[pl.Series], Ends], ...] = (
    lambda text: _parse_pairs(text, ARRAY_PATTERN),
    _parse_objects,
    _parse_latitude_first,
    _parse_hex,
)


def parse_routes(text: pl.Series) -> tuple[Ends, Ends]:
    """Parse lines, as WKT `LINESTRING (lon lat, …)` or as arrays `[[lon, lat], …]`; gives their first and their last points."""
    groups = text.str.extract_groups(ROUTE_PATTERN).struct
    first, last = (Ends(*(to_floats(groups.field(name)) for name in names)) for names in ("12", "34"))
    rest = np.flatnonzero(np.isnan(first.longitude))
    if len(rest) == 0:
        return first, last
    ends = Ends(first.longitude.copy(), first.latitude.copy()), Ends(last.longitude.copy(), last.latitude.copy())
    for end, pattern in zip(ends, (FIRST_PAIR_PATTERN, LAST_PAIR_PATTERN), strict=True):
        pairs = _parse_pairs(text.gather(rest), pattern)
        end.longitude[rest], end.latitude[rest] = pairs.longitude, pairs.latitude
    return ends
