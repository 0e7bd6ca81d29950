"""Tables as answers: rows become CSV, Parquet, an Arrow stream or GeoJSON."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from shared.platform.safe_text import guard_formula

MEDIA: Final = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "geojson": "application/geo+json",
}
TABLE_MEDIA: Final = (MEDIA["csv"], MEDIA["parquet"], MEDIA["arrow"])
MAP_MEDIA: Final = (*TABLE_MEDIA, MEDIA["geojson"])

_END_COLUMNS: Final = ("origin_longitude", "origin_latitude", "destination_longitude", "destination_latitude")

Rows = Sequence[Mapping[str, Any]]


def choose_format(requested: str | None, accepted: str, offered: Iterable[tuple[str, str]]) -> str:
    """The form of an answer: the requested one, else the first that Accept names, else JSON."""
    if requested:
        return requested
    media = {kind: name for name, kind in offered}
    named = (entry.partition(";")[0].strip().lower() for entry in accepted.split(","))
    return next((media[kind] for kind in named if kind in media), "json")


def render_table(form: str, columns: Sequence[str], rows: Rows) -> bytes:
    """Rows in a form of MEDIA other than JSON. GeoJSON makes lines of the four columns that say where both ends are."""
    if form == "csv":
        return (render_csv_header(columns) + render_csv(columns, rows)).encode()
    if form == "geojson":
        return json.dumps({"type": "FeatureCollection", "features": [_make_feature(row) for row in rows]}, default=str).encode()
    import polars as pl

    frame = pl.DataFrame({column: [row[column] for row in rows] for column in columns}, infer_schema_length=None, strict=False)
    file = io.BytesIO()
    if form == "parquet":
        frame.write_parquet(file)
    else:
        frame.write_ipc_stream(file)
    return file.getvalue()


def render_csv_header(columns: Sequence[str]) -> str:
    """The first line of a CSV file."""
    return ",".join(columns) + "\r\n"


def render_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as lines of CSV (RFC 4180), formulas defused."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([_make_field(row[column]) for column in columns] for row in rows)
    return text.getvalue()


def _make_field(value: object) -> object:
    if isinstance(value, (list, tuple)):
        value = "; ".join(map(str, value))
    return guard_formula(value)


def _make_feature(row: Mapping[str, Any]) -> dict[str, Any]:
    west, south, east, north = (row[column] for column in _END_COLUMNS)
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[west, south], [east, north]]},
        "properties": {name: value for name, value in row.items() if name not in _END_COLUMNS},
    }
