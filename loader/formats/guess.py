"""Guess: roles of a file without names, by what the columns hold."""

from collections.abc import Callable

import numpy as np

from loader.formats.errors import make_choice
from loader.formats.gazetteer import find_city
from loader.formats.profile import Profile
from loader.formats.roles import MOSTLY, RoleFinder
from loader.formats.schema import LONGITUDE_LIMIT_DEG
from shared.errors import FileFormatError

NEAR_CITY_KM = 60.0
LONGITUDE_FIRST = ("origin_longitude", "origin_latitude", "destination_longitude", "destination_latitude")
LATITUDE_FIRST = ("origin_latitude", "origin_longitude", "destination_latitude", "destination_longitude")


def guess_roles(finder: RoleFinder, median: Callable[[int], float]) -> None:
    """Map columns by content: two points, a line, or four coordinates side by side; then the first times.

    Raises: FileFormatError if longitude and latitude can't be told apart.
    """
    profiles = [finder.profile(column) for column in range(len(finder.columns))]
    if not finder.has_ends():
        _guess_ends(finder, profiles, median)
    used = set(finder.roles.values())
    times = [column for column, profile in enumerate(profiles) if profile.time > MOSTLY and column not in used]
    epochs = [column for column, profile in enumerate(profiles) if profile.epoch > MOSTLY and profile.is_recent]
    times = times or [column for column in epochs if column not in used]
    wanted = [role for role in ("started_at", "ended_at") if role not in finder.roles and role not in finder.given]
    for role, column in zip(wanted, times, strict=False):
        finder.roles[role], finder.confidence[role] = column, 0.6


def _guess_ends(finder: RoleFinder, profiles: list[Profile], median: Callable[[int], float]) -> None:
    points = [column for column, profile in enumerate(profiles) if profile.point > MOSTLY]
    routes = [column for column, profile in enumerate(profiles) if profile.route > MOSTLY]
    if len(points) == 2:
        found = dict(zip(("origin", "destination"), points, strict=True))
    elif len(routes) == 1 and not points:
        found = {"route": routes[0]}
    else:
        found = _guess_coordinates(profiles, median, finder.columns)
    found = {role: column for role, column in found.items() if role not in finder.given}
    finder.roles.update(found)
    finder.confidence.update(dict.fromkeys(found, 0.6))


def _guess_coordinates(profiles: list[Profile], median: Callable[[int], float], columns: tuple[str, ...]) -> dict[str, int]:
    likely = [column for column, profile in enumerate(profiles) if _is_coordinate(profile)]
    runs = [likely[at : at + 4] for at in range(len(likely) - 3) if likely[at + 3] - likely[at] == 3]
    for first, second, third, fourth in runs:
        places = (first, second, third, fourth)
        orders = [dict(zip(axes, places, strict=True)) for axes in (LONGITUDE_FIRST, LATITUDE_FIRST)]
        fitting = [order for order in orders if _is_plausible(order, median)]
        if len(fitting) == 1:
            return fitting[0]
        if len(fitting) == 2:
            raise FileFormatError(
                f"Columns {first + 1} to {fourth + 1} hold coordinates, but longitude and latitude can't be told apart. "
                f"Say which is which, such as --map origin_longitude={first + 1} --map origin_latitude={second + 1}.",
                code="ambiguous_columns",
                parameter="roles",
                choices=[
                    make_choice(label, roles={role: str(column + 1) for role, column in order.items()})
                    for label, order in zip(("Longitude first", "Latitude first"), orders, strict=True)
                ],
                columns=columns,
            )
    return {}


def _is_coordinate(profile: Profile) -> bool:
    return profile.number > MOSTLY and profile.fraction > MOSTLY and bool(np.all(np.abs(profile.numbers) <= LONGITUDE_LIMIT_DEG))


def _is_plausible(order: dict[str, int], median: Callable[[int], float]) -> bool:
    places = [(median(order[f"{end}_longitude"]), median(order[f"{end}_latitude"])) for end in ("origin", "destination")]
    if any(abs(latitude) > 90 for _, latitude in places):
        return False
    return all((city := find_city(*place)) is not None and city.distance_km < NEAR_CITY_KM for place in places)
