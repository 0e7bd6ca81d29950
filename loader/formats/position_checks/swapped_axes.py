"""Places: where a file's trips lie, and files whose latitude and longitude are the wrong way round."""

from typing import Any

import numpy as np

from loader.formats.coordinates.degrees import Coordinates
from loader.formats.model.errors import make_choice
from loader.formats.model.plan import FilePlan
from loader.formats.text.records import Mask
from loader.formats.validation.rules import LATITUDE_LIMIT_DEG, LONGITUDE_LIMIT_DEG, is_in_range
from shared.gazetteer.cities import LARGE_CITY_PEOPLE, count_people, find_city, suggest_region
from shared.platform.errors import FileFormatError

# Trips end in cities: the middle of a file lies rarely this far from any place, and by chance in one of 50 cases this near to
# a large city when exchanged.
NEAR_LARGE_CITY_KM, FAR_FROM_ANY_KM = 30.0, 50.0
# Cities around the exchanged place that count against those around the place as it is read. Measured over the gazetteer: of 300
# cities of more than 300,000 people 99 % are found when exchanged (87 % by distance alone); of 1,500 of any size, one that is not
# exchanged is taken for it.
AROUND_KM, MANY_PEOPLE, TIMES_AS_MANY = 15.0, 200_000, 10

# Origins of the sample that are looked up; each takes 2 ms.
LOOKED_UP = 11
# A file's main area: the sample's middle 99 % and this much more on each side, or its own size again where that is more.
AREA_MARGIN_DEG = 1.0

Area = tuple[float, float, float, float]


def check_swap(plan: FilePlan, origin: Coordinates) -> None:
    """Raises: FileFormatError if most origins of the sample make sense only with longitude and latitude exchanged."""
    places = pick_places(origin)
    swapped = [place for place in places if _looks_swapped(*place)]
    if len(swapped) * 2 <= len(places):
        return
    longitude, latitude = swapped[0]
    statement = (
        f"Longitude and latitude look swapped: origins such as longitude {longitude:.2f}, latitude {latitude:.2f} lie where "
        f"few or no people live, and exchanged they lie near {_describe(latitude, longitude)}."
    )
    raise FileFormatError(
        f"{statement} {_advise(plan)}",
        statement=statement,
        code="swapped_coordinates",
        parameter="roles" if "origin_longitude" in plan.roles else "axis_order",
        choices=_list_choices(plan),
        columns=plan.columns,
    )


def is_better_exchanged(origin: Coordinates) -> bool:
    """Return whether more origins look swapped as they are than would with longitude and latitude exchanged."""
    places = pick_places(origin)
    return sum(_looks_swapped(*place) for place in places) > sum(_looks_swapped(*place[::-1]) for place in places)


def pick_places(ends: Coordinates) -> list[tuple[float, float]]:
    """Pick some of the ends that are known, from all over the sample."""
    # Also where a latitude is beyond the pole: exchanged it may be a longitude.
    is_angle = (np.abs(ends.longitude) <= LONGITUDE_LIMIT_DEG) & (np.abs(ends.latitude) <= LONGITUDE_LIMIT_DEG)
    known = np.flatnonzero(is_angle & ((ends.longitude != 0) | (ends.latitude != 0)))
    picked = known[np.linspace(0, len(known) - 1, min(LOOKED_UP, len(known))).astype(np.int64)] if len(known) else known
    return [(float(ends.longitude[row]), float(ends.latitude[row])) for row in picked]


def find_area(ends: Coordinates) -> Area | None:
    """Find the box (west, south, east, north) where trips are to be expected. Units: degrees."""
    known = _is_known(ends)
    if not known.any():
        return None
    low, high = zip(*(np.percentile(axis[known], (0.5, 99.5)) for axis in (ends.longitude, ends.latitude)), strict=True)
    margins = [max(AREA_MARGIN_DEG, upper - lower) for lower, upper in zip(low, high, strict=True)]
    west, south = (float(lower - margin) for lower, margin in zip(low, margins, strict=True))
    east, north = (float(upper + margin) for upper, margin in zip(high, margins, strict=True))
    return west, south, east, north


def find_middle(ends: Coordinates) -> tuple[float, float] | None:
    """Find the median longitude and latitude."""
    known = _is_known(ends)
    if not known.any():
        return None
    return float(np.median(ends.longitude[known])), float(np.median(ends.latitude[known]))


def _is_known(ends: Coordinates) -> Mask:
    known: Mask = is_in_range(ends) & ((ends.longitude != 0) | (ends.latitude != 0))
    return known


def _looks_swapped(longitude: float, latitude: float) -> bool:
    if abs(latitude) > LATITUDE_LIMIT_DEG:
        exchanged = find_city(latitude, longitude)
        return exchanged is not None and exchanged.distance_km <= FAR_FROM_ANY_KM
    exchanged = find_city(latitude, longitude, people=LARGE_CITY_PEOPLE)
    if exchanged is None or exchanged.distance_km > NEAR_LARGE_CITY_KM:
        return False
    there = count_people(latitude, longitude, within_km=AROUND_KM)
    if there >= MANY_PEOPLE and there > TIMES_AS_MANY * count_people(longitude, latitude, within_km=AROUND_KM):
        return True
    as_read = find_city(longitude, latitude)
    return as_read is None or as_read.distance_km > FAR_FROM_ANY_KM


def _advise(plan: FilePlan) -> str:
    if "origin_longitude" not in plan.roles:
        other = _other_order(plan)
        return f"Say so with axis_order {other} (--axis-order), or {plan.axis_order} if it is right as it is."
    longitude, latitude = (plan.columns[plan.roles[f"origin_{axis}"]] for axis in ("longitude", "latitude"))
    return f"Map them yourself, such as --map origin_longitude={latitude} --map origin_latitude={longitude}."


def _other_order(plan: FilePlan) -> str:
    return "lon_lat" if plan.axis_order == "lat_lon" else "lat_lon"


def _list_choices(plan: FilePlan) -> list[dict[str, Any]]:
    labels = ("Exchange longitude and latitude", "Leave them as they are")
    if "origin_longitude" not in plan.roles:
        return [
            make_choice(label, axis_order=order)
            for label, order in zip(labels, (_other_order(plan), plan.axis_order), strict=True)
        ]
    pairs = [
        (role, role.replace("longitude", "latitude") if role.endswith("longitude") else role.replace("latitude", "longitude"))
        for role in plan.roles
        if role.endswith("itude")
    ]
    exchanged = {role: str(plan.roles[other] + 1) for role, other in pairs}
    kept = {role: str(plan.roles[role] + 1) for role, _ in pairs}
    return [make_choice(label, roles=roles) for label, roles in zip(labels, (exchanged, kept), strict=True)]


def _describe(longitude: float, latitude: float) -> str:
    city = suggest_region(longitude, latitude)
    return city.name if city else "a city"
