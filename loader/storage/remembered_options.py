"""Readings: what people said about how to read a file counts for the next file of its kind, until they say otherwise.

Of one kind are files with the same header; without one, those with as many columns that hold the same kinds of things; Parquet
files whose columns have the same names and types. Kept is how a file is read (columns, dates, delimiter, …), not what it is about
(region, datasource, time zone): files of many cities share a header. It is written when a load that was given such options
succeeds. What the file itself says comes first: the order of its dates, and where its trips begin.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final

from sqlalchemy import Engine

from loader.formats import ByteRanges, FilePlan, LoadOptions, detect_format, list_headers
from shared.platform.errors import FileFormatError, NotFoundError
from shared.services.database import execute, transaction

READING_OPTIONS: Final = (
    "roles",
    "date_order",
    "time_form",
    "axis_order",
    "crs",
    "coordinate_unit",
    "has_header",
    "encoding",
    "delimiter",
    "decimal",
    "sheet",
    "polyline_precision",
)


@dataclass(frozen=True)
class Beginning:
    """The first bytes of a file. ranges: the file, where other parts of it can be read: of a Parquet file they are needed."""

    sample: bytes
    file_name: str
    is_whole: bool
    ranges: ByteRanges | None = None

    @cached_property
    def headers(self) -> dict[str, str]:
        """The hash of the header, or of the kinds of columns where there is none, by delimiter."""
        return list_headers(self.sample, is_whole=self.is_whole, ranges=self.ranges)

    def detect(self, options: LoadOptions, *, is_hearsay: bool = False) -> FilePlan:
        """Tell how the file is to be read. Raises: FileFormatError."""
        return detect_format(
            self.sample,
            file_name=self.file_name,
            options=options,
            is_whole=self.is_whole,
            is_hearsay=is_hearsay,
            ranges=self.ranges,
        )


@dataclass(frozen=True)
class Reading:
    """Options of a former load of a file of this kind. applied: those that count now."""

    header_hash: str
    load_id: int
    said_at: str
    options: Mapping[str, Any]
    applied: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Give what a page shows."""
        return {
            "header_hash": self.header_hash,
            "load_id": self.load_id,
            "said_at": self.said_at,
            "options": dict(self.applied),
        }


def pick_reading_options(options: LoadOptions) -> dict[str, Any]:
    """Give the options that say how to read a file, as far as somebody gave them."""
    given = options.to_json()
    return {name: given[name] for name in READING_OPTIONS if given[name] not in (None, {})}


def recall_reading(engine: Engine, begun: Beginning, options: LoadOptions) -> tuple[LoadOptions, Reading | None]:
    """Complete options by what was said last time; what is given now comes first.

    Raises: TransientError when the database is away.
    """
    return complete_options(begun, options, fetch=partial(fetch_reading, engine))


def fetch_reading(engine: Engine, header_hashes: Sequence[str]) -> Mapping[str, Any] | None:
    """The newest reading of files with one of these headers. Raises: TransientError."""
    with transaction(engine) as connection:
        row = execute(connection, "fetch_reading", header_hashes=list(header_hashes)).mappings().one_or_none()
    return {**row, "said_at": row["said_at"].isoformat()} if row else None


def complete_options(
    begun: Beginning, options: LoadOptions, *, fetch: Callable[[Sequence[str]], Mapping[str, Any] | None]
) -> tuple[LoadOptions, Reading | None]:
    """Complete options by the reading that fetch finds for the file's headers."""
    if not options.as_last_time or not begun.headers:
        return options, None
    row = fetch(list(begun.headers.values()))
    if row is None:
        return options, None
    completed = _complete(options, row["options"])
    try:
        is_open = begun.detect(completed, is_hearsay=True).time.date_order is None
    except FileFormatError as error:
        if error.error_code != "ambiguous_dates":
            return options, None  # what was right for another file is wrong for this one
        is_open = True
    if is_open and options.date_order is None:
        completed = replace(completed, date_order=row["options"].get("date_order"))
    before, after = pick_reading_options(options), pick_reading_options(completed)
    applied = {name: value for name, value in after.items() if before.get(name) != value}
    if not applied:
        return options, None
    return completed, Reading(row["header_hash"], row["load_id"], row["said_at"], row["options"], applied)


def forget_reading(engine: Engine, header_hash: str) -> None:
    """Forget what was said of files of a kind. Raises: NotFoundError."""
    with transaction(engine) as connection:
        if execute(connection, "delete_reading", header_hash=header_hash).first() is None:
            raise NotFoundError("Nothing is remembered for files of this kind.")


def _complete(options: LoadOptions, said: Mapping[str, Any]) -> LoadOptions:
    values = {
        name: said[name]
        for name in READING_OPTIONS
        if name not in ("roles", "date_order") and name in said and getattr(options, name) is None
    }
    given = {_end_of(role) for role in options.roles}
    roles = {role: column for role, column in said.get("roles", {}).items() if not given & _ends_of(role)}
    return replace(options, **values, roles={**roles, **options.roles})


def _end_of(role: str) -> str:
    return role.partition("_")[0]


def _ends_of(role: str) -> set[str]:
    return {"route", "origin", "destination"} if role == "route" else {_end_of(role), *(("route",) if "itude" in role else ())}
