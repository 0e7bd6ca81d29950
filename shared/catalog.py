"""What is there: regions, datasources, where trips begin and end."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from shared.area import WHOLE_WORLD, Box
from shared.database import execute
from shared.position import cell_box, cell_middle
from shared.weekly import CELL_SHIFT


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
    """Find the box around the cells of all trip origins; None without trips."""
    cells = [row.cell for row in execute(connection, "list_origin_cells", area=WHOLE_WORLD.bounds())]
    if not cells:
        return None
    boxes = [cell_box(cell, CELL_SHIFT) for cell in cells]
    west, south, east, north = zip(*boxes, strict=True)
    return Box(min(west), min(south), max(east), max(north))


def fetch_density(connection: Connection, *, viewport: Box | None = None, limit: int = 20_000) -> list[CellCount]:
    """Count trip origins per cell, most first, in the viewport's cells."""
    area = viewport.area().outer(CELL_SHIFT) if viewport else WHOLE_WORLD
    rows = execute(connection, "list_origin_cells", area=area.bounds()).all()[:limit]
    return [CellCount(*cell_middle(row.cell, CELL_SHIFT), row.trips) for row in rows]
