"""GeoJSON: a FeatureCollection, a Feature, or a geometry alone."""

import json
from typing import Any, Final

import numpy as np
import shapely
from pyproj import CRS

from loader.formats.model.crs import parse_crs
from loader.place_files.table import PlaceTable, bad_file, check_counts, write_value

_ID: Final = "id"


def read_geojson(data: bytes) -> PlaceTable:
    """Read GeoJSON. CRS: WGS 84, unless a member crs names another. Raises: FileFormatError."""
    document = _parse(data)
    features = _list_features(document)
    properties = [_read_properties(feature) for feature in features]
    names = list(dict.fromkeys(name for each in properties for name in each))
    check_counts(len(features), len(names))
    shapes = shapely.from_geojson(np.array([_write(feature) for feature in features], dtype=object), on_invalid="ignore")
    for number, (feature, shape) in enumerate(zip(features, shapes, strict=True), 1):
        if shape is None and feature.get("geometry") is not None:
            raise bad_file(f"The geometry of feature {number} is no GeoJSON geometry.")
    columns = {name: [write_value(each.get(name)) for each in properties] for name in names}
    return PlaceTable("GeoJSON", shapes, columns, _read_crs(document))


def _parse(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise bad_file("The file is no valid JSON: it is damaged or cut off.") from error
    if not isinstance(document, dict):
        raise bad_file("The JSON is no GeoJSON: it has no features.")
    return document


def _list_features(document: dict[str, Any]) -> list[dict[str, Any]]:
    if document.get("type") == "FeatureCollection":
        features = document.get("features")
    elif document.get("type") == "Feature":
        features = [document]
    elif "coordinates" in document or "geometries" in document:
        features = [{"type": "Feature", "geometry": document}]
    else:
        features = None
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise bad_file("The JSON is no GeoJSON: it has no features.")
    return features


def _read_properties(feature: dict[str, Any]) -> dict[str, object]:
    """Scalar properties, and the feature's own id where no property is called so."""
    found = feature.get("properties")
    properties = (
        {name: value for name, value in found.items() if not isinstance(value, (dict, list))} if isinstance(found, dict) else {}
    )
    return {_ID: feature["id"], **properties} if isinstance(feature.get("id"), (str, int, float)) else properties


def _write(feature: dict[str, Any]) -> str | None:
    geometry = feature.get("geometry")
    return None if geometry is None else json.dumps(geometry)


def _read_crs(document: dict[str, Any]) -> CRS:
    """The system that the member crs of older files names."""
    member = document.get("crs")
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        return CRS.from_epsg(4326)
    try:
        return parse_crs(name)
    except ValueError as error:
        raise bad_file(
            f"The file names a reference system that is not known: {name[:100]}. Say which with crs (--crs)."
        ) from error
