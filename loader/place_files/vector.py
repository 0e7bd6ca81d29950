"""Shapefiles and GeoPackages, through GDAL.

GDAL guesses formats by content, and some of its formats name other files: it is given files only whose first bytes are those of a
shapefile or of SQLite, under names of our own in a folder of their own.
"""

import io
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from loader.place_files.table import FEATURES_LIMIT, PlaceOptions, PlaceTable, bad_file, check_counts, is_none, write_value
from shared.platform.errors import FileFormatError

SQLITE_MAGIC: Final = b"SQLite format 3\x00"
_SHAPEFILE_MAGIC: Final = b"\x00\x00\x27\x0a"
_PARTS: Final = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_UNPACKED_LIMIT: Final = 256 * 2**20
_MEMBERS_LIMIT: Final = 1_000
_COPY_BYTES: Final = 2**20


def read_zip(data: bytes, options: PlaceOptions) -> tuple[str, bytes] | PlaceTable:
    """Read a zipped shapefile; of a zip with another file, its name and bytes. Raises: FileFormatError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read_archive(archive, options)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, RuntimeError) and "password" in str(error):
            raise FileFormatError("The zip file is encrypted: upload it without a password.", code="encrypted_archive") from error
        raise FileFormatError("The zip file is damaged: create it again.", code="damaged_archive") from error


def read_geopackage(data: bytes, options: PlaceOptions) -> PlaceTable:
    """Read a layer of a GeoPackage. Raises: FileFormatError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "places.gpkg"
        path.write_bytes(data)
        return _read(path, "GeoPackage", options)


def _read_archive(archive: zipfile.ZipFile, options: PlaceOptions) -> tuple[str, bytes] | PlaceTable:
    members = [item for item in archive.infolist() if not item.is_dir() and not _is_hidden(item.filename)]
    if len(members) > _MEMBERS_LIMIT:
        raise FileFormatError(f"The zip file has more than {_MEMBERS_LIMIT:,} files.", code="too_many_members")
    shapefiles = {item.filename[:-4]: item for item in members if item.filename.lower().endswith(".shp")}
    if not shapefiles:
        return _take_only(archive, members)
    stem = choose_layer({Path(name).name: name for name in shapefiles}, options.layer)
    parts = {Path(item.filename).suffix.lower(): item for item in members if item.filename[:-4] == stem}
    missing = [suffix for suffix in (".shx", ".dbf") if suffix not in parts]
    if missing:
        raise bad_file(f"The shapefile lacks its {' and '.join(missing)} file: zip all of its parts (.shp, .shx, .dbf, .prj).")
    with tempfile.TemporaryDirectory() as folder:
        budget = _UNPACKED_LIMIT
        for suffix in (suffix for suffix in _PARTS if suffix in parts):
            budget = _unpack(archive, parts[suffix], Path(folder) / f"places{suffix}", budget=budget)
        path = Path(folder) / "places.shp"
        with path.open("rb") as file:
            if file.read(4) != _SHAPEFILE_MAGIC:
                raise bad_file("The .shp file is no shapefile.")
        others = tuple(name for name in map(_name, shapefiles) if name != _name(stem))
        return _read(path, "shapefile", options, layer=_name(stem), others=others)


def _take_only(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> tuple[str, bytes]:
    """The one file of places in an archive."""
    known = [item for item in members if item.filename.lower().endswith((".geojson", ".json", ".gpkg", ".csv", ".txt", ".tsv"))]
    if len(known) != 1:
        raise bad_file("The zip file has no shapefile (.shp), and not one file of places: upload that file by itself.")
    with tempfile.TemporaryFile() as target, archive.open(known[0]) as source:
        _copy(source, target, _UNPACKED_LIMIT)
        target.seek(0)
        return known[0].filename, target.read()


def _unpack(archive: zipfile.ZipFile, item: zipfile.ZipInfo, path: Path, *, budget: int) -> int:
    """Unpack a member; returns what is left of the limit, whatever size the archive claims."""
    with archive.open(item) as source, path.open("wb") as target:
        return _copy(source, target, budget)


def _copy(source: Any, target: Any, budget: int) -> int:  # noqa: ANN401 - binary files
    while piece := source.read(_COPY_BYTES):
        budget -= len(piece)
        if budget < 0:
            raise FileFormatError(f"The zip file expands to more than {_UNPACKED_LIMIT // 2**20} MiB.", code="decompression_bomb")
        target.write(piece)
    return budget


def _read(path: Path, what: str, options: PlaceOptions, *, layer: str | None = None, others: tuple[str, ...] = ()) -> PlaceTable:
    import pyogrio  # GDAL takes half a second, and most files need none
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if layer is None:
                names = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
                layer = choose_layer({name: name for name in names}, options.layer)
                others = tuple(name for name in names if name != layer)
                meta, _, wkb, values = pyogrio.raw.read(path, layer=layer, force_2d=True, max_features=FEATURES_LIMIT + 1)
            else:
                meta, _, wkb, values = pyogrio.raw.read(path, force_2d=True, max_features=FEATURES_LIMIT + 1)
    except (
        DataSourceError,
        DataLayerError,
        FeatureError,
        FieldError,
        GeometryError,
        UnicodeDecodeError,
        ValueError,
        RuntimeError,
    ) as error:
        raise bad_file(f"The {what} is damaged, or none: {str(error)[:200]}.") from error
    check_counts(len(wkb), len(values))
    shapes = shapely.from_wkb(wkb, on_invalid="ignore")
    for number in np.flatnonzero(is_none(shapes) & ~is_none(wkb)):
        raise bad_file(f"The geometry of feature {number + 1} is damaged.")
    columns = {str(name): [write_value(value) for value in column] for name, column in zip(meta["fields"], values, strict=True)}
    return PlaceTable(what, shapes, columns, _parse_crs(meta["crs"]), layer=layer, others=others)


def choose_layer(layers: dict[str, str], wanted: str | None) -> str:
    """The layer that is wanted, or the only one. Raises: FileFormatError naming those there are."""
    if wanted in layers:
        return layers[str(wanted)]
    if len(layers) == 1 and wanted is None:
        return next(iter(layers.values()))
    if not layers:
        raise bad_file("The file has no layer with geometries.")
    names = ", ".join(list(layers)[:20])
    raise FileFormatError(
        f"The file has {len(layers)} layers: {names}. Say which holds the places with layer (--layer).",
        statement=f"The file has {len(layers)} layers. Which holds the places?",
        code="no_such_layer",
        parameter="layer",
        choices=[{"label": name, "options": {"layer": name}} for name in layers],
    )


def _parse_crs(text: str | None) -> CRS | None:
    if not text:
        return None
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise bad_file("The file's reference system can't be read. Say which it is with crs (--crs).") from error


def _name(stem: str) -> str:
    return Path(stem).name


def _is_hidden(name: str) -> bool:
    return name.startswith("__MACOSX") or Path(name).name.startswith(".")
