"""Inspection: what a file's beginning shows, before anything is stored.

inspection = inspect_format(sample, file_name="trips.csv", options=LoadOptions(), is_whole=False)
inspection.to_json()
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl

from loader.formats.batch_parser import parse_batch
from loader.formats.batch_splitter import BatchSplitter
from loader.formats.containers.archived_parquet import read_packed_parquet
from loader.formats.containers.byte_ranges import BytesMissingError, WholeFile
from loader.formats.coordinates.degrees import Coordinates
from loader.formats.detector import detect_format
from loader.formats.model.batches import BatchSlice, ParsedBatch
from loader.formats.model.options import LoadOptions
from loader.formats.model.plan import FilePlan
from loader.formats.model.reject_reasons import Reason
from loader.formats.model.time_format import MISSING
from loader.formats.parquet.batches import read_layout
from loader.formats.parquet.preview import FileParts, list_wanted, parse_preview
from loader.formats.position_checks.point_order import describe_points
from loader.formats.position_checks.swapped_axes import find_middle
from loader.formats.sample_text import read_text
from loader.formats.text.encoding import UNICODE
from loader.formats.times.number_times import clean_numbers
from loader.formats.times.parser import parse_stamps
from loader.formats.validation.rules import REJECT_SCHEMA, TRIP_SCHEMA
from shared.gazetteer.cities import City, suggest_region

LOOKED_AT_BYTES = 2**19
SHOWN_ROWS = 20
RAW_SHOWN = 65_536  # characters
SURE = 0.5
NO_ROWS = ParsedBatch(pl.DataFrame(schema=dict(TRIP_SCHEMA)), pl.DataFrame(schema=dict(REJECT_SCHEMA)), 0)


@dataclass(frozen=True)
class Inspection:
    """The plan, the first rows as they will be stored, the first problems, and the region a file without one may be of.

    wanted: offset and bytes of the parts of a file that would show its first rows.
    """

    plan: FilePlan
    options: LoadOptions
    rows: ParsedBatch
    city: City | None
    notes: tuple[str, ...]
    wanted: tuple[tuple[int, int], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the inspection as plain JSON."""
        plan, rows = self.plan, self.rows
        return {
            "plan": {**plan.to_json(), "footer": None, "options": None},
            "roles": [
                {"role": role, "column": plan.columns[index], "number": index + 1, "confidence": plan.confidence.get(role, 0.0)}
                for role, index in plan.roles.items()
            ],
            "clock": plan.clock,
            "timezone": self.options.timezone if plan.clock == "converted" else None,
            "rows_read": rows.rows_read,
            "rows_rejected": rows.rejects.height,
            "reasons": _count_reasons(rows.rejects),
            "warnings": dict(rows.warnings),
            "trips": [_trip_json(row) for row in rows.trips.head(SHOWN_ROWS).to_dicts()],
            "rejects": [_reject_json(row) for row in rows.rejects.head(SHOWN_ROWS).to_dicts()],
            "suggested_region": self.city.name if self.city else None,
            "suggested_timezone": self.city.timezone if self.city else None,
            "notes": list(self.notes),
            "wanted": [list(part) for part in self.wanted],
        }


def inspect_format(sample: bytes, *, file_name: str, options: LoadOptions, is_whole: bool) -> Inspection:
    """Look at the first bytes of a file (SAMPLE_BYTES are plenty) and parse the first records.

    Raises: FileFormatError with one clear message, as loading the file would.
    """
    plan = detect_format(sample, file_name=file_name, options=options, is_whole=is_whole)
    if plan.table and plan.table.format == "json" and not is_whole:
        plan = replace(plan, notes=(*plan.notes, _LATE_KEYS))
    return _inspect(plan, _parse_first(sample, plan, options, is_whole=is_whole), options)


def inspect_parts(parts: FileParts, *, file_name: str, options: LoadOptions) -> Inspection:
    """Look at some parts of a large Parquet file: its beginning, its end, and what a first inspection wanted.

    Raises: as inspect_format.
    """
    try:
        plan = detect_format(parts.beginning, file_name=file_name, options=options, is_whole=False, ranges=parts)
    except BytesMissingError:  # its end is not among them
        plan = detect_format(parts.beginning, file_name=file_name, options=options, is_whole=False)
    if not plan.footer:
        return _inspect(plan, NO_ROWS, options)
    rows = parse_preview(parts, plan, options)
    return _inspect(plan, rows or NO_ROWS, options, wanted=() if rows else tuple(list_wanted(plan)))


def _inspect(plan: FilePlan, rows: ParsedBatch, options: LoadOptions, *, wanted: tuple[tuple[int, int], ...] = ()) -> Inspection:
    trips = rows.trips
    middle = (
        find_middle(Coordinates(trips["origin_longitude"].to_numpy(), trips["origin_latitude"].to_numpy()))
        if trips.height
        else None
    )
    city = suggest_region(*middle) if middle else None
    return Inspection(plan, options, rows, city, tuple(_list_notes(plan, rows, options)), wanted)


