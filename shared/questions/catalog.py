"""Catalog: regions, datasources and the extent of the trips."""

from typing import Any

from sqlalchemy import Connection

from shared.domain.area import Box
from shared.domain.position import decode_position, gather_axis, spread_axis
from shared.index.snapshot import open_snapshot, retry_stale
from shared.services.database import execute


def list_regions(connection: Connection) -> list[dict[str, Any]]:
    """List the regions that have trips, most trips first. Shape: name, trips, first_at, last_at."""
    return [dict(row) for row in execute(connection, "list_regions").mappings()]


def list_datasources(connection: Connection) -> list[dict[str, Any]]:
    """List the datasources that have trips, most trips first. Shape: name, trips, first_at, last_at."""
    return [dict(row) for row in execute(connection, "list_datasources").mappings()]


@retry_stale
def fetch_extent(connection: Connection) -> Box | None:
    """Find the box around the origins of all trips; None without trips."""
    reader = open_snapshot(connection)
    bounds = [column.tolist() for column in reader.snapshot.data.origins.bounds]
    if reader.snapshot.unindexed_loads:
        row = execute(connection, "bound_unindexed_origins", unindexed_loads=reader.snapshot.unindexed_loads).one()
        for axis, (column, bits) in enumerate(zip(bounds, row, strict=True)):
            column.extend([] if bits is None else [gather_axis(bits >> 1 if axis < 2 else bits)])
        reader.check()
    if not bounds[0]:
        return None
    west, south = decode_position(spread_axis(min(bounds[0])) << 1 | spread_axis(min(bounds[2])))
    east, north = decode_position(spread_axis(max(bounds[1])) << 1 | spread_axis(max(bounds[3])))
    return Box(west, south, east, north)
