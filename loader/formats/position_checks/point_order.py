"""Point order: what comes first in a column of points, and what its texts are, told from a sample.

Points have an order of their own: longitude first in WKT, GeoJSON, arrays and WKB, latitude first in bare pairs. A person can say
otherwise. Pairs with only a blank between them are written either way: where the places don't tell, the load asks.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import polars as pl

from loader.formats.coordinates.cells import name_cells
from loader.formats.coordinates.degrees import Coordinates
from loader.formats.coordinates.points import LATITUDE_FIRST_PATTERN, SPACED_PATTERN
from loader.formats.coordinates.polylines import POLYLINE, PRECISIONS
from loader.formats.coordinates.routes import parse_routes
from loader.formats.model.errors import make_choice
from loader.formats.model.options import AxisOrder, LoadOptions
from loader.formats.model.plan import FilePlan
from loader.formats.position_checks.swapped_axes import pick_places
from shared.gazetteer.cities import find_city
from shared.platform.errors import FileFormatError

# Trips that make sense begin this near to a place; by chance one place in four does.
NEAR_KM: Final = 30.0

Text = Callable[[int], pl.Series]


def read_point_forms(plan: FilePlan, options: LoadOptions, text: Text) -> FilePlan:
    """Complete a plan by the forms of its points. text: a column's sample.

    Raises: FileFormatError asking for the order of pairs, or the precision of encoded lines, where either could be meant.
    """
    if "route" in plan.roles:
        return _read_precision(plan, options, _drop_empty(text(plan.roles["route"])))
    ends = {end: _drop_empty(text(plan.roles[end])) for end in ("origin", "destination") if end in plan.roles}
    if not ends:
        return plan
    forms = {end: form for end, values in ends.items() if len(values) and (form := name_cells(values))}
    is_latitude_first = any(_is_mostly(values, LATITUDE_FIRST_PATTERN) for values in ends.values())
    own: AxisOrder = "lat_lon" if is_latitude_first else "lon_lat"
    plan = replace(
        plan, point_forms=forms, axis_order=options.axis_order or own, is_exchanged=options.axis_order not in (None, own)
    )
    return plan


def is_order_open(plan: FilePlan, options: LoadOptions, text: Text) -> bool:
    """Return whether only the places can say which of two numbers is the longitude."""
    if options.axis_order:
        return False
    ends = (_drop_empty(text(plan.roles[end])) for end in ("origin", "destination") if end in plan.roles)
    return any(_is_mostly(values, SPACED_PATTERN) for values in ends)


def settle_order(plan: FilePlan, origin: Coordinates) -> FilePlan:
    """Settle the order of pairs by where origins lie. Raises: FileFormatError where both orders make sense, or none."""
    places = pick_places(origin)
    as_read = sum(_is_near(*place) for place in places) * 2 > len(places)
    exchanged = sum(_is_near(*place[::-1]) for place in places) * 2 > len(places)
    if as_read == exchanged:
        statement = "Points are pairs of numbers, and longitude and latitude can't be told apart."
        raise FileFormatError(
            f"{statement} Say what comes first: axis_order lat_lon or lon_lat (--axis-order).",
            statement=statement,
            code="ambiguous_columns",
            parameter="axis_order",
            choices=[make_choice("Latitude first", axis_order="lat_lon"), make_choice("Longitude first", axis_order="lon_lat")],
            columns=plan.columns,
        )
    return replace(plan, axis_order="lon_lat", is_exchanged=True) if exchanged else plan


def _read_precision(plan: FilePlan, options: LoadOptions, lines: pl.Series) -> FilePlan:
    own = replace(plan, axis_order=options.axis_order or "lon_lat", is_exchanged=options.axis_order == "lat_lon")
    if options.polyline_precision:
        return replace(own, polyline_precision=options.polyline_precision)
    if not _is_mostly(lines, POLYLINE):
        return own
    fitting = [precision for precision in PRECISIONS if _fits(lines, precision)]
    if len(fitting) != 1:
        statement = (
            "The lines are encoded polylines, whose numbers have five or six digits behind the point; both make sense here, or "
            "none."
        )
        raise FileFormatError(
            f"{statement} Say which: polyline_precision 5 (Google) or 6 (OSRM, Valhalla) (--polyline-precision).",
            statement=statement,
            code="ambiguous_columns",
            parameter="polyline_precision",
            choices=[make_choice("Five digits", polyline_precision=5), make_choice("Six digits", polyline_precision=6)],
            columns=plan.columns,
        )
    return replace(own, polyline_precision=fitting[0])


def _fits(lines: pl.Series, precision: int) -> bool:
    places = pick_places(parse_routes(lines, precision=precision)[0])
    return bool(places) and sum(_is_near(*place) for place in places) * 2 > len(places)


def _is_near(longitude: float, latitude: float) -> bool:
    city = find_city(longitude, latitude) if abs(latitude) <= 90 else None
    return city is not None and city.distance_km < NEAR_KM


def _is_mostly(values: pl.Series, pattern: str) -> bool:
    return len(values) > 0 and int(values.str.contains(pattern).sum()) * 2 > len(values)


def _drop_empty(text: pl.Series) -> pl.Series:
    values = text.str.strip_chars(" \t")
    return values.filter(values.str.len_bytes() > 0)


def describe_points(plan: FilePlan) -> list[str]:
    """Say what a person should know about points that are not what they seem."""
    notes = [
        f"{plan.columns[plan.roles[end]]} holds {_CELL_NAMES[form]}: the trip's {end} is the centre of its cell."
        for end, form in plan.point_forms.items()
    ]
    if plan.is_exchanged:
        notes.append(f"Points are read {'longitude' if plan.axis_order == 'lon_lat' else 'latitude'} first.")
    return notes


_CELL_NAMES: Final[dict[str, Any]] = {
    "geohash": "geohashes",
    "h3": "H3 indexes",
    "open_location_code": "Open Location Codes",
}
