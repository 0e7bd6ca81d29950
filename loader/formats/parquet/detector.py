"""Detection of Parquet: roles by names and by values of the first rows, as of delimited text."""

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa

from loader.formats.containers.byte_ranges import ByteRanges
from loader.formats.coordinates.degrees import Coordinates
from loader.formats.detection.column_profile import Profile
from loader.formats.detection.column_roles import check_roles, find_roles
from loader.formats.detection.column_times import detect_time_format
from loader.formats.detection.content_roles import find_content_roles
from loader.formats.detection.order_check import check_order
from loader.formats.detection.place_roles import describe_places
from loader.formats.detection.role_finder import RoleFinder
from loader.formats.model.options import LoadOptions
from loader.formats.model.plan import FilePlan
from loader.formats.parquet.batches import check_groups, list_fields, pack_footer, read_footer, read_layout
from loader.formats.parquet.limits import count_rows_per_batch
from loader.formats.parquet.reader import RowRange, RowReader
from loader.formats.parquet.samples import ColumnSampler
from loader.formats.parquet.source import ParquetSource
from loader.formats.position_checks.point_order import is_order_open, read_point_forms, settle_order
from loader.formats.position_checks.swapped_axes import check_swap, find_area, is_better_exchanged
from loader.formats.position_checks.units import check_positions
from loader.formats.text.numbers import parse_numbers
from loader.formats.times.date_order import DateParts
from loader.formats.times.errors import ambiguous_dates
from loader.formats.validation.typed_columns import read_columns
from shared.platform.errors import FileFormatError


def detect_parquet(ranges: ByteRanges, plan: FilePlan, options: LoadOptions, *, from_history: bool = False) -> FilePlan:
    """Complete the plan of a Parquet file. Raises: FileFormatError for what a person has to settle; BytesMissingError."""
    plan = replace(plan, footer=pack_footer(read_footer(ranges)))
    layout = read_layout(plan.footer or "")
    sampler = ColumnSampler(ranges, layout)
    finder = _find_roles(sampler, options)
    roles = {role: column for role, column in finder.roles.items() if role != "trip_id"}  # no need to read what isn't stored
    plan = replace(
        plan,
        columns=sampler.columns,
        roles=_drop_durations(roles, sampler),
        confidence=dict(finder.confidence),
        time=detect_time_format(finder, options),
        notes=tuple(finder.notes),
        axis_order=options.axis_order or "lon_lat",
        crs=options.crs,
        coordinate_unit=options.coordinate_unit,
        is_exchanged=options.axis_order == "lat_lon",
        places=describe_places(finder, options),
    )
    check_groups(layout, list_fields(plan), ranges.size)
    sampler.check(list_fields(plan))
    if roles["started_at"] in sampler.missing:
        plan = replace(plan, time=replace(plan.time, example=""))  # what was looked at is not in the file
    plan = _settle_points(sampler, read_point_forms(plan, options, sampler.text), options, from_history=from_history)
    return _settle_dates(ranges, plan, options)


def _find_roles(sampler: ColumnSampler, options: LoadOptions) -> RoleFinder:
    @cache
    def profile(column: int) -> Profile:
        return Profile(sampler.text(column))

    def median(column: int) -> float:
        return float(np.nanmedian(parse_numbers(sampler.text(column))))

    finder = RoleFinder(sampler.columns, profile)
    find_roles(finder, options)
    if not (finder.has_ends() or finder.question):
        find_content_roles(finder, median, has_names=True)
    check_order(finder, options)
    check_roles(finder)
    return finder


def _drop_durations(roles: dict[str, int], sampler: ColumnSampler) -> dict[str, int]:
    """Leave out an end that is a duration: a length of time is no moment."""
    return {
        role: column
        for role, column in roles.items()
        if role != "ended_at" or not pa.types.is_duration(sampler.schema.field(column).type)
    }


def _read_origins(sampler: ColumnSampler, plan: FilePlan, options: LoadOptions) -> Coordinates | None:
    source = sampler.make_source(list_fields(plan))
    if source is None or len(source) == 0:
        return None
    order = plan.time.date_order or "mdy"
    return read_columns(source, replace(plan, time=replace(plan.time, date_order=order)), options).origin


def _settle_points(sampler: ColumnSampler, plan: FilePlan, options: LoadOptions, *, from_history: bool) -> FilePlan:
    """Settle the order of pairs, and check where the sample's origins lie, as of delimited text. Raises: FileFormatError."""
    origin = _read_origins(sampler, plan, options)
    if origin is None:
        return plan
    if is_order_open(plan, options, sampler.text):
        plan = settle_order(plan, origin)
        origin = Coordinates(origin.latitude, origin.longitude) if plan.is_exchanged else origin
    if from_history and is_better_exchanged(origin):
        raise FileFormatError("Longitude and latitude look swapped.", code="swapped_coordinates")
    if "origin_place" in plan.roles:
        return replace(plan, area=find_area(origin))
    check_positions(plan, origin, options, text=sampler.text)
    # Who says where the origin is has seen the file.
    if not options.axis_order and not any("origin" in role for role in options.roles):
        check_swap(plan, origin)
    return replace(plan, area=find_area(origin))


def _settle_dates(ranges: ByteRanges, plan: FilePlan, options: LoadOptions) -> FilePlan:
    """Decide the order of day and month over the whole columns, where the sample leaves it open.

    Raises: FileFormatError where every date fits both; of a file in parts the order stays open.
    """
    if plan.time.kind != "text" or plan.time.date_order is not None or not ranges.is_whole:
        return plan
    order = _observe_dates(ranges, plan).decide()
    if order is None:
        raise ambiguous_dates(plan)
    return replace(plan, time=replace(plan.time, date_order=order))


def _observe_dates(ranges: ByteRanges, plan: FilePlan) -> DateParts:
    """Look at every date of the file."""
    reader = RowReader(ranges, read_layout(plan.footer or ""))
    fields = tuple(sorted({plan.roles[role] for role in ("started_at", "ended_at") if role in plan.roles}))
    leaves = reader.layout.pick_leaves(fields)
    seen = DateParts()
    for number, group in enumerate(reader.layout.groups):
        step = count_rows_per_batch(group.rows, group.pick(leaves))
        for first_row in range(0, group.rows, step):
            source = ParquetSource(plan.columns, reader.read(RowRange(number, first_row, step, fields)).table)
            for field in fields:
                seen.observe(source.text(field))
    return seen
