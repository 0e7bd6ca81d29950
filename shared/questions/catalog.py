"""Catalog: regions, datasources and the extent of the trips."""

from typing import Any

from sqlalchemy import Connection, Row

from shared.domain.area import Box
from shared.domain.position import decode_position
from shared.index.snapshot import StaleError, fetch_uncompacted_loads, retry_stale
from shared.services.database import execute


def list_regions(connection: Connection) -> list[dict[str, Any]]:
    """List the regions that have trips, most trips first. Shape: name, trips, first_at, last_at."""
    return [dict(row) for row in execute(connection, "list_regions").mappings()]


def list_datasources(connection: Connection) -> list[dict[str, Any]]:
    """List the datasources that have trips, most trips first. Shape: name, trips, first_at, last_at."""
    return [dict(row) for row in execute(connection, "list_datasources").mappings()]


def fetch_extent(connection: Connection) -> Box | None:
    """Find the box around the origins of all trips; None without trips."""
    row = retry_stale(lambda: _fetch_extent(connection))
    if row.x_low is None:
        return None
    west, south = decode_position(row.x_low | row.y_low)
    east, north = decode_position(row.x_high | row.y_high)
    return Box(west, south, east, north)


def _fetch_extent(connection: Connection) -> Row[Any]:
    row = execute(connection, "fetch_extent", **fetch_uncompacted_loads(connection)).one()
    if not row.is_current:
        raise StaleError
    return row
