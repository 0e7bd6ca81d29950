"""A place file: its rows as places in WGS 84, and what was understood of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError
from shapely.geometry.base import BaseGeometry

from loader.formats.coordinates.reprojection import find_candidates
from loader.formats.model.crs import parse_crs
from loader.formats.model.errors import make_choice
from loader.place_files.columns import choose_key, choose_label
from loader.place_files.delimited import read_csv
from loader.place_files.geojson import read_geojson
from loader.place_files.table import VERTICES_LIMIT, PlaceOptions, PlaceTable, Shapes, bad_file
from loader.place_files.vector import SQLITE_MAGIC, read_geopackage, read_zip
from shared.places.geometry import make_place
from shared.places.model import NAME_CHARACTERS, Kind, NewPlace
from shared.platform.errors import FileFormatError, RequestError

_ZIP_MAGIC: Final = b"PK\x03\x04"
_WGS_84: Final = "EPSG:4326"
_PLACE: Final = "place"
"""Key of a file without attributes."""
_SHOWN: Final = 5
_SHOWN_ROWS: Final = 20
_SHOWN_VALUES: Final = 3
_CRS_CHOICES: Final = 6


@dataclass(frozen=True)
class PlaceFile:
    """The places of a file, and what a person should know. crs: the system they came in. columns: all of the file's."""

    places: list[NewPlace]
    kind: Kind
    crs: str
    table: PlaceTable
    key: str
    label: str
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """What was understood, as plain JSON: shown before anything is stored."""
        bounds = np.array([place.bounds for place in self.places])
        return {
            "format": self.table.format,
            "kind": self.kind,
            "crs": self.crs,
            "layer": self.table.layer,
            "other_layers": list(self.table.others),
            "key": self.key,
            "label": self.label,
            "columns": [
                {
                    "name": name,
                    "examples": list(dict.fromkeys(filter(None, values)))[:_SHOWN_VALUES],
                    "distinct": len(set(values)),
                }
                for name, values in self.table.columns.items()
            ],
            "rows_read": len(self.table.shapes),
            "places": len(self.places),
            "bounds": [*bounds[:, :2].min(axis=0).tolist(), *bounds[:, 2:].max(axis=0).tolist()],
            "shown": [
                {"key": place.key, "name": place.name, "bounds": list(place.bounds)} for place in self.places[:_SHOWN_ROWS]
            ],
            "notes": list(self.notes),
        }


def read_place_file(data: bytes, *, file_name: str, options: PlaceOptions) -> PlaceFile:
    """Read the places of a file. Raises: FileFormatError, RequestError, each with one clear message."""
    if not data:
        raise FileFormatError(f"{file_name} is empty.", code="empty_file")
    table = _read_table(data, options)
    if not table.columns:
        table = replace(table, columns={_PLACE: [f"place {number}" for number in range(1, len(table.shapes) + 1)]})
    if len(table.shapes) == 0 or not any(shape is not None and not shape.is_empty for shape in table.shapes):
        raise bad_file("The file has no places: no row has a shape.")
    vertices = int(shapely.get_num_coordinates(table.shapes).sum())
    if vertices > VERTICES_LIMIT:
        raise FileFormatError(
            f"The shapes have {vertices:,} vertices, more than {VERTICES_LIMIT:,}: simplify them, such as to 1 m.",
            code="too_many_vertices",
        )
    crs, shapes = _reproject(table, options)
    key = choose_key(table, options.key)
    label = choose_label(table, options.label, key=key)
    rows = _Rows(table, shapes, key=key, label=label)
    places = rows.make_places()
    kind: Kind = "zones" if any(place.polygon is not None for place in places) else "points"
    return PlaceFile(places, kind, crs, table, key, label, tuple(_list_notes(table, rows, crs=crs, kind=kind)))


def _read_table(data: bytes, options: PlaceOptions) -> PlaceTable:
    if data.startswith(_ZIP_MAGIC):
        found = read_zip(data, options)
        if isinstance(found, PlaceTable):
            return found
        data = found[1]
        if data.startswith(_ZIP_MAGIC):
            raise bad_file("The zip file holds another zip file: upload that one.")
    if data.startswith(SQLITE_MAGIC):
        return read_geopackage(data, options)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return read_geojson(data)
    if data.startswith(b"\x00\x00\x27\x0a"):
        raise bad_file("This is one part of a shapefile: zip it with its .shx, .dbf and .prj files, and upload that.")
    try:
        return read_csv(data)
    except FileFormatError as error:
        if error.error_code == "not_a_table":
            raise bad_file("This is no file of places: upload GeoJSON, a zipped shapefile, a GeoPackage or CSV.") from error
        raise


def _reproject(table: PlaceTable, options: PlaceOptions) -> tuple[str, Shapes]:
    """Shapes in WGS 84, and the name of the system they were in. Raises: FileFormatError where it isn't known."""
    crs = parse_option(options.crs) if options.crs else table.crs
    if crs is None:
        _check_degrees(table)
        return _WGS_84, table.shapes
    name = _name_crs(crs)
    if name in (_WGS_84, "OGC:CRS84"):
        return _WGS_84, table.shapes
    if not (crs.is_projected or crs.is_geographic or crs.is_bound or crs.is_compound):
        raise bad_file(f"The file's reference system ({name}) is not on Earth. Say which it is with crs (--crs).")
    transformer = Transformer.from_crs(crs, _WGS_84, always_xy=True)
    try:
        shapes = shapely.transform(
            table.shapes, lambda points: np.column_stack(transformer.transform(points[:, 0], points[:, 1]))
        )
    except ProjError as error:
        raise bad_file(f"The shapes can't be transformed from {name}: {error}.") from error
    return name, shapes


