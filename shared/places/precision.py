"""Precision of answers: trips of files that name zones lie at one point of each, so that smaller areas can't be told apart."""

from sqlalchemy import Connection

from shared.domain.area import Extent
from shared.services.database import execute


def describe_precision(connection: Connection, extent: Extent, *, region: str | None, datasource: str | None) -> str | None:
    """Return a sentence where trips of zones may be counted in an area that is smaller than a zone; None elsewhere.

    Of an area across the antimeridian the zones west of it are looked at.
    """
    bounds = dict(zip(("west", "south", "east", "north"), extent, strict=True))
    found = execute(connection, "find_coarse_zones", **bounds, region=region, datasource=datasource).one_or_none()
    if found is None:
        return None
    return (
        f"The area is smaller than a zone of {found.name} in it. Trips of files that name these zones lie at one point of each: "
        "the answer is of zone precision."
    )
