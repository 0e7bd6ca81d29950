"""Exports of places: GeoJSON (RFC 7946) and GeoParquet 1.1, in WGS 84, longitude first."""

import io
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS

from shared.places.geometry import make_geojson
from shared.places.model import Place


def write_geojson(places: Sequence[Place]) -> bytes:
    """A FeatureCollection with the properties key, name and place_id."""
    return json.dumps({"type": "FeatureCollection", "features": [make_geojson(place) for place in places]}).encode()


def write_geoparquet(places: Sequence[Place]) -> bytes:
    """A table of place_id, key, name and geometry (WKB): the polygon, or the point of a place without one."""
    shapes = [place.shape or shapely.Point(place.point) for place in places]
    table = pa.table(
        {
            "place_id": pa.array([place.place_id for place in places], pa.int32()),
            "key": pa.array([place.key for place in places], pa.string()),
            "name": pa.array([place.name for place in places], pa.string()),
            "geometry": pa.array([shapely.to_wkb(shape) for shape in shapes], pa.binary()),
        }
    )
    stream = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(_make_geo(shapes))}), stream)
    return stream.getvalue()


def _make_geo(shapes: Sequence[shapely.Geometry]) -> dict[str, Any]:
    """The metadata that makes it a GeoParquet file."""
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted({shape.geom_type for shape in shapes}),
        "crs": CRS("OGC:CRS84").to_json_dict(),
    }
    if shapes:
        column["bbox"] = shapely.total_bounds(list(shapes)).tolist()
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