def parse_option(name: str) -> CRS:
    """Return the system that an option names. Raises: RequestError."""
    try:
        return parse_crs(name)
    except ValueError as error:
        raise RequestError(
            f"Unknown coordinate reference system {name!r}; use a code such as EPSG:2263.", parameter="crs"
        ) from error


def _name_crs(crs: CRS) -> str:
    authority = crs.to_authority(min_confidence=70)
    return ":".join(authority) if authority else crs.name


def _check_degrees(table: PlaceTable) -> None:
    """Ask for the system of shapes that are no degrees, in a file that names none."""
    west, south, east, north = shapely.total_bounds(table.shapes)
    if -180 <= west <= east <= 180 and -90 <= south <= north <= 90:
        return
    x, y = float((west + east) / 2), float((south + north) / 2)
    found = [candidate for candidate in find_candidates(x, y) if candidate.option == "crs"][:_CRS_CHOICES]
    statement = f"The file names no reference system, and its coordinates are no degrees (such as {x:.10g}, {y:.10g})."
    hint = f"They look like {found[0].label}, near {found[0].city}. " if found else ""
    code = found[0].value if found else "EPSG:CODE"
    raise FileFormatError(
        f"{statement} {hint}Say which with crs {code} (--crs {code}).",
        statement=f"{statement} {hint}".strip(),
        code="not_degrees",
        parameter="crs",
        choices=[make_choice(f"{candidate.label}, near {candidate.city}", crs=candidate.value) for candidate in found],
    )


class _Rows:
    """Rows of the table on their way to places. without, twice, joined: keys of rows that are left out or put together."""

    def __init__(self, table: PlaceTable, shapes: Shapes, *, key: str, label: str) -> None:
        self._table = table
        self._keys, self._names = table.columns[key], table.columns[label]
        self._key = key
        self._shapes = shapes
        self.without: list[str] = []
        self.twice: list[str] = []
        self.joined: list[str] = []

    def make_places(self) -> list[NewPlace]:
        """Places of the rows that have a key and a shape; rows of one key are one. Raises: FileFormatError naming a feature."""
        found: dict[str, list[int]] = {}
        for row, (key, shape) in enumerate(zip(self._keys, self._shapes, strict=True)):
            self._check_text(row)
            if shape is None or shape.is_empty or not key:
                self.without.append(key or f"feature {row + 1}")
            else:
                found.setdefault(key, []).append(row)
        if not found:
            raise bad_file(f"No row has both a shape and a value in {self._key}.")
        return [self._make(key, rows) for key, rows in found.items()]

    def _make(self, key: str, rows: list[int]) -> NewPlace:
        shape = self._shapes[rows[0]]
        if len(rows) > 1 and shape.geom_type == "Point":
            self.twice.append(key)
        elif len(rows) > 1:
            self.joined.append(key)
            for row in rows:
                self._make_one(key, self._shapes[row], row)
            shape = shapely.union_all(self._shapes[rows])
        return self._make_one(key, shape, rows[0])

    def _make_one(self, key: str, shape: BaseGeometry, row: int) -> NewPlace:
        name = self._names[row] or key
        try:
            if not np.isfinite(shapely.bounds(shape)).all():
                raise RequestError("it lies outside of the reference system's area.", parameter="shape")
            return make_place(key, name, shape)
        except RequestError as error:
            told = f" ({name})" if name != key else ""
            raise FileFormatError(
                f"Feature {row + 1}, {self._key} {key}{told}: {error.message} Correct it and upload the file again.",
                code="invalid_shape",
            ) from error

    def _check_text(self, row: int) -> None:
        for text in (self._keys[row], self._names[row]):
            if "\0" in text or len(text) > NAME_CHARACTERS:
                what = "a NUL character" if "\0" in text else f"more than {NAME_CHARACTERS} characters"
                raise bad_file(f"The key or name of feature {row + 1} has {what}.")


def _list_notes(table: PlaceTable, rows: _Rows, *, crs: str, kind: Kind) -> Iterator[str]:
    """Say what a person may want to know before the places are stored."""
    system = "longitude and latitude in WGS 84" if crs == _WGS_84 else f"transformed from {crs} to WGS 84"
    yield f"The file is {'an' if table.format[0] in 'AEIOU' else 'a'} {table.format}; its coordinates are {system}."
    yield from table.notes
    if table.others:
        others = ", ".join(table.others[:10])
        yield f"Places are read from the layer {table.layer!r}; the file holds besides: {others} (--layer names another)."
    if kind == "zones":
        yield "The places are zones: trips of a file that names a zone lie at one point inside it."
    if rows.without:
        yield f"{len(rows.without):,} rows without a shape or key are left out: {_shorten(rows.without)}."
    if rows.joined:
        yield f"{len(rows.joined):,} zones come in several rows, which are joined: {_shorten(rows.joined)}."
    if rows.twice:
        yield f"{len(rows.twice):,} keys occur more than once, and their first row counts: {_shorten(rows.twice)}."


def _shorten(keys: list[str]) -> str:
    return ", ".join(keys[:_SHOWN]) + (" …" if len(keys) > _SHOWN else "")
