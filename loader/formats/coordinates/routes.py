"""Routes: one column that holds a whole line, to its first and its last point (WGS 84, degrees).

Forms: WKT `LINESTRING (lon lat, …)`, `MULTILINESTRING`, `MULTIPOINT` of two; arrays `[[lon, lat], …]` and GeoJSON of the same
shapes; a GeoJSON FeatureCollection of points with timestamps (MDS); encoded polylines.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from loader.formats.coordinates.degrees import Coordinates
from loader.formats.coordinates.points import NUMBER, parse_pairs
from loader.formats.coordinates.polylines import parse_polylines
from loader.formats.text.numbers import to_floats

_REST = rf"(?:\s+{NUMBER}){{0,2}}"
WKT_PATTERN = (
    rf"(?i)^\s*(?:SRID=\d+;\s*)?(?:MULTI)?LINESTRING\s*(?:ZM|Z|M)?\s*\(+\s*{NUMBER}\s+{NUMBER}[^,]*,"
    rf"(?:[^a-z]*[,(])?\s*{NUMBER}\s+{NUMBER}{_REST}\s*\)+\s*$"
)
TWO_POINTS_PATTERN = (
    rf"(?i)^\s*(?:SRID=\d+;\s*)?MULTIPOINT\s*(?:ZM|Z|M)?\s*\(\s*\(?\s*{NUMBER}\s+{NUMBER}{_REST}\s*\)?\s*,"
    rf"\s*\(?\s*{NUMBER}\s+{NUMBER}{_REST}\s*\)?\s*\)\s*$"
)
_PAIR = rf"\[\s*{NUMBER}\s*,\s*{NUMBER}\s*(?:,\s*{NUMBER}\s*)?\]"
_OBJECT = r"""^\s*(?:\{.*["']coordinates["']\s*:\s*)?\["""
FIRST_PAIR_PATTERN = rf"{_OBJECT}\s*\[?\s*{_PAIR}[^a-zA-Z\"']*"
LAST_PAIR_PATTERN = rf"{_OBJECT}.*{_PAIR}\s*\]?\s*\]\s*(?:,.*)?\}}?\s*$"
# Texts that may hold a line.
ROUTE_START = r"(?i)LINESTRING|MULTIPOINT|\[\s*\[|FeatureCollection"

_COLLECTION = "FeatureCollection"
_POINTS = r"""["']type["']\s*:\s*["']MultiPoint["']"""
_AREA = r"""["']type["']\s*:\s*["'](?:Multi)?Polygon["']"""

Line = tuple[Coordinates, Coordinates]


def parse_routes(text: pl.Series, *, precision: int = 5) -> Line:
    """Parse lines; gives their first and their last points. precision: digits behind the point of encoded polylines.

    Shape: one value per text, NaN where it is no line.
    """
    forms: tuple[Callable[[pl.Series], Line], ...] = (
        lambda rest: _parse_wkt(rest, WKT_PATTERN),
        _parse_arrays,
        lambda rest: _parse_wkt(rest, TWO_POINTS_PATTERN),
        _parse_collections,
        lambda rest: parse_polylines(rest, precision),
    )
    found = _empty(len(text))
    for parse in forms:
        rest = np.flatnonzero(np.isnan(found[0].longitude) | np.isnan(found[1].longitude))
        if len(rest) == 0:
            break
        for end, more in zip(found, parse(text.gather(rest)), strict=True):
            end.longitude[rest], end.latitude[rest] = more.longitude, more.latitude
    return found


def _parse_wkt(text: pl.Series, pattern: str) -> Line:
    groups = text.str.extract_groups(pattern).struct
    names = groups.fields
    last = 2 if pattern == WKT_PATTERN else 3
    return tuple(Coordinates(*(to_floats(groups.field(name)) for name in names[at : at + 2])) for at in (0, last))  # type: ignore[return-value]


def _parse_arrays(text: pl.Series) -> Line:
    """Of several points, only two are the ends of a trip."""
    is_many = text.str.contains(_POINTS) & (text.str.count_matches(_PAIR) != 2)
    text = pl.select(pl.when(~(is_many | text.str.contains(_AREA))).then(text)).to_series()
    return parse_pairs(text, FIRST_PAIR_PATTERN), parse_pairs(text, LAST_PAIR_PATTERN)


def _parse_collections(text: pl.Series) -> Line:
    found = _empty(len(text))
    rows = np.flatnonzero(text.str.contains(_COLLECTION, literal=True).fill_null(value=False).to_numpy())
    for row, document in zip(rows.tolist(), text.gather(rows), strict=True):
        for end, place in zip(found, _read_collection(document) or (), strict=False):
            end.longitude[row], end.latitude[row] = place
    return found


def _read_collection(document: str) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the points of the first and the last moment; in the order they come where they have no timestamps."""
    try:
        features = json.loads(document)["features"]
        points = [(_read_moment(feature), feature["geometry"]["coordinates"]) for feature in features]
        places = [(moment, (float(point[0]), float(point[1]))) for moment, point in points]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None
    if not places:
        return None
    if all(moment is not None for moment, _ in places):
        places.sort(key=lambda item: item[0] or 0.0)
    return places[0][1], places[-1][1]


def _read_moment(feature: dict[str, Any]) -> float | None:
    moment = (feature.get("properties") or {}).get("timestamp")
    return float(moment) if isinstance(moment, (int, float, str)) and str(moment).replace(".", "", 1).isdigit() else None


def _empty(count: int) -> Line:
    return Coordinates(np.full(count, np.nan), np.full(count, np.nan)), Coordinates(
        np.full(count, np.nan), np.full(count, np.nan)
    )
