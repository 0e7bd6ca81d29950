"""Content roles: which column has which role in a file without names, by the values of the columns."""

from collections.abc import Callable

import numpy as np

from loader.formats.detection.column_profile import MOSTLY, Profile
from loader.formats.detection.questions import ask_roles, quote_names
from loader.formats.detection.role_finder import RoleFinder
from loader.formats.validation.rules import LONGITUDE_LIMIT_DEG
from shared.gazetteer.cities import find_city

NEAR_CITY_KM = 60.0
LONGITUDE_FIRST = ("origin_longitude", "origin_latitude", "destination_longitude", "destination_latitude")
LATITUDE_FIRST = ("origin_latitude", "origin_longitude", "destination_latitude", "destination_longitude")
SURE = 0.6


def find_content_roles(finder: RoleFinder, median: Callable[[int], float], *, has_names: bool = False) -> None:
    """Map columns by content: two points, a line, or four coordinates side by side; then the first times.

    has_names: the columns have names, though none that says anything. What can't be told apart becomes the finder's question.
    """
    profiles = [finder.profile(column) for column in range(len(finder.columns))]
    if not finder.has_ends():
        _guess_ends(finder, profiles, median)
        if has_names and finder.has_ends():
            _ask_which(finder)
    if not has_names:
        _guess_times(finder, profiles)


def _guess_times(finder: RoleFinder, profiles: list[Profile]) -> None:
    times = [column for column, profile in enumerate(profiles) if profile.time > MOSTLY and not finder.is_used(column)]
    epochs = [column for column, profile in enumerate(profiles) if profile.epoch > MOSTLY and profile.is_recent]
    times = times or [column for column in epochs if not finder.is_used(column)]
    wanted = [role for role in ("started_at", "ended_at") if role not in finder.roles and role not in finder.given]
    if len(times) > len(wanted) == 2:
        answers = {f"Column {column + 1}: the start": {"started_at": column} for column in times}
        message = f"Columns {', '.join(str(column + 1) for column in times)} hold times, and none has a name."
        finder.question = finder.question or ask_roles(message, finder.columns, answers)
        return
    for role, column in zip(wanted, times, strict=False):
        finder.set(role, column, SURE)


def _guess_ends(finder: RoleFinder, profiles: list[Profile], median: Callable[[int], float]) -> None:
    points = [column for column, profile in enumerate(profiles) if profile.point > MOSTLY]
    routes = [column for column, profile in enumerate(profiles) if profile.route > MOSTLY]
    if len(points) == 2:
        found = dict(zip(("origin", "destination"), points, strict=True))
    elif len(routes) == 1 and not points:
        found = {"route": routes[0]}
    else:
        found = _guess_coordinates(finder, profiles, median)
    for role, column in found.items():
        finder.set(role, column, SURE)


def _ask_which(finder: RoleFinder) -> None:
    """Names that nobody knows may say which end is which."""
    found = {role: column for role, column in finder.roles.items() if role.startswith(("origin", "destination"))}
    if not found or finder.given & {*LONGITUDE_FIRST, "origin", "destination", "route"}:
        return
    other = {"origin": "destination", "destination": "origin"}
    exchanged = {role: found[other[role.partition("_")[0]] + role.removeprefix(role.partition("_")[0])] for role in found}
    ends = [quote_names(finder.columns, [column for role, column in found.items() if role.startswith(end)]) for end in other]
    sides = {
        (role.partition("_")[0], side)
        for role, column in found.items()
        if (side := finder.meanings[column].side) and finder.meanings[column].level == 0
    }
    if len({end == side for end, side in sides}) == 1:
        for role, column in (found if all(end == side for end, side in sides) else exchanged).items():
            finder.set(role, column, SURE)
        return
    message = f"Which end is the origin and which the destination, no column's name says: {'; '.join(ends)}."
    answers = {f"From {ends[0]} to {ends[1]}": found, f"From {ends[1]} to {ends[0]}": exchanged}
    finder.question = ask_roles(message, finder.columns, answers)


def _guess_coordinates(finder: RoleFinder, profiles: list[Profile], median: Callable[[int], float]) -> dict[str, int]:
    likely = [column for column, profile in enumerate(profiles) if _is_coordinate(profile)]
    runs = [likely[at : at + 4] for at in range(len(likely) - 3) if likely[at + 3] - likely[at] == 3]
    for places in runs:
        orders = [dict(zip(axes, places, strict=True)) for axes in (LONGITUDE_FIRST, LATITUDE_FIRST)]
        fitting = [order for order in orders if _is_plausible(order, median)]
        if len(fitting) == 1:
            return fitting[0]
        if len(fitting) == 2:
            message = (
                f"Columns {places[0] + 1} to {places[3] + 1} hold coordinates, but longitude and latitude can't be told apart."
            )
            answers = dict(zip(("Longitude first", "Latitude first"), orders, strict=True))
            finder.question = finder.question or ask_roles(message, finder.columns, answers)
            return {}
    return {}


def _is_coordinate(profile: Profile) -> bool:
    return profile.number > MOSTLY and profile.fraction > MOSTLY and bool(np.all(np.abs(profile.numbers) <= LONGITUDE_LIMIT_DEG))


def _is_plausible(order: dict[str, int], median: Callable[[int], float]) -> bool:
    places = [(median(order[f"{end}_longitude"]), median(order[f"{end}_latitude"])) for end in ("origin", "destination")]
    if any(abs(latitude) > 90 for _, latitude in places):
        return False
    return all((city := find_city(*place)) is not None and city.distance_km < NEAR_CITY_KM for place in places)
