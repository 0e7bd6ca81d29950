"""What passes between detection, planning and parsing: options, the file's plan, slices and parsed batches. Plain JSON each."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self, get_args

import polars as pl

from loader.formats.values.codec import is_codec, is_cut_as_stored
from loader.formats.values.number_times import NUMBER_KINDS, NumberKind
from shared.errors import RequestError
from shared.time_zones import parse_timezone

ROLES = (
    "origin",
    "destination",
    "origin_longitude",
    "origin_latitude",
    "destination_longitude",
    "destination_latitude",
    "route",
    "started_at",
    "started_time",
    "ended_at",
    "ended_time",
    "region",
    "datasource",
    "trip_id",
)

# In place of a column: the role is left empty, whatever detection finds for it.
NO_COLUMN = "-"

Compression = Literal["none", "gzip", "zstd", "zip", "tar"]
DateOrder = Literal["ymd", "mdy", "dmy"]
AxisOrder = Literal["lon_lat", "lat_lon"]
# Of one degree; a table with their values is in values/positions.py.
CoordinateUnit = Literal["degrees", "e7", "e6", "e5", "radians"]
TimeForm = Literal["text"] | NumberKind

# Longest record taken for one; longer ones are rejected. A quoted field may not be longer either, so that one lost
# quote can't swallow the file.
RECORD_LIMIT_BYTES = 2**20


@dataclass(frozen=True)
class LoadOptions:
    """What the caller wants; None leaves it to detection.

    roles maps a role (see ROLES) to a column's name, to its number from 1, or to NO_COLUMN. axis_order: what comes first in
    points. crs, coordinate_unit: the reference system of coordinates that are not WGS 84, the unit of those that are no degrees.
    time_form: what numbers in a column of times mean.
    sheet: of a workbook; of a JSON file the keys of the array with the records (`data.trips`).
    polyline_precision: digits behind the point in encoded polylines, 5 or 6.
    member: the one table of an archive to read, by its path or file name.
    as_last_time: what was said of a file of the same kind counts where nothing is said now.
    max_rejects, max_reject_share: more rejects fail the load; None leaves it to the settings.
    Clock: timezone is where values with an offset are converted to.
    """

    region: str | None = None
    datasource: str | None = None
    timezone: str = "UTC"
    roles: Mapping[str, str] = field(default_factory=dict)
    date_order: DateOrder | None = None
    time_form: TimeForm | None = None
    has_header: bool | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    axis_order: AxisOrder | None = None
    crs: str | None = None
    coordinate_unit: CoordinateUnit | None = None
    as_last_time: bool = True
    max_rejects: int | None = None
    max_reject_share: float | None = None
    record_limit_bytes: int = RECORD_LIMIT_BYTES
    sheet: str | None = None
    polyline_precision: int | None = None
    member: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the options as plain JSON."""
        return asdict(replace(self, roles=dict(self.roles)))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read options from JSON.

        Raises: RequestError naming the parameter that is unknown or unusable.
        """
        known = {item.name for item in fields(cls)}
        for name in document:
            if name not in known:
                raise RequestError(f"Unknown option {name!r}; known: {', '.join(sorted(known))}.", parameter=name)
        options = cls(**{name: value for name, value in document.items() if value is not None})
        _check_options(options)
        return options


def _check_options(options: LoadOptions) -> None:
    parse_timezone(options.timezone)
    if options.encoding is not None and not is_codec(options.encoding):
        raise RequestError(
            f"Unknown encoding {options.encoding!r}; use a name such as utf-8, windows-1250 or gb18030.", parameter="encoding"
        )
    if options.crs is not None:
        _check_crs(options.crs)
    for role in options.roles:
        if role not in ROLES:
            raise RequestError(f"Unknown role {role!r}; known: {', '.join(ROLES)}.", parameter="roles")
    if options.max_rejects is not None and options.max_rejects < 0:
        raise RequestError("max_rejects is a number of rows from 0.", parameter="max_rejects")
    if options.max_reject_share is not None and not 0 <= options.max_reject_share <= 1:
        raise RequestError("max_reject_share is a share from 0 to 1.", parameter="max_reject_share")
    choices: dict[str, tuple[str | int, ...]] = {
        "date_order": ("ymd", "mdy", "dmy"),
        "time_form": ("text", *NUMBER_KINDS),
        "delimiter": (",", ";", "\t", "|"),
        "decimal": (".", ","),
        "axis_order": ("lon_lat", "lat_lon"),
        "coordinate_unit": get_args(CoordinateUnit),
        "polyline_precision": (5, 6),
    }
    for name, allowed in choices.items():
        value = getattr(options, name)
        if value is not None and value not in allowed:
            raise RequestError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}.", parameter=name)


def _check_crs(name: str) -> None:
    from loader.formats.values.positions import parse_crs  # PROJ takes a tenth of a second, and few files need it

    try:
        parse_crs(name)
    except ValueError as error:
        raise RequestError(
            f"Unknown coordinate reference system {name!r}; use a code such as EPSG:32618 (UTM zone 18 North).", parameter="crs"
        ) from error


@dataclass(frozen=True)
class Dialect:
    """How bytes become records and fields. header_lines counts the physical lines before the first record.

    has_spaces: a quote opens a field also one space after the delimiter (`"a", "b"`). escape: `\\` where `\\"` is a quote inside
    a quoted field.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    decimal: str = "."
    has_spaces: bool = False
    has_header: bool = True
    header_lines: int = 1
    field_count: int = 2


