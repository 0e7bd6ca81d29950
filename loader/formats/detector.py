"""Detection: from the first bytes of a file to the plan for all of it.

plan = detect_format(sample, file_name="trips.csv", options=LoadOptions(), is_whole=False)
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import polars as pl

from loader.formats.containers.archived_parquet import is_packed_parquet, read_packed_parquet
from loader.formats.containers.byte_ranges import ByteRanges, WholeFile
from loader.formats.containers.member_names import name_member
from loader.formats.containers.signatures import reject_foreign
from loader.formats.containers.tables import detect_compression, open_tables
from loader.formats.containers.zip_directory import read_directory
from loader.formats.coordinates.degrees import Coordinates
from loader.formats.delimited.dialect import Layout, read_layouts, read_table
from loader.formats.detection.column_profile import DECIMAL_COMMA, Profile
from loader.formats.detection.column_roles import check_roles, find_roles
from loader.formats.detection.column_times import detect_time_format
from loader.formats.detection.content_roles import find_content_roles
from loader.formats.detection.order_check import check_order
from loader.formats.detection.role_finder import RoleFinder
from loader.formats.model.errors import make_choice, unnamed_fields
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
from loader.formats.text.charset import ask_for_charset
from loader.formats.text.encoding import UNICODE, detect_encoding, strip_bom, to_utf8
from loader.formats.text.numbers import parse_numbers
from loader.formats.times.errors import ambiguous_dates
from loader.formats.transcoding import TableSample, is_inner, list_samples, looks_like_workbook
from loader.formats.validation.column_source import TextSource
from loader.formats.validation.typed_columns import read_columns
from shared.platform.errors import FileFormatError

# Bytes of a file that detection wants to see, and of unpacked text that it looks at.
SAMPLE_BYTES = 2**20
TEXT_SAMPLE_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Candidate:
    """One way to read the sample as trips. score: how sure the roles are, in all."""

    layout: Layout
    finder: RoleFinder
    score: float


def detect_format(
    sample: bytes,
    *,
    file_name: str,
    options: LoadOptions,
    is_whole: bool,
    from_history: bool = False,
    ranges: ByteRanges | None = None,
) -> FilePlan:
    """Tell how a file is to be read, from its first bytes (SAMPLE_BYTES or more; is_whole: there are no others).

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
    candidate, chosen = _choose_table(text.samples, options)
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


@dataclass(frozen=True)
class SampleText:
    """The sample as UTF-8 text: one table, or as many as the file holds; none of a workbook that is not there as a whole."""

    encoding: str
    samples: Sequence[TableSample]

    def find(self, table: InnerTable | None) -> TableSample:
        """Find the sample of a plan's table."""
        return next(sample for sample in self.samples if (sample.table and sample.table.name) == (table and table.name))


def needs_whole(sample: bytes) -> bool:
    """Tell by the first bytes whether detection has to see the whole file: a workbook says at its end what it holds."""
    return looks_like_workbook(sample)


def detect_container(sample: bytes) -> Compression:
    """Tell the compression by the first bytes; a workbook is read as it is, although it is a zip file."""
    return "none" if looks_like_workbook(sample) else detect_compression(sample)


def read_text(sample: bytes, options: LoadOptions, *, is_whole: bool) -> SampleText:
    """Give the sample as UTF-8 text. Raises: FileFormatError for files that are no table."""
    text, is_whole = unpack_sample(sample, detect_container(sample), is_whole=is_whole, member=options.member)
    if not strip_bom(text).strip(b"\0 \t\r\n"):
        raise FileFormatError("The file holds no text.", code="empty_file")
    if is_inner(text):
        if looks_like_workbook(text) and not is_whole and detect_container(sample) != "none":
            raise FileFormatError(
                "This is a workbook inside an archive. Unpack it and load the workbook.", code="unsupported_archive"
            )
        return SampleText("utf-8", list_samples(text, encoding=options.encoding, is_whole=is_whole))
    reject_foreign(text)
    if options.sheet:
        raise FileFormatError("This file is no workbook and has no sheets: leave out sheet (--sheet).", code="no_such_sheet")
    encoding = options.encoding or detect_encoding(text, is_whole=is_whole)
    return SampleText(encoding, [TableSample(to_utf8(text, encoding, is_whole=is_whole), is_whole)])


def unpack_sample(sample: bytes, compression: Compression, *, is_whole: bool, member: str | None = None) -> tuple[bytes, bool]:
    """Unpack as much of the sample's first table, or the member, as detection looks at; tells whether that is all there is."""
    if compression == "none":
        return sample, is_whole
    members = read_directory(io.BytesIO(sample)) if compression == "zip" and is_whole else None
    tables = open_tables([sample], compression, members=members, member=member)
    text = bytearray()
    try:
        for piece in next(tables)[1]:
            text += piece
            if len(text) >= TEXT_SAMPLE_BYTES:
                return bytes(text), False
    except FileFormatError as error:
        if is_whole or (text and error.error_code != "truncated_archive"):
            raise
        if not text:
            raise _nothing_in_sample(error) from error
        return bytes(text), False
    if is_whole and next(tables, None) is None:
        return bytes(text), True
    return bytes(text) + b"\n", False  # the last record of this table ends here, whatever follows


