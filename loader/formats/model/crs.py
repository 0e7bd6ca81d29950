"""Coordinate reference systems by name."""

from pyproj import CRS
from pyproj.exceptions import CRSError


def parse_crs(name: str) -> CRS:
    """Return a coordinate reference system by name or code. Raises: ValueError for one that is unknown or not on Earth."""
    try:
        crs = CRS.from_user_input(int(name) if name.isdigit() else name)
    except CRSError as error:
        raise ValueError(name) from error
    if not (crs.is_projected or crs.is_geographic or crs.is_bound):
        raise ValueError(name)
    return crs
