"""What is there: regions, datasources, where trips begin and end."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from shared.area import Box
from shared.database import execute
from shared.position import cell_middles, decode_position
from shared.runs import CELL_SHIFT
from shared.weekly import fetch_loose_loads

_FINE_SHIFT: Final = 24


@dataclass(frozen=True, slots=True)
class CellCount:
    """Trip ends in one cell of the density map; longitude and latitude are its middle. Units: degrees."""

    longitude: float
    latitude: float
    trips: int


def list_regions(connection: Connection) -> list[dict[str, Any]]:
    """List the regions that have trips, most trips first. Shape: name, trips, first_at, last_at."""
    return [dict(row) for row in execute(connection, "list_regions").mappings()]


def list_datasources(connection: Connection) -> list[dict[str, Any]]:
    """List the datasources that have trips, most trips first. Shape: name, trips, first_at, last_at."""
    return [dict(row) for row in execute(connection, "list_datasources").mappings()]


def fetch_extent(connection: Connection) -> Box | None:
    """Find the box around the origins of all trips; None without trips."""
    while True:
        row = execute(connection, "fetch_extent", **fetch_loose_loads(connection)).one()
        if row.is_current:
            break
    if row.x_low is None:
        return None
    west, south = decode_position(row.x_low | row.y_low)
    east, north = decode_position(row.x_high | row.y_high)
    return Box(west, south, east, north)


def fetch_density(connection: Connection, *, viewport: Box | None = None, limit: int = 30_000) -> list[CellCount]:
    """Count trip origins per cell, most first, in the cells the viewport touches: the finest of which there are at most limit."""
    area = viewport.area() if viewport else None
    areas = {
        "area": area.outer(_FINE_SHIFT).bounds() if area else None,
        "cell_area": area.outer(CELL_SHIFT).bounds() if area else None,
    }
    if area and area.is_empty:
        return []
    while True:
        rows = execute(connection, "list_density", **areas, **fetch_loose_loads(connection), limit=limit).all()
        if rows[0].is_current:
            break
    if rows[0].cell is None:
        return []
    longitudes, latitudes = cell_middles(np.array([row.cell for row in rows]), rows[0].shift)
    return [
        CellCount(longitude, latitude, row.trips)
        for longitude, latitude, row in zip(longitudes.tolist(), latitudes.tolist(), rows, strict=True)
    ]
