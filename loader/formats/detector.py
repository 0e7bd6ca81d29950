"""Detection: from the first bytes of a file to the plan for all of it.

plan = detect_format(sample, file_name="trips.csv", options=LoadOptions(), is_whole=False)
"""

from dataclasses import replace

from loader.formats.candidates import Candidate, choose_table
from loader.formats.containers.archived_parquet import is_packed_parquet, read_packed_parquet
from loader.formats.containers.byte_ranges import ByteRanges, WholeFile
from loader.formats.containers.member_names import name_member
from loader.formats.coordinates.degrees import Coordinates
from loader.formats.delimited.dialect import Layout
from loader.formats.detection.column_times import detect_time_format
from loader.formats.detection.place_roles import describe_places
from loader.formats.model.inner_table import InnerTable
from loader.formats.model.options import LoadOptions
from loader.formats.model.plan import Compression, FilePlan
from loader.formats.parquet.batches import ENCRYPTED_MAGIC
from loader.formats.parquet.batches import MAGIC as PARQUET_MAGIC
from loader.formats.parquet.detector import detect_parquet
from loader.formats.parquet.layout import encrypted
from loader.formats.position_checks.point_order import is_order_open, read_point_forms, settle_order
from loader.formats.position_checks.swapped_axes import check_swap, find_area, is_better_exchanged
from loader.formats.position_checks.units import check_positions
from loader.formats.sample_text import detect_container, read_text
from loader.formats.text.charset import ask_for_charset
from loader.formats.text.encoding import UNICODE
from loader.formats.times.errors import ambiguous_dates
from loader.formats.validation.column_source import TextSource
from loader.formats.validation.typed_columns import read_columns
from shared.platform.errors import FileFormatError


def detect_format(
    sample: bytes,
    *,
    file_name: str,
    options: LoadOptions,
    is_whole: bool,
    from_history: bool = False,
    ranges: ByteRanges | None = None,
) -> FilePlan:
    """Return how a file is to be read, from its first bytes (SAMPLE_BYTES or more; is_whole: there are no others).

    from_history: the options were given for another file, so that this one may prove them wrong.
    ranges: the file, where parts of it can be read besides: a Parquet file says at its end what it holds.
    Raises: FileFormatError with one clear message; its code says what a person has to settle.
    """
    if not sample:
        raise FileFormatError(f"{file_name} is empty.", code="empty_file")
    compression = detect_container(sample)
    if options.member and compression == "none":
        raise FileFormatError("This file is no archive: leave out member (--member).", code="no_such_member", parameter="member")
    if is_packed_parquet(sample, compression, options.member):
        unpacked = WholeFile(read_packed_parquet([sample], compression, member=options.member)) if is_whole else None
        return replace(
            _detect_parquet(unpacked, options, from_history=from_history), compression=compression, member=options.member
        )
    if sample.startswith(PARQUET_MAGIC):
        return _detect_parquet(WholeFile(sample) if is_whole else ranges, options, from_history=from_history)
    if sample.startswith(ENCRYPTED_MAGIC):
        raise encrypted()
    try:
        return _detect_text(sample, options, is_whole=is_whole, from_history=from_history)
    except FileFormatError as error:
        raise (error if options.member else name_member(error, sample, compression)) from error


def _detect_text(sample: bytes, options: LoadOptions, *, is_whole: bool, from_history: bool) -> FilePlan:
    compression = detect_container(sample)
    text = read_text(sample, options, is_whole=is_whole)
    if not text.samples:
        return FilePlan(table=InnerTable("workbook"), options=options.to_json(), record_limit_bytes=options.record_limit_bytes)
    candidate, chosen = choose_table(text.samples, options)
    plan = _make_plan(candidate, options, compression=compression, encoding=text.encoding)
    layout = candidate.layout
    plan = read_point_forms(replace(plan, table=chosen.table), options, layout.text)
    if len(layout.table) == 0:
        return plan
    origin = read_columns(TextSource(layout.table, decimal=layout.dialect.decimal), plan, options).origin
    if is_order_open(plan, options, layout.text):
        settled = settle_order(plan, origin)
        origin = Coordinates(origin.latitude, origin.longitude) if settled.is_exchanged else origin
        plan = settled
    if from_history and is_better_exchanged(origin):
        raise FileFormatError("Longitude and latitude look swapped.", code="swapped_coordinates")
    if not options.encoding and text.encoding not in UNICODE:
        _check_names(plan, layout, chosen.text)
    if "origin_place" not in plan.roles:
        check_positions(plan, origin, options, text=layout.text)
        # Who says where the origin is has seen the file.
        if not options.axis_order and not any("origin" in role for role in options.roles):
            check_swap(plan, origin)
    if plan.time.date_order is None and chosen.is_whole:
        raise ambiguous_dates(plan)
    return replace(plan, area=find_area(origin))


def _check_names(plan: FilePlan, layout: Layout, text: bytes) -> None:
    """Ask for the encoding where it changes names that are kept. Raises: FileFormatError."""
    columns = [plan.roles[role] for role in ("region", "datasource") if role in plan.roles]
    names = [name for column in columns for name in layout.text(column).unique(maintain_order=True).to_list()]
    encoding = plan.dialect.encoding
    ask_for_charset(names, encoding, text.decode("utf-8", "replace").encode(encoding, "replace"))


def _detect_parquet(ranges: ByteRanges | None, options: LoadOptions, *, from_history: bool) -> FilePlan:
    """Plan a Parquet file; without its end, the splitter completes the plan."""
    plan = FilePlan(kind="parquet", options=options.to_json(), record_limit_bytes=options.record_limit_bytes)
    return detect_parquet(ranges, plan, options, from_history=from_history) if ranges else plan


def _make_plan(candidate: Candidate, options: LoadOptions, *, compression: Compression, encoding: str) -> FilePlan:
    layout, finder = candidate.layout, candidate.finder
    return FilePlan(
        compression=compression,
        member=options.member,
        dialect=replace(layout.dialect, encoding=encoding),
        columns=layout.columns,
        roles=dict(finder.roles),
        confidence=dict(finder.confidence),
        time=detect_time_format(finder, options),
        axis_order=options.axis_order or "lon_lat",
        crs=options.crs,
        coordinate_unit=options.coordinate_unit,
        is_exchanged=options.axis_order == "lat_lon",
        record_limit_bytes=options.record_limit_bytes,
        notes=tuple(finder.notes),
        places=describe_places(finder, options),
    )
