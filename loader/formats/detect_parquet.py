"""Detection of Parquet: roles by names, types and the statistics in the footer."""

from dataclasses import replace
from functools import cache

from loader.formats.detection.order_check import check_order
from loader.formats.errors import ambiguous_dates
from loader.formats.parquet import sample_columns
from loader.formats.plan import FilePlan, LoadOptions
from loader.formats.point_order import read_point_forms
from loader.formats.profile import Profile
from loader.formats.roles import RoleFinder, check_roles
from loader.formats.time_format import detect_time_format


def plan_parquet(plan: FilePlan) -> FilePlan:
    """Complete the plan of a Parquet file whose footer is known. Raises: FileFormatError for what a person has to settle."""
    options = LoadOptions.from_json(plan.asked or {})
    columns, samples = sample_columns(plan.footer or "")

    @cache
    def profile(column: int) -> Profile:
        return Profile(samples[column])

    finder = RoleFinder(columns, profile)
    finder.find(options)
    check_order(finder, options)
    check_roles(finder)
    time = detect_time_format(finder, options)
    found = replace(
        plan,
        columns=columns,
        roles={role: column for role, column in finder.roles.items() if role != "trip_id"},  # no need to read what isn't stored
        confidence=dict(finder.confidence),
        time=time,
        notes=tuple(finder.notes),
        axis_order=options.axis_order or "lon_lat",
        crs=options.crs,
        coordinate_unit=options.coordinate_unit,
        is_exchanged=options.axis_order == "lat_lon",
    )
    found = read_point_forms(found, options, lambda column: samples[column])
    if time.kind == "text" and time.date_order is None:
        raise ambiguous_dates(found)
    return found
