"""Remembered options: options that a load was given apply to later files of the same kind, until others are given.

Files are of one kind if they have the same header; without a header, the same number of columns with the same kinds of content;
Parquet files, the same column names and types. Options that say how a file is read are remembered (columns, dates, delimiter, …),
not those about its trips (region, datasource, time zone), for files of many cities share a header. They are written when a load
that was given such options succeeds. What the file itself shows comes first: the order of its dates, and where its trips begin.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final

from sqlalchemy import Engine

from loader.formats import ByteRanges, FilePlan, LoadOptions, detect_format, list_headers
from loader.storage.place_lookups import FindPlaces, attach_places, fetch_places
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
    "places",
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

    def detect(self, options: LoadOptions, *, from_history: bool = False) -> FilePlan:
        """Detect how the file is to be read. Raises: FileFormatError."""
        return detect_format(
            self.sample,
            file_name=self.file_name,
            options=options,
            is_whole=self.is_whole,
            from_history=from_history,
            ranges=self.ranges,
        )


@dataclass(frozen=True)
class RememberedOptions:
    """Options given to the newest load of a file of this kind. applied: those that apply to this file."""

    header_hash: str
    load_id: int
    given_at: str
    options: Mapping[str, Any]
    applied: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return them as REST shows them."""
        return {
            "header_hash": self.header_hash,
            "load_id": self.load_id,
            "given_at": self.given_at,
            "options": dict(self.applied),
        }


def pick_reading_options(options: LoadOptions) -> dict[str, Any]:
    """Return the options that say how to read a file, as far as they are given."""
    given = options.to_json()
    return {name: given[name] for name in READING_OPTIONS if given[name] not in (None, {})}


def recall_options(engine: Engine, begun: Beginning, options: LoadOptions) -> tuple[LoadOptions, RememberedOptions | None]:
    """Complete options by those remembered for files of this kind; options that are given come first.

    Raises: TransientError when the database is away; FileFormatError for a place set that there isn't.
    """
    find_places = partial(fetch_places, engine)
    options = attach_places(options, find_places)
    return complete_options(begun, options, fetch=partial(fetch_remembered, engine), find_places=find_places)


def fetch_remembered(engine: Engine, header_hashes: Sequence[str]) -> Mapping[str, Any] | None:
    """Return the options remembered last for one of these headers, None where there are none. Raises: TransientError."""
    with transaction(engine) as connection:
        row = execute(connection, "fetch_reading", header_hashes=list(header_hashes)).mappings().one_or_none()
    return {**row, "said_at": row["said_at"].isoformat()} if row else None


def complete_options(
    begun: Beginning,
    options: LoadOptions,
    *,
    fetch: Callable[[Sequence[str]], Mapping[str, Any] | None],
    find_places: FindPlaces,
) -> tuple[LoadOptions, RememberedOptions | None]:
    """Complete options by those that fetch finds for the file's headers."""
    if not options.as_last_time or not begun.headers:
        return options, None
    row = fetch(list(begun.headers.values()))
    if row is None:
        return options, None
    completed = _complete(options, row["options"])
    try:
        completed = attach_places(completed, find_places)
        is_open = begun.detect(completed, from_history=True).time.date_order is None
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
    return completed, RememberedOptions(row["header_hash"], row["load_id"], row["said_at"], row["options"], applied)


def forget_options(engine: Engine, header_hash: str) -> None:
    """Delete the options remembered for files of a kind. Raises: NotFoundError."""
    with transaction(engine) as connection:
        if execute(connection, "delete_reading", header_hash=header_hash).first() is None:
            raise NotFoundError("Nothing is remembered for files of this kind.")


def _complete(options: LoadOptions, remembered: Mapping[str, Any]) -> LoadOptions:
    values = {
        name: remembered[name]
        for name in READING_OPTIONS
        if name not in ("roles", "date_order") and name in remembered and getattr(options, name) is None
    }
    given = {_end_of(role) for role in options.roles}
    roles = {role: column for role, column in remembered.get("roles", {}).items() if not given & _ends_of(role)}
    return replace(options, **values, roles={**roles, **options.roles})


def _end_of(role: str) -> str:
    return role.partition("_")[0]


def _ends_of(role: str) -> set[str]:
    return {"route", "origin", "destination"} if role == "route" else {_end_of(role), *(("route",) if "itude" in role else ())}