def _parse_first(sample: bytes, plan: FilePlan, options: LoadOptions, *, is_whole: bool) -> ParsedBatch:
    """Parse the first whole records of the sample."""
    if plan.kind == "parquet":
        if not plan.footer:
            return NO_ROWS
        whole = sample if plan.compression == "none" else read_packed_parquet([sample], plan.compression, member=plan.member)
        return parse_preview(WholeFile(whole), plan, options) or NO_ROWS
    if plan.table and not plan.columns:
        return NO_ROWS
    chosen = read_text(sample, options, is_whole=is_whole).find(plan.table)
    text, is_whole = chosen.text, chosen.is_whole
    order = plan.time.date_order or "mdy"
    plan = replace(
        plan,
        compression="none",
        dialect=replace(plan.dialect, encoding="utf-8"),
        time=replace(plan.time, date_order=order),
        table=None,
    )
    # Half of an incomplete sample at most, if its last record is cut in two.
    is_whole = is_whole or text.endswith(b"\n")
    splitter = BatchSplitter(plan, batch_bytes=min(LOOKED_AT_BYTES, len(text) if is_whole else max(1, len(text) // 2)))
    pieces = [*splitter.feed(text), *(splitter.finish() if is_whole else ())]
    piece = pieces[0] if pieces else BatchSlice(0, 0, 0, 0, 0)
    return parse_batch(text[: piece.bytes], plan, piece, options=options)


_PARQUET_UNSEEN: Final = (
    "A Parquet file says at its end what it holds, and only its beginning was looked at. It can be loaded as it is."
)
_LATE_KEYS: Final = (
    "Columns are the keys of the first records; this file goes on, and the load says whether other keys appear later, which are "
    "not read."
)
_WORKBOOK_UNSEEN: Final = (
    "A workbook says at its end what it holds, and this one is too large to be looked at before it is loaded. "
    "It can be loaded as it is: what it leaves open is asked then. To see its first rows, save the sheet with the trips as CSV."
)


def list_plan_notes(plan: FilePlan, options: LoadOptions) -> list[str]:
    """Say what a person may want to know of how a file is read, whatever its rows hold."""
    return list(_list_notes(plan, replace(NO_ROWS, rows_read=1), options))


def _list_notes(plan: FilePlan, rows: ParsedBatch, options: LoadOptions) -> Iterator[str]:
    """Say what a person may want to know before loading."""
    if "started_at" not in plan.roles:
        yield _WORKBOOK_UNSEEN if plan.table else _PARQUET_UNSEEN
        return
    if plan.table and plan.table.others:
        what = "sheet" if plan.table.format == "workbook" else "array"
        others = ", ".join(name or "the file's own records" for name in plan.table.others[:10])
        yield f"Trips are read from the {what} {plan.table.name!r}; it holds besides: {others} (--sheet names another)."
    start = plan.columns[plan.roles["started_at"]]
    if plan.time.kind == "unknown":
        yield f"Nothing in {start} reads as a date and time (such as {plan.time.example!r}): every row will be rejected."
    if plan.time.date_order is None:
        yield f"The first dates in {start} fit month first as well as day first; the load decides over the whole file, or asks."
    if plan.clock == "converted":
        yield f"Times in {start} are instants; they are converted to {options.timezone}."
    yield from _note_other_forms(rows, start)
    yield from describe_points(plan)
    yield from _describe_places(plan)
    weak = [role for role, share in plan.confidence.items() if share <= SURE]
    if weak:
        yield f"Not sure about: {', '.join(f'{role} = {plan.columns[plan.roles[role]]}' for role in weak)}."
    yield from plan.notes
    if plan.kind == "csv" and plan.dialect.encoding not in UNICODE and not options.encoding:
        yield f"The text is not UTF-8; it was read as {plan.dialect.encoding}. Say encoding (--encoding) where that is wrong."
    if plan.kind == "csv" and not plan.dialect.has_header:
        yield "The file has no header; columns were told by what they hold."
    if rows.rows_read == 0:
        has_rows = plan.footer is not None and read_layout(plan.footer).metadata.num_rows > 0
        yield "Its first rows are too large to be looked at." if has_rows else "The file has a header and no rows."


def _describe_places(plan: FilePlan) -> Iterator[str]:
    """Say in which place set ends are looked up, and what it means that they are zones."""
    if plan.places is None:
        return
    columns = " and ".join(plan.columns[plan.roles[f"{end}_place"]] for end in plan.places["by"])
    what = "zones" if plan.places["is_zones"] else "places"
    yield f"Ends are the {what} of {plan.places['name']} that {columns} name{'s' if len(plan.places['by']) == 1 else ''}."
    if plan.places["is_zones"]:
        yield "Places are zones: a trip lies at one point of its zone. Counts of areas smaller than a zone are of zone precision."


def _note_other_forms(rows: ParsedBatch, start: str) -> Iterator[str]:
    """Say that some start times are written in another form than the rest: they are rejects, for one column has one form."""
    values = rows.rejects.filter(pl.col("reason") == str(Reason.STARTED_AT_UNREADABLE))["value"].drop_nulls()
    if len(values) == 0:
        return
    is_time = np.logical_or.reduce([parse_stamps(values, order)[0] != MISSING for order in ("ymd", "mdy", "dmy")])
    is_time |= clean_numbers(values).is_not_null().to_numpy()
    if is_time.any():
        example = values.filter(pl.Series(is_time))[0]
        yield (
            f"{int(is_time.sum()):,} of {rows.rows_read:,} rows write {start} in another form than the rest (such as {example}): "
            "they will be rejected, for one column has one form."
        )


def _count_reasons(rejects: pl.DataFrame) -> dict[str, int]:
    return {str(reason): int(count) for reason, count in rejects["reason"].value_counts(sort=True).iter_rows()}


def _trip_json(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "started_at": row["started_at"].isoformat()}


def _reject_json(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "line": row["line_in_batch"],
        "record": row["record_in_batch"],
        "column": row["column_name"],
        "reason": row["reason"],
        "value": row["value"],
        "raw": row["raw"][:RAW_SHOWN],
    }
