"""CSV: a column of WKT or WKB, or one of longitude and one of latitude."""

import csv
import io
import re
from typing import Final

import numpy as np
import polars as pl
import shapely

from loader.formats.model.crs import parse_crs
from loader.formats.text.encoding import detect_encoding
from loader.formats.text.numbers import parse_numbers
from loader.formats.vocabulary.column_names import read_names
from loader.place_files.table import FEATURES_LIMIT, PlaceTable, Shapes, bad_file, check_counts, is_none

_DELIMITERS: Final = (",", ";", "\t", "|")
_LOOKED_AT: Final = 50
_WKT: Final = re.compile(r"(?i)\s*(?:SRID=(\d+);)?\s*(?:MULTI)?(?:POINT|POLYGON|LINESTRING|GEOMETRYCOLLECTION)\b")
_HEX_WKB: Final = re.compile(r"(?:00|01)(?:[0-9A-Fa-f]{2}){8,}")
# As a record of trips: a lost quote must not swallow the file.
_FIELD_LIMIT: Final = 8 * 2**20


def read_csv(data: bytes) -> PlaceTable:
    """Read delimited text. Raises: FileFormatError."""
    header, rows = _split(_decode(data))
    check_counts(len(rows), len(header))
    columns = {name: [row[number] for row in rows] for number, name in enumerate(header)}
    for name, values in columns.items():
        if crs := _find_wkt(values):
            rest = {other: texts for other, texts in columns.items() if other != name}
            return PlaceTable("CSV with WKT", _parse_shapes(values, name), rest, None if crs == "0" else parse_crs(crs))
    axes = _find_axes(header, columns)
    if axes is None:
        raise bad_file(
            f"No column holds shapes (WKT) or longitude and latitude. Columns: {', '.join(header[:30])}. "
            "Name them lon and lat, or add a column with WKT."
        )
    x, y = (parse_numbers(pl.Series(columns[name], dtype=pl.String), decimal=_find_decimal(columns[name])) for name in axes)
    known = np.isfinite(x) & np.isfinite(y) & ((x != 0) | (y != 0))
    shapes: Shapes = np.full(len(rows), None, dtype=object)
    shapes[known] = shapely.points(x[known], y[known])
    rest = {other: texts for other, texts in columns.items() if other not in axes}
    return PlaceTable("CSV of points", shapes, rest, None, notes=(f"Points are {axes[0]} and {axes[1]}.",))


def _decode(data: bytes) -> str:
    return data.decode(detect_encoding(data, is_whole=True), "replace").removeprefix("\ufeff")


def _split(text: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows, each as long as the header."""
    csv.field_size_limit(_FIELD_LIMIT)
    best: list[list[str]] = []
    for delimiter in _DELIMITERS:
        rows = _read(text, delimiter, _LOOKED_AT)
        widths = {len(row) for row in rows}
        if rows and len(rows[0]) > max(1, len(best[0]) if best else 1) and (len(widths) == 1 or not best):
            best, chosen = rows, delimiter
    if not best:
        raise bad_file("Found only one column: no comma, semicolon, tab or bar divides the lines.")
    header, *rows = _read(text, chosen, FEATURES_LIMIT + 2)
    names = [name.strip() or f"column_{number}" for number, name in enumerate(header, 1)]
    names = [name if name not in names[:number] else f"{name} {number + 1}" for number, name in enumerate(names)]
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise bad_file(
                f"Row {number} has {len(row)} fields and the header {len(names)}: quote values that contain the delimiter."
            )
    return names, [[value.strip() for value in row] for row in rows]


def _read(text: str, delimiter: str, limit: int) -> list[list[str]]:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        found = []
        for row in reader:
            if any(value.strip() for value in row):
                found.append(row)
            if len(found) >= limit:
                break
    except csv.Error as error:
        raise bad_file(f"The CSV can't be read: {error}.") from error
    return found


def _find_wkt(values: list[str]) -> str | None:
    """The SRID of a column of WKT or WKB, `0` where it has none; None of another column."""
    filled = [value for value in values[:_LOOKED_AT] if value]
    if not filled or not all(_WKT.match(value) or _HEX_WKB.fullmatch(value) for value in filled):
        return None
    found = _WKT.match(filled[0])
    if found and found[1]:
        return f"EPSG:{found[1]}"
    srid = 0 if found else int(shapely.get_srid(shapely.from_wkb(filled[0], on_invalid="ignore")))
    return f"EPSG:{srid}" if srid > 0 else "0"


def _parse_shapes(values: list[str], column: str) -> Shapes:
    plain = np.array([re.sub(r"(?i)^\s*SRID=\d+;", "", value) or None for value in values], dtype=object)
    is_hex = np.array([value is not None and _HEX_WKB.fullmatch(value) is not None for value in plain], dtype=bool)
    shapes: Shapes = np.full(len(plain), None, dtype=object)
    shapes[is_hex] = shapely.from_wkb(plain[is_hex], on_invalid="ignore")
    shapes[~is_hex] = shapely.from_wkt(plain[~is_hex], on_invalid="ignore")
    for number in np.flatnonzero(is_none(shapes) & ~is_none(plain)):
        raise bad_file(f"Row {number + 1} has no shape in {column}: {values[number][:60]!r} is no WKT.")
    return shapes


def _find_axes(header: list[str], columns: dict[str, list[str]]) -> tuple[str, str] | None:
    """The columns of longitude and latitude; coordinates before letters (x, y)."""
    found: dict[str, list[tuple[bool, int, str]]] = {"longitude": [], "latitude": []}
    for name, meaning in zip(header, read_names(header), strict=True):
        if meaning.kind in found and any(columns[name]):
            found[meaning.kind].append((meaning.is_axis_letter, meaning.strangers, name))
    if not all(found.values()):
        return None
    return min(found["longitude"])[2], min(found["latitude"])[2]


def _find_decimal(values: list[str]) -> str:
    commas = sum("," in value for value in values)
    return "," if commas * 2 > len(values) else "."
