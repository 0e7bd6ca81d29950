"""Trip ends: which end of a trip must lie in an area, and its test."""

from typing import Final, Literal, get_args

from shared.domain.area import CellArea
from shared.platform.arrays import Flags, Numbers
from shared.platform.errors import RequestError

End = Literal["origin", "destination", "both", "either"]


ENDS: Final[tuple[End, ...]] = get_args(End)


def validate_end(end: str) -> None:
    """Refuse what is no end. Raises: RequestError."""
    if end not in ENDS:
        raise RequestError(f"end is one of {', '.join(ENDS)}, not {end!r}.", parameter="end")


def filter_ends(area: CellArea, origins: Numbers, destinations: Numbers, *, end: End) -> Flags:
    """Tell which trips have that end in an area. Shape: n positions each → n flags."""
    if end == "origin":
        return area.contains(origins)
    if end == "destination":
        return area.contains(destinations)
    is_origin, is_destination = area.contains(origins), area.contains(destinations)
    return is_origin & is_destination if end == "both" else is_origin | is_destination
