"""Options: what a caller says about how a file is read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from loader.formats.model.codecs import is_codec
from loader.formats.model.time_format import NUMBER_KINDS, DateOrder, TimeForm
from shared.domain.time_zones import parse_timezone
from shared.platform.errors import RequestError

if TYPE_CHECKING:
    from loader.formats.model.places import PlaceLookup

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
    "origin_place",
    "destination_place",
    "count",
)


# No column has it: left empty, it says that a row is one trip, whatever a column counts.
COUNT_ROLE = "count"


# In place of a column: the role is left empty, whatever detection finds for it.
NO_COLUMN = "-"


AxisOrder = Literal["lon_lat", "lat_lon"]


# Of one degree; a table with their values is in coordinates/reprojection.py.
CoordinateUnit = Literal["degrees", "e7", "e6", "e5", "radians"]


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
    places: the place set, by name or id, that knows the ids or names of the ends; place_lookup: that set, no part of the JSON.
    member: the one table of an archive to read, by its path or file name.
    as_last_time: options remembered for files of the same kind apply where none are given.
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
    places: str | None = None
    place_lookup: "PlaceLookup | None" = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return the options as plain JSON."""
        document = asdict(replace(self, roles=dict(self.roles), place_lookup=None))
        del document["place_lookup"]
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read options from JSON.

        Raises: RequestError naming the parameter that is unknown or unusable.
        """
        known = {item.name for item in fields(cls)} - {"place_lookup"}
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
    _check_roles(options)
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


def _check_roles(options: LoadOptions) -> None:
    for role in options.roles:
        if role not in ROLES:
            raise RequestError(f"Unknown role {role!r}; known: {', '.join(ROLES)}.", parameter="roles")
        if role == COUNT_ROLE and options.roles[role] != NO_COLUMN:
            raise RequestError("Trips are loaded one by one: count takes no column, only -.", parameter="roles")
        if role.endswith("_place") and options.places is None:
            raise RequestError(
                f"The role {role} needs the place set that knows the column: give places (--places).", parameter="places"
            )


def _check_crs(name: str) -> None:
    from loader.formats.model.crs import parse_crs

    try:
        parse_crs(name)
    except ValueError as error:
        raise RequestError(
            f"Unknown coordinate reference system {name!r}; use a code such as EPSG:32618 (UTM zone 18 North).", parameter="crs"
        ) from error
