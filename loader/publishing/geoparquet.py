"""GeoParquet: chunks of trips as record batches, and the metadata that makes a Parquet file a GeoParquet file.

Both ends are WKB points, for programs that read geometry, and degrees and geohashes, for engines that don't. Times are the local
wall clock, marked as UTC: engines that know no time without a zone then keep the clock's digits.
Source: GeoParquet specification 1.1.0.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from loader.publishing.trip_stream import TripRows
from shared.domain.position import GEOHASH_ALPHABET, Degrees, Positions
from shared.kernels.morton import decode_positions

GEOHASH_CHARACTERS: Final = 6
_GEOHASH_SHIFT: Final = 62 - 5 * GEOHASH_CHARACTERS
_ENDS: Final = ("origin", "destination")
# Microseconds from 1970 to PostgreSQL's epoch.
_EPOCH_US: Final = 946_684_800_000_000
# Little endian, type 1 (point); two doubles follow.
_WKB_HEAD: Final = np.frombuffer(b"\x01\x01\x00\x00\x00", np.uint8)
_WKB_BYTES: Final = 21

SCHEMA: Final = pa.schema(
    [
        pa.field("started_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("duration_s", pa.int32()),
        pa.field("region", pa.string(), nullable=False),
        pa.field("datasource", pa.string(), nullable=False),
        pa.field("origin_longitude", pa.float64(), nullable=False),
        pa.field("origin_latitude", pa.float64(), nullable=False),
        pa.field("destination_longitude", pa.float64(), nullable=False),
        pa.field("destination_latitude", pa.float64(), nullable=False),
        pa.field("origin_geohash", pa.string(), nullable=False),
        pa.field("destination_geohash", pa.string(), nullable=False),
        pa.field("load_id", pa.int32(), nullable=False),
        pa.field("origin", pa.binary(), nullable=False),
        pa.field("destination", pa.binary(), nullable=False),
    ]
)
# Columns that an engine without geometry takes, in the files' order.
ENGINE_COLUMNS: Final = tuple(field for field in SCHEMA if field.name not in _ENDS)

Bounds = tuple[float, float, float, float]
Names = Mapping[str, Mapping[int, str]]


def make_batch(rows: TripRows, load_id: int, names: Names) -> pa.RecordBatch:
    """Return a chunk of trips with the schema's columns. names: of region and datasource ids."""
    columns: dict[str, Any] = {
        "started_at": pa.array(rows.started_at + _EPOCH_US).cast(pa.timestamp("us", tz="UTC")),
        "duration_s": _make_durations(rows.duration_s.astype(np.int32)),
        "load_id": pa.array(np.full(rows.size, load_id, np.int32)),
    }
    for kind, ids in (("region", rows.region_id), ("datasource", rows.datasource_id)):
        columns[kind] = _name(ids, names[kind])
    for end, positions in zip(_ENDS, (rows.origin, rows.destination), strict=True):
        longitude, latitude = decode_positions(positions)
        columns |= {f"{end}_longitude": pa.array(longitude), f"{end}_latitude": pa.array(latitude)}
        columns[f"{end}_geohash"] = _make_geohashes(positions)
        columns[end] = _make_points(longitude, latitude)
    return pa.record_batch([columns[field.name] for field in SCHEMA], schema=SCHEMA)


def find_bounds(batch: pa.RecordBatch, end: str) -> Bounds:
    """West, south, east, north of one end of a batch's trips."""
    longitude, latitude = (batch[f"{end}_{axis}"].to_numpy() for axis in ("longitude", "latitude"))
    return float(longitude.min()), float(latitude.min()), float(longitude.max()), float(latitude.max())


def join_bounds(one: Bounds | None, other: Bounds) -> Bounds:
    """Bounds of both."""
    if one is None:
        return other
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def make_geo(bounds: Mapping[str, Bounds]) -> str:
    """Return the text of the file metadata `geo`. bounds: of each end."""
    columns = {
        end: {"encoding": "WKB", "geometry_types": ["Point"], "crs": _fetch_crs(), "bbox": list(bounds[end])} for end in _ENDS
    }
    return json.dumps({"version": "1.1.0", "primary_column": _ENDS[0], "columns": columns})


@cache
def _fetch_crs() -> dict[str, Any]:
    """WGS 84, longitude before latitude, as PROJJSON."""
    from pyproj import CRS

    crs: dict[str, Any] = CRS("OGC:CRS84").to_json_dict()
    return crs


def _make_durations(duration_s: npt.NDArray[np.int32]) -> pa.Array:
    return pa.array(duration_s, mask=duration_s < 0)


def _name(ids: npt.NDArray[np.int64], names: Mapping[int, str]) -> pa.Array:
    known = sorted(names)
    codes = np.zeros(max(known) + 1, np.int32)
    codes[known] = np.arange(len(known), dtype=np.int32)
    return pa.DictionaryArray.from_arrays(codes[ids], [names[number] for number in known]).cast(pa.string())


def _make_geohashes(positions: Positions) -> pa.Array:
    alphabet = np.frombuffer(GEOHASH_ALPHABET.encode(), np.uint8)
    letters = np.empty((len(positions), GEOHASH_CHARACTERS), np.uint8)
    cells = positions >> np.int64(_GEOHASH_SHIFT)
    for place in range(GEOHASH_CHARACTERS):
        letters[:, GEOHASH_CHARACTERS - 1 - place] = alphabet[cells >> np.int64(5 * place) & 31]
    return _make_fixed(pa.string(), letters)


def _make_points(longitude: Degrees, latitude: Degrees) -> pa.Array:
    points = np.empty((len(longitude), _WKB_BYTES), np.uint8)
    points[:, :5] = _WKB_HEAD
    points[:, 5:13] = longitude.astype("<f8").view(np.uint8).reshape(-1, 8)
    points[:, 13:] = latitude.astype("<f8").view(np.uint8).reshape(-1, 8)
    return _make_fixed(pa.binary(), points)


def _make_fixed(kind: pa.DataType, values: npt.NDArray[np.uint8]) -> pa.Array:
    """An array of values that all have the same length. Shape: values by bytes."""
    count, width = values.shape
    offsets = np.arange(0, count * width + 1, width, dtype=np.int32)
    return pa.Array.from_buffers(kind, count, [None, pa.py_buffer(offsets), pa.py_buffer(values)])
