"""Trip ends: which end of a trip must lie in an area, and its test."""

from typing import Final, Literal, get_args

from shared.domain.area import WHOLE_WORLD, AxisArea, Box
from shared.platform.arrays import Flags, Numbers
from shared.platform.errors import RequestError

End = Literal["origin", "destination", "both", "either"]


ENDS: Final[tuple[End, ...]] = get_args(End)


def validate_end(end: str) -> None:
    """Refuse what is no end. Raises: RequestError."""
    if end not in ENDS:
        raise RequestError(f"end is one of {', '.join(ENDS)}, not {end!r}.", parameter="end")


def area_parameters(box: Box | AxisArea | None, end: End) -> dict[str, object]:
    """Say where both ends of a trip must lie, as the queries that read trips take it; a null area is anywhere."""
    area = box.area() if isinstance(box, Box) else box or WHOLE_WORLD
    bounds = None if area == WHOLE_WORLD else area.bounds()
    return {
        "origin_area": None if end == "destination" else bounds,
        "destination_area": None if end == "origin" else bounds,
        "is_either": end == "either",
    }


def filter_ends(area: AxisArea, origins: Numbers, destinations: Numbers, *, end: End) -> Flags:
    """Tell which trips have that end in an area. Shape: n positions each → n flags."""
    if end == "origin":
        return area.contains(origins)
    if end == "destination":
        return area.contains(destinations)
    is_origin, is_destination = area.contains(origins), area.contains(destinations)
    return is_origin & is_destination if end == "both" else is_origin | is_destination