@dataclass(frozen=True)
class TimeFormat:
    """How text becomes a time.

    date_order: yymd is year first with two digits; None while the values seen so far fit more than one order.
    clock: how a column of clocks beside one of dates is written (detection/clocks.py).
    """

    kind: TimeForm | Literal["unknown"] = "text"
    date_order: DateOrder | Literal["yymd"] | None = "ymd"
    has_zone: bool = False
    example: str = ""
    clock: str = "clock"


@dataclass(frozen=True)
class InnerTable:
    """A table inside a file of another format, which is read as CSV (see transcoding).

    name: the sheet, or the keys of the array (path) with dots between; empty where the records are all of the file.
    layout: how JSON records follow each other. keys: the dotted names of their fields; none where records are arrays.
    others: names of further tables in the file.
    """

    format: Literal["json", "workbook"]
    name: str = ""
    path: tuple[str, ...] = ()
    layout: Literal["lines", "values", "array", "sheet"] = "sheet"
    encoding: str = "utf-8"
    keys: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read it from JSON."""
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}
        return cls(**values)


@dataclass(frozen=True)
class FilePlan:
    """How one file is read. roles maps a role to a column's index from 0.

    is_seekable: slices are byte ranges of the object itself; otherwise of the stream that open_stream gives.
    axis_order: what comes first in points. is_exchanged: that is another than their form says, so that axes are exchanged.
    point_forms: of an end whose points are cells, the form. polyline_precision: digits behind the point in encoded polylines.
    table: what to read as CSV, where the file is none itself. member: of an archive, the one table to read.
    area is where trips are to be expected: west, south, east, north in degrees. footer and asked (the options) complete the
    plan of a Parquet file. notes: what detection has to say to a person.
    """

    kind: Literal["csv", "parquet"] = "csv"
    compression: Compression = "none"
    dialect: Dialect = field(default_factory=Dialect)
    columns: tuple[str, ...] = ()
    roles: Mapping[str, int] = field(default_factory=dict)
    confidence: Mapping[str, float] = field(default_factory=dict)
    time: TimeFormat = field(default_factory=TimeFormat)
    axis_order: AxisOrder = "lon_lat"
    crs: str | None = None
    coordinate_unit: CoordinateUnit | None = None
    area: tuple[float, float, float, float] | None = None
    record_limit_bytes: int = RECORD_LIMIT_BYTES
    footer: str | None = None
    asked: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    table: InnerTable | None = None
    is_exchanged: bool = False
    point_forms: Mapping[str, str] = field(default_factory=dict)
    polyline_precision: int = 5
    member: str | None = None

    @property
    def is_seekable(self) -> bool:
        """Whether a batch can be read by a ranged GET on the object."""
        return self.compression == "none" and self.table is None and is_cut_as_stored(self.dialect.encoding)

    @property
    def clock(self) -> Literal["as_written", "converted"]:
        """Whether start times are kept as written or converted to the load's time zone."""
        return "converted" if self.time.has_zone or self.time.kind.startswith("epoch") else "as_written"

    def to_json(self) -> dict[str, Any]:
        """Give the plan as plain JSON."""
        mappings: dict[str, Any] = {
            "roles": dict(self.roles),
            "confidence": dict(self.confidence),
            "point_forms": dict(self.point_forms),
        }
        lists = {"columns": list(self.columns), "notes": list(self.notes), "area": list(self.area) if self.area else None}
        return {**asdict(replace(self, **mappings)), **lists, "clock": self.clock}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read a plan from JSON."""
        known = {item.name for item in fields(cls)}
        values = {name: value for name, value in document.items() if name in known}
        values["dialect"] = Dialect(**values["dialect"])
        values["time"] = TimeFormat(**values["time"])
        values["table"] = InnerTable.from_json(values["table"]) if values.get("table") else None
        values["columns"] = tuple(values["columns"])
        values["notes"] = tuple(values.get("notes", ()))
        values["area"] = tuple(values["area"]) if values.get("area") else None
        return cls(**values)


@dataclass(frozen=True)
class BatchSlice:
    """One batch: bytes [offset, offset + bytes) and what lies before it. member is the file inside a zip archive.

    is_first: the slice opens with the header lines and a byte order mark, where there are any. In Parquet, rows from first_row
    on of one row_group.
    """

    batch_no: int
    offset: int
    bytes: int
    lines_before: int
    records_before: int
    is_first: bool = False
    member: str | None = None
    row_group: int | None = None
    first_row: int = 0
    rows: int = 0

    def to_json(self) -> dict[str, Any]:
        """Give the slice as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read a slice from JSON."""
        return cls(**document)


@dataclass
class ParsedBatch:
    """Verdict on every record of a batch: rows_read == trips.height + rejects.height.

    Shape: trips as TRIP_SCHEMA, rejects as REJECT_SCHEMA (schema.py). warnings counts odd trips that were kept.
    """

    trips: pl.DataFrame
    rejects: pl.DataFrame
    rows_read: int
    warnings: Mapping[str, int] = field(default_factory=dict)
