"""What passes between detection, planning and parsing: options, the file's plan, slices and parsed batches. Plain JSON each."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self

from loader.formats.model.codecs import is_cut_as_stored
from loader.formats.model.dialect import Dialect
from loader.formats.model.inner_table import InnerTable
from loader.formats.model.options import RECORD_LIMIT_BYTES, AxisOrder, CoordinateUnit
from loader.formats.model.time_format import TimeFormat

Compression = Literal["none", "gzip", "zstd", "zip", "tar"]


@dataclass(frozen=True)
class FilePlan:
    """How one file is read. roles maps a role to a column's index from 0.

    is_seekable: slices are byte ranges of the object itself; otherwise of the stream that open_stream gives.
    axis_order: what comes first in points. is_exchanged: that is another than their form says, so that axes are exchanged.
    point_forms: of an end whose points are cells, the form. polyline_precision: digits behind the point in encoded polylines.
    places: the place set in which ends are looked up (detection/place_roles.py).
    table: what to read as CSV, where the file is none itself. member: of an archive, the one table to read.
    area is where trips are to be expected: west, south, east, north in degrees. footer and options complete the
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
    options: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    table: InnerTable | None = None
    is_exchanged: bool = False
    point_forms: Mapping[str, str] = field(default_factory=dict)
    polyline_precision: int = 5
    member: str | None = None
    places: Mapping[str, Any] | None = None

    @property
    def is_seekable(self) -> bool:
        """Whether a batch can be read by a ranged GET on the object."""
        return self.compression == "none" and self.table is None and is_cut_as_stored(self.dialect.encoding)

    @property
    def clock(self) -> Literal["as_written", "converted"]:
        """Whether start times are kept as written or converted to the load's time zone."""
        return "converted" if self.time.has_zone or self.time.kind.startswith("epoch") else "as_written"

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON."""
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
