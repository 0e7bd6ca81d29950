"""Position check: coordinates that are no degrees are a question before anything is loaded."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import polars as pl

from loader.formats.coordinates.degrees import Coordinates
from loader.formats.coordinates.reprojection import find_candidates, may_be_utm
from loader.formats.model.crs import parse_crs
from loader.formats.model.errors import make_choice
from loader.formats.model.options import LoadOptions
from loader.formats.model.plan import FilePlan
from loader.formats.text.angles import find_hemispheres
from shared.gazetteer.cities import find_city
from shared.platform.errors import FileFormatError

# No axis of a position goes beyond this, whichever way round they are. Unit: degrees.
_LIMIT_DEG: Final = 180.0
_FAR_FROM_ANY_KM: Final = 50.0
_SHOWN: Final = 6
# What a spreadsheet leaves of 40.7407 where the point divides thousands: three digits behind each point.
_DIVIDED: Final = r"^\s*[+-]?\d{1,3}(?:\.\d{3})+\s*$"
_DIVIDED_TWICE: Final = r"^\s*[+-]?\d{1,3}(?:\.\d{3}){2,}\s*$"
_MOSTLY: Final = 0.5
_SRID: Final = r"(?i)^\s*SRID=(\d+);"
_WGS_84: Final = ("4326", "4979", "0")

Text = Callable[[int], pl.Series]


def check_positions(plan: FilePlan, origin: Coordinates, options: LoadOptions, *, text: Text) -> None:
    """Check the sample's coordinates. text gives a column's values.

    Raises: FileFormatError for coordinates in another unit or system, for those that a spreadsheet has changed, and for
    latitudes in a column of longitudes.
    """
    _check_letters(plan, text)
    if options.crs or options.coordinate_unit:
        return
    _check_srid(plan, text)
    known = _pick_known(origin)
    if len(known[0]) == 0:
        _check_thousands(plan, text, _DIVIDED_TWICE)
        return
    x, y = (float(np.median(axis)) for axis in known)
    is_beyond = (np.abs(known[0]) > _LIMIT_DEG) | (np.abs(known[1]) > _LIMIT_DEG)
    if np.count_nonzero(is_beyond) > _MOSTLY * len(is_beyond):
        _check_thousands(plan, text, _DIVIDED)
        raise _not_degrees(plan, x, y, region=options.region)
    if max(np.abs(known[0]).max(), np.abs(known[1]).max()) <= np.pi:
        _check_radians(plan, x, y)


def _pick_known(ends: Coordinates) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    known = np.isfinite(ends.longitude) & np.isfinite(ends.latitude) & ((ends.longitude != 0) | (ends.latitude != 0))
    return ends.longitude[known], ends.latitude[known]


def _list_coordinates(plan: FilePlan) -> list[int]:
    return [column for role, column in plan.roles.items() if role.endswith("itude")]


def _check_letters(plan: FilePlan, text: Text) -> None:
    """Refuse a longitude with N or S, and a latitude with E or W."""
    for role, column in plan.roles.items():
        wrong = {"NS": "longitude", "EW": "latitude"}
        letters = "".join(sorted(find_hemispheres(text(column)))) if role.endswith("itude") else ""
        if any(set(letters) & set(pair) and role.endswith(axis) for pair, axis in wrong.items()):
            taken = f"{plan.columns[column]} is taken for the {role.replace('_', ' ')}"
            statement = f"{taken}, and has values with {' and '.join(letters)}."
            raise FileFormatError(
                f"{statement} Map the columns yourself, such as --map origin_longitude=COLUMN --map origin_latitude=COLUMN.",
                statement=statement,
                code="swapped_coordinates",
                parameter="roles",
                columns=plan.columns,
            )


def _check_thousands(plan: FilePlan, text: Text, pattern: str) -> None:
    for column in _list_coordinates(plan):
        values = text(column)
        values = values.filter(values.str.len_bytes() > 0)
        if len(values) and (values.str.contains(pattern).sum() or 0) > 0.9 * len(values):
            raise FileFormatError(
                f"Every point in {plan.columns[column]} stands before three digits (such as {values[0]}): a spreadsheet has "
                "taken coordinates for thousands, and where their points were is lost. Export the file again, with these "
                "columns as text.",
                code="damaged_numbers",
                parameter="roles",
            )


def _check_srid(plan: FilePlan, text: Text) -> None:
    """Ask before points are taken to be in the system that their SRID says."""
    for role in ("origin", "destination", "route"):
        if role not in plan.roles:
            continue
        found = text(plan.roles[role]).str.extract(_SRID).drop_nulls().unique().sort().to_list()
        others = [srid for srid in found if srid not in _WGS_84]
        if others:
            known = [srid for srid in others if _is_known(f"EPSG:{srid}")]
            statement = (
                f"Points in {plan.columns[plan.roles[role]]} have the SRID {' and '.join(others)}, which is not longitude and "
                "latitude in WGS 84."
            )
            raise FileFormatError(
                f"{statement} Say so with crs EPSG:{others[0]} (--crs EPSG:{others[0]}), and they are transformed.",
                statement=statement,
                code="not_degrees",
                parameter="crs",
                choices=[make_choice(f"{parse_crs(f'EPSG:{srid}').name} (EPSG:{srid})", crs=f"EPSG:{srid}") for srid in known],
            )


def _is_known(crs: str) -> bool:
    try:
        parse_crs(crs)
    except ValueError:
        return False
    return True


def _check_radians(plan: FilePlan, x: float, y: float) -> None:
    city = find_city(x, y)
    if city is not None and city.distance_km <= _FAR_FROM_ANY_KM:
        return
    found = [candidate for candidate in find_candidates(x, y) if candidate.value == "radians"]
    if found:
        statement = (
            f"The coordinates of {_name_columns(plan)} look like radians: as degrees they lie far from any city, and as radians "
            f"near {found[0].city}."
        )
        raise FileFormatError(
            f"{statement} Say which: coordinate_unit radians or degrees (--coordinate-unit).",
            statement=statement,
            code="not_degrees",
            parameter="coordinate_unit",
            choices=[make_choice("Radians", coordinate_unit="radians"), make_choice("Degrees", coordinate_unit="degrees")],
        )


def _not_degrees(plan: FilePlan, x: float, y: float, *, region: str | None) -> FileFormatError:
    found = find_candidates(x, y, region=region)[:_SHOWN]
    what = f"The coordinates of {_name_columns(plan)} are no degrees (such as {x:.10g}, {y:.10g})"
    if found:
        first = found[0]
        what += f"; they look like {first.label}, near {first.city}"
        hint = f"Say so with {first.option} {first.value} (--{first.option.replace('_', '-')} {first.value})"
    elif may_be_utm(x, y):
        what += "; they look like metres of a UTM zone"
        hint = "Say which, such as crs EPSG:32618 (--crs EPSG:32618) for zone 18 North"
    else:
        hint = "Name their reference system with crs (--crs EPSG:CODE), or their unit with coordinate_unit"
    return FileFormatError(
        f"{what}. {hint}; or map other columns.",
        statement=f"{what}.",
        code="not_degrees",
        parameter=found[0].option if found else "crs",
        choices=[
            make_choice(f"{candidate.label}, near {candidate.city}", **{candidate.option: candidate.value}) for candidate in found
        ],
        columns=plan.columns,
    )


def _name_columns(plan: FilePlan) -> str:
    columns = [column for role, column in plan.roles.items() if role.startswith("origin") or role == "route"]
    return " and ".join(plan.columns[column] for column in columns)
