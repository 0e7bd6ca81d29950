"""Exports: the selection as CSV, GeoJSON and Parquet. Field names are those of the API.

In CSV, text that a spreadsheet would run as a formula gets a quote in front (safe_text.py). Source: RFC 7946 for GeoJSON.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from shared.groups.question import TripGroup
from shared.platform.safe_text import guard_formula
from shared.questions.weekly import WeeklyAnswer


def export_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as CSV, UTF-8, with a header."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([guard_formula(column) for column in columns])
    writer.writerows([guard_formula(value) for value in row] for row in rows)
    return text.getvalue().encode()


def export_parquet(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows as Parquet; the types follow from the values."""
    sink = io.BytesIO()
    arrays = [pa.array([row[number] for row in rows]) for number in range(len(columns))]
    pa.parquet.write_table(pa.table(arrays, names=list(columns)), sink)
    return sink.getvalue()


def export_weeks_csv(answer: WeeklyAnswer) -> bytes:
    """Weeks with their counts. Shape: week, trips, is_partial."""
    return export_csv(
        ("week", "trips", "is_partial"), [(week.week.isoformat(), week.trips, week.is_partial) for week in answer.weeks]
    )


def export_groups_csv(groups: Sequence[TripGroup]) -> bytes:
    """Trip groups as CSV; datasources joined by a bar."""
    rows = [group.to_json() for group in groups]
    columns = tuple(TripGroup.__slots__)
    return export_csv(columns, [[_flatten(row[column]) for column in columns] for row in rows])


def export_groups_geojson(groups: Sequence[TripGroup]) -> bytes:
    """Trip groups as lines from mean origin to mean destination. CRS: WGS 84, longitude first."""
    return json.dumps({"type": "FeatureCollection", "features": [_make_feature(group) for group in groups]}).encode()


def export_groups_parquet(groups: Sequence[TripGroup]) -> bytes:
    """Trip groups as Parquet, instants as timestamps without zone, datasources as lists."""
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("region", "origin_cell", "origin_name", "destination_cell", "destination_name")),
            ("bucket_minute", pa.int16()),
            ("trips", pa.int64()),
            *((f"{end}_{axis}", pa.float64()) for end in ("origin", "destination") for axis in ("longitude", "latitude")),
            *((name, pa.date32()) for name in ("first_on", "last_on")),
            ("datasources", pa.list_(pa.string())),
        ]
    )
    sink = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pylist([asdict(group) for group in groups], schema=schema), sink)
    return sink.getvalue()


def _make_feature(group: TripGroup) -> dict[str, Any]:
    properties = group.to_json()
    ends = [[properties.pop(f"{end}_longitude"), properties.pop(f"{end}_latitude")] for end in ("origin", "destination")]
    return {"type": "Feature", "geometry": {"type": "LineString", "coordinates": ends}, "properties": properties}


def _flatten(value: object) -> object:
    return "|".join(value) if isinstance(value, list) else value