def _nothing_in_sample(error: FileFormatError) -> FileFormatError:
    """Make the error for an archive whose first table lies beyond the sample, unless it is damaged."""
    if error.error_code not in ("truncated_archive", "empty_archive", "empty_file", "not_a_table"):
        return error
    return FileFormatError(
        f"The first {SAMPLE_BYTES // 2**20} MiB of the archive hold no table. Pack the file with the trips alone, or first.",
        code="empty_archive",
    )


def _choose_table(samples: Sequence[TableSample], options: LoadOptions) -> tuple[Candidate, TableSample]:
    """Choose the table that options name, else the first that has trips. Raises: FileFormatError of the first if none has."""
    first: FileFormatError | None = None
    for sample in select_samples(samples, options.sheet):
        try:
            return _choose_candidate(sample, options), sample
        except FileFormatError as error:
            if error.error_code not in ("missing_roles", "one_column"):
                raise
            first = first or error
    assert first is not None  # noqa: S101 - there is one sample at least
    raise first


def select_samples(samples: Sequence[TableSample], sheet: str | None) -> list[TableSample]:
    """Give the samples that a sheet's name selects, all without one. Raises: FileFormatError where there is none of that name."""
    named = [(sample.table.name if sample.table else "", sample) for sample in samples]
    selected = [sample for name, sample in named if sheet is None or name.casefold() == sheet.casefold()]
    if not selected:
        names = [name for name, _ in named]
        raise FileFormatError(
            f"There is no sheet {sheet!r} with rows. Sheets: {', '.join(names)}.",
            code="no_such_sheet",
            parameter="sheet",
            choices=[make_choice(name, sheet=name) for name in names],
        )
    return selected


def _choose_candidate(sample: TableSample, options: LoadOptions) -> Candidate:
    layouts = read_table(sample, options) if sample.table else read_layouts(sample.text, options, is_whole=sample.is_whole)
    if not layouts:
        raise FileFormatError(
            "Found only one column: no comma, semicolon, tab or bar divides the lines. A trip needs an origin, a destination "
            "and a start time.",
            code="one_column",
        )
    candidates = [_read_roles(layout, options) for layout in layouts]
    best = max(candidates, key=lambda candidate: (candidate.score, not candidate.layout.unnamed))
    if best.layout.unnamed and not options.roles:
        raise unnamed_fields(best.layout.columns, best.layout.unnamed)
    check_order(best.finder, options)
    check_roles(best.finder)
    return best


def _read_roles(layout: Layout, options: LoadOptions) -> Candidate:
    @cache
    def decimal(column: int) -> str:
        return options.decimal or _read_decimal(layout.text(column, 200))

    @cache
    def profile(column: int) -> Profile:
        return Profile(layout.text(column), decimal=decimal(column))

    def median(column: int) -> float:
        return float(np.nanmedian(parse_numbers(layout.text(column), decimal=decimal(column))))

    finder = RoleFinder(layout.columns, profile)
    find_roles(finder, options)
    if not layout.dialect.has_header or not (finder.has_ends() or finder.question):
        find_content_roles(finder, median, has_names=layout.dialect.has_header)
    found = (
        sum(finder.confidence.values())
        + 5 * (finder.has_ends() or finder.question is not None)
        + 2 * ("started_at" in finder.roles)
    )
    # The coordinates decide the sign: other numbers are not read. With a comma, a point reads as well.
    coordinates = [decimal(column) for role, column in finder.roles.items() if role.endswith("itude")]
    sign = options.decimal or ("," if "," in coordinates else "." if coordinates else detect_decimal(layout))
    layout = replace(layout, dialect=replace(layout.dialect, decimal=sign))
    return Candidate(layout, finder, found + layout.evenness)


def _read_decimal(text: pl.Series) -> str:
    """Tell whether one column's numbers are written with a decimal comma."""
    text = text.filter(text.str.len_bytes() > 0)
    return "," if len(text) and (text.str.contains(DECIMAL_COMMA).sum() or 0) * 2 > len(text) else "."


def detect_decimal(layout: Layout) -> str:
    """Tell whether numbers are written with a decimal comma: more columns hold such numbers than ones with a point."""
    commas = points = 0
    for column in range(min(layout.dialect.field_count, 60)):
        text = layout.text(column, 200)
        text = text.filter(text.str.len_bytes() > 0)
        if len(text):
            commas += (text.str.contains(DECIMAL_COMMA).sum() or 0) * 2 > len(text)
            points += (text.str.contains(r"^\s*[+-]?\d+\.\d+\s*$").sum() or 0) * 2 > len(text)
    return "," if commas > points else "."


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
    )
