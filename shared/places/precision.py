"""Precision of answers: trips of files that name zones lie at one point of each, so that smaller areas can't be told apart."""

from sqlalchemy import Connection

from shared.domain.area import Box
from shared.services.database import execute


def describe_precision(connection: Connection, box: Box, *, region: str | None, datasource: str | None) -> str | None:
    """Return a sentence where trips of zones may be counted in a box that is smaller than a zone; None elsewhere.

    Of a box across the antimeridian the zones west of it are looked at.
    """
    east = box.east + 360 if box.west > box.east else box.east
    bounds = {"west": box.west, "south": box.south, "east": east, "north": box.north}
    found = execute(connection, "find_coarse_zones", **bounds, region=region, datasource=datasource).one_or_none()
    if found is None:
        return None
    return (
        f"The area is smaller than a zone of {found.name} in it. Trips of files that name these zones lie at one point of each: "
        "the answer is of zone precision."
    )
