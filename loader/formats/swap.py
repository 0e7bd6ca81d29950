"""Swap: notice files whose latitude and longitude are the wrong way round, before they are loaded as nonsense."""

import numpy as np

from loader.formats.columns import read_columns
from loader.formats.dialect import Layout
from loader.formats.ends import Ends
from loader.formats.gazetteer import LARGE_CITY_PEOPLE, find_city
from loader.formats.plan import FilePlan, LoadOptions
from loader.formats.source import TextSource
from shared.errors import FileFormatError

# Trips end in cities: the middle of a file lies rarely this far from any place, and by chance in one of 50 cases this near to
# a large city when exchanged.
NEAR_LARGE_CITY_KM, FAR_FROM_ANY_KM = 30.0, 50.0


def check_swap(plan: FilePlan, layout: Layout, options: LoadOptions) -> None:
    """Raises: FileFormatError if most origins of the sample make sense only with longitude and latitude exchanged."""
    if options.axis_order or any("origin" in role for role in options.roles) or len(layout.table) == 0:
        return
    source = TextSource(layout.table, decimal=plan.dialect.decimal)
    origin = read_columns(source, plan, options).origin
    place = find_middle(origin)
    if place is None or not _looks_swapped(*place):
        return
    raise FileFormatError(
        f"Longitude and latitude look swapped: most origins lie near longitude {place[0]:.2f}, latitude {place[1]:.2f}, "
        f"where nobody lives, and exchanged they lie near {_describe(place[1], place[0])}. "
        f"{_advise(plan)}",
        code="swapped_coordinates",
    )


def find_middle(ends: Ends) -> tuple[float, float] | None:
    """Find the median longitude and latitude, leaving out unreadable ends and (0, 0)."""
    known = ~(np.isnan(ends.longitude) | np.isnan(ends.latitude) | ((ends.longitude == 0) & (ends.latitude == 0)))
    if not known.any():
        return None
    return float(np.median(ends.longitude[known])), float(np.median(ends.latitude[known]))


def _looks_swapped(longitude: float, latitude: float) -> bool:
    exchanged = find_city(latitude, longitude, people=LARGE_CITY_PEOPLE)
    if exchanged is None or exchanged.distance_km > NEAR_LARGE_CITY_KM:
        return False
    as_read = find_city(longitude, latitude)
    return as_read is None or as_read.distance_km > FAR_FROM_ANY_KM


def _advise(plan: FilePlan) -> str:
    if "origin_longitude" not in plan.roles:
        return "Say so with axis_order lat_lon, or lon_lat if it is right as it is."
    longitude, latitude = (plan.columns[plan.roles[f"origin_{axis}"]] for axis in ("longitude", "latitude"))
    return f"Map them yourself, such as --map origin_longitude={latitude} --map origin_latitude={longitude}."


def _describe(longitude: float, latitude: float) -> str:
    city = find_city(longitude, latitude)
    return city.name if city else "a city"
