"""What each call takes: one model an endpoint, for validation and for the OpenAPI document alike (questions: trip_params.py).

Path and query parameters of a call are one model; the names in the path say which is which.
"""

import re
import unicodedata
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from shared.platform.errors import RequestError

if TYPE_CHECKING:
    from loader.formats import LoadOptions

MAX_WAIT_S: Final = 55
"""Longest wait for a load's end: proxies break off a request that is silent for a minute."""
_MAX_ID: Final = 2**31 - 1
_MAX_NAME_CHARACTERS: Final = 200
# Characters that turn the text after them around, so that a name shows as another (CVE-2021-42574).
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def _validate_text(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cs") or character in _TURNING for character in text):
        raise ValueError("control characters aren't allowed.")
    return text


def _validate_file_name(text: str) -> str:
    name = text.replace("\\", "/").rpartition("/")[2].strip()
    if name in ("", ".", ".."):
        raise ValueError("a file name is needed, as in trips.csv.")
    return name


Id = Annotated[int, Field(ge=1, le=_MAX_ID)]
Name = Annotated[str, Field(min_length=1, max_length=_MAX_NAME_CHARACTERS), AfterValidator(_validate_text)]
FileName = Annotated[str, Field(max_length=255), AfterValidator(_validate_text), AfterValidator(_validate_file_name)]
State = Literal["queued", "planning", "loading", "succeeded", "failed", "cancelled", "undone"]
TableFormat = Literal["json", "csv", "parquet", "arrow"]
FORMAT: Final[Any] = Field(None, description="Form of the answer; without it the Accept header decides.")


class Params(BaseModel):
    """Parameters of a call; names that aren't known are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoParams(Params):
    """No parameters."""


class Table(Params):
    """The form of a table."""

    format: TableFormat | None = FORMAT


# Loads


class LoadParams(Params):
    """One load."""

    load_id: Id = Field(description="The load.")


class LoadsParams(Params):
    """A page of loads, newest first."""

    before: Id | None = Field(None, description="Loads older than this one.")
    limit: int = Field(50, ge=1, le=500, description="Loads a page.")
    state: State | None = Field(None, description="Loads in this state only.")


class RejectsParams(LoadParams):
    """A page of a load's rejects in file order; as CSV or as rows all of them."""

    after: int = Field(0, ge=0, le=2**53, description="Rejects after this record number.")
    limit: int = Field(100, ge=1, le=10_000, description="Rejects a page (JSON).")
    reason: str | None = Field(None, description="Rejects for this reason only.")
    format: Literal["json", "csv", "rows"] | None = Field(
        None,
        description="json; csv: the file's columns, then why each row failed; rows: header and records as they were. "
        "Without it the Accept header decides.",
    )


class Options(Params):
    """How to read a file, where detection needs help."""

    region: Name | None = Field(None, description="Region of all trips, for files without such a column.")
    datasource: Name | None = Field(None, description="Datasource of all trips, for files without such a column.")
    timezone: str | None = Field(
        None, description="Time zone that start times with an offset are converted to.", examples=["Europe/Prague"]
    )
    date_order: str | None = Field(None, description="Order of day, month and year: ymd, mdy or dmy.")
    time_form: str | None = Field(
        None,
        description="What numbers in a time column mean: digits (20240319081200), digits_yy (2403190812), digits_dmy "
        "(190320240812), digits_mdy, digits_dmyy (1903240812), digits_mdyy, epoch_s, epoch_ms, epoch_us, epoch_ns, epoch_min "
        "(minutes), epoch_2001_s, epoch_2001_ms, epoch_2001_us, epoch_2001_ns (since 2001, Apple), epoch_1960_s, "
        "epoch_1960_ms (since 1960, SAS and Stata), gps_s, gps_ms (GPS), ticks (.NET), filetime (Windows), webkit (Chrome), "
        "excel_1900, excel_1904 (days of a spreadsheet), julian; text: written.",
    )
    axis_order: str | None = Field(None, description="What comes first in points: lon_lat or lat_lon.")
    crs: str | None = Field(
        None, description="Reference system of coordinates that are not WGS 84, such as EPSG:32618.", examples=["EPSG:3857"]
    )
    coordinate_unit: str | None = Field(
        None, description="Unit of coordinates: degrees, e7 (degrees times 10,000,000), e6 (microdegrees), e5 or radians."
    )
    has_header: bool | None = Field(None, description="Whether the first record names the columns.")
    encoding: str | None = Field(
        None, description="Encoding of the text: utf-8, windows-1250, gb18030, or any other that Python has."
    )
    delimiter: str | None = Field(None, description="Character between fields: comma, semicolon, tab or bar.")
    decimal: str | None = Field(None, description="Decimal mark of numbers: point or comma.")
    sheet: str | None = Field(
        None, description="Sheet of a workbook, or the keys of the array with the records in a JSON file, such as data.trips."
    )
    places: Name | None = Field(
        None, description="Place set, by name or id, that knows the ids or names of the ends.", examples=["taxi zones"]
    )
    member: str | None = Field(None, description="Table of an archive to read, by its path or file name.")
    polyline_precision: int | None = Field(
        None, ge=5, le=6, description="Digits behind the point in encoded polylines: 5 (Google) or 6 (OSRM, Valhalla)."
    )
    max_rejects: int | None = Field(None, ge=0, le=2**53, description="More rejects fail the load, and nothing of it stays.")
    max_reject_share: float | None = Field(None, ge=0, le=1, description="The same as a share of the rows; judged at the end.")
    as_last_time: bool = Field(
        False, description="Whether options remembered for files of the same kind apply where none are given here."
    )

    def make(self, roles: dict[str, str]) -> "LoadOptions":
        """Make the loader's options. Raises: RequestError naming the parameter that can't be used."""
        from loader.formats import LoadOptions  # with polars a third of the hub's start

        given = {name: value for name in Options.model_fields if (value := getattr(self, name)) is not None}
        return LoadOptions.from_json({**given, "roles": roles})


class LoadOptionsBody(Options):
    """Options in a JSON body."""

    roles: dict[str, str] = Field(default_factory=dict, description="Role → column name, number from 1, or - for none.")


class RetryBody(Params):
    """What to do otherwise this time."""

    options: LoadOptionsBody = Field(
        default_factory=lambda: LoadOptionsBody.model_validate({}), description="Options that replace those of the load."
    )


class FileParams(Options):
    """A file and its options in a query string."""

    file_name: FileName = Field(description="The file's name.")
    map: list[str] = Field(default_factory=list, description="role=column, once for each role.", examples=[["started_at=pickup"]])

    def make_options(self) -> "LoadOptions":
        """Make the loader's options. Raises: RequestError."""
        pairs = [pair.partition("=") for pair in self.map]
        if not all(role and column for role, _, column in pairs):
            raise RequestError("map is role=column, as in started_at=pickup.", parameter="map")
        try:
            return self.make({role: column for role, _, column in pairs})
        except RequestError as error:
            raise RequestError(error.message, parameter="map" if error.parameter == "roles" else error.parameter) from error


class LoadFileParams(FileParams):
    """A file to load, sent as the request's body."""

    wait: int = Field(
        0, ge=0, le=2**31, description="Seconds to wait for the load's end before answering, 55 at most; true: as long as may be."
    )

    @field_validator("wait", mode="before")
    @classmethod
    def _read_wait(cls, given: object) -> object:
        return {"true": MAX_WAIT_S, "false": 0}.get(given, given) if isinstance(given, str) else given

    def count_wait_s(self, preferences: list[str]) -> int:
        """Seconds to wait: as the parameter says, else as the header Prefer does."""
        wanted = re.search(r"(?:^|[,;\s])wait=(\d{1,9})(?=$|[,;\s])", ",".join(preferences))
        return min(MAX_WAIT_S, self.wait or (int(wanted[1]) if wanted else 0))


class PlaceFileParams(Params):
    """A file of places, sent as the request's body."""

    file_name: FileName = Field(description="The file's name.")
    key: Name | None = Field(None, description="Column with the ids that trip files use.")
    label: Name | None = Field(None, description="Column with the names for people.")
    crs: str | None = Field(
        None, max_length=1000, description="Reference system, for files that name none or a wrong one.", examples=["EPSG:2263"]
    )
    layer: Name | None = Field(None, description="Layer of a file of several.")


class NewPlaceSetParams(PlaceFileParams):
    """A new place set from a file."""

    name: Name = Field(description="Name of the set.")
    added_by: Name | None = Field(None, description="Whoever adds it.")


class NewPlaceSetBody(Params):
    """A new place set for areas that are drawn."""

    name: Name = Field(description="Name of the set.")
    added_by: Name | None = Field(None, description="Whoever adds it.")


class PlaceSetParams(Params):
    """One place set."""

    place_set_id: Id = Field(description="The place set.")


class PlacesParams(PlaceSetParams):
    """The places of a set."""

    format: Literal["json", "geojson", "parquet"] | None = FORMAT


class RenameBody(Params):
    """Another name."""

    name: Name = Field(description="The new name.")


class DrawnPlaceParams(PlaceSetParams):
    """One area of a set that is drawn."""

    place_id: Id = Field(description="The area.")


class DrawnPlaceBody(Params):
    """An area."""

    name: Name = Field(description="Its name, which is its key.")
    geometry: dict[str, Any] = Field(description="A GeoJSON polygon or multipolygon in WGS 84.")


class ReadingParams(Params):
    """What is remembered for files of a kind."""

    header_hash: str = Field(pattern="^[0-9a-f]{32}$", description="As an inspection gives it in as_last_time.")


class InspectParams(FileParams):
    """The first bytes of a file, sent as the request's body."""

    is_whole: bool = Field(False, description="Whether the body is the whole file.")
    part: list[Annotated[str, Field(pattern=r"^\d{1,15}:\d{1,15}$")]] = Field(
        default_factory=list,
        description="Parts of a large Parquet file that make up the body, offset:bytes each, in its order.",
        examples=[["0:4", "90000000:5000"]],
    )
    bytes: int | None = Field(None, ge=1, le=2**53, description="The file's size, where parts of it are sent.")

    def list_parts(self) -> list[tuple[int, int]]:
        """Offset and bytes of each part. Raises: RequestError without the file's size."""
        if self.part and self.bytes is None:
            raise RequestError("Parts of a file need its size.", parameter="bytes")
        pairs = [part.partition(":") for part in self.part]
        return [(int(at), int(size)) for at, _, size in pairs]


# Feed


class FeedParams(Params):
    """From where to follow the feed."""

    last: int | None = Field(
        None, ge=0, le=2**53, description="Position of the last event seen; without it a snapshot comes first."
    )


class LoadFeedParams(FeedParams, LoadParams):
    """From where to follow one load."""


# Uploads


class NewUploadBody(Params):
    """A file to upload in parts."""

    file_name: FileName = Field(description="The file's name.")
    bytes: int = Field(ge=0, description="Its size.")


class UploadParams(Params):
    """One upload."""

    upload_id: UUID = Field(description="The upload.")


class PartsBody(Params):
    """Parts to sign."""

    part_numbers: list[Annotated[int, Field(ge=1, le=10_000)]] = Field(
        min_length=1, max_length=1000, description="Part numbers from 1."
    )


class CompleteBody(Params):
    """What to do with the file."""

    options: LoadOptionsBody = Field(default_factory=lambda: LoadOptionsBody.model_validate({}), description="How to read it.")


# Sources


class NewSourceBody(Params):
    """An address to read trip files from."""

    address: str = Field(
        min_length=1, max_length=2100, description="s3://bucket/prefix or https://host/path.", examples=["s3://drops/bikes/"]
    )
    options: LoadOptionsBody = Field(
        default_factory=lambda: LoadOptionsBody.model_validate({}), description="How its files are read."
    )
    is_watched: bool = Field(True, description="Whether it is listed again and again; false: once.")
    interval_s: int = Field(60, ge=5, le=31 * 86_400, description="Time between listings. Seconds.")
    on_drift: Literal["load", "refuse", "ask"] = Field(
        "ask", description="What happens to a file whose columns are not those that the source has had."
    )


class SourceParams(Params):
    """One source."""

    source_id: Id = Field(description="The source.")


class SourceObjectsParams(SourceParams):
    """A page of a source's objects."""

    after: int = Field(0, ge=0, le=2**53, description="Objects found after this one (source_object_id).")
    limit: int = Field(100, ge=1, le=1_000, description="Objects a page.")
    state: Literal["found", "loaded", "failed", "waiting", "refused", "changed"] | None = Field(
        None, description="Objects in this state only."
    )


class RetrySourceBody(Params):
    """What to read again."""

    source_object_id: int | None = Field(None, ge=1, le=2**53, description="This object only; else all that wait for a person.")


# Webhooks


class NewWebhookBody(Params):
    """An address that is to hear of the end of loads."""

    url: str = Field(max_length=2_000, description="Where messages are POSTed: https, or http to a private host that is allowed.")
    states: list[Literal["succeeded", "failed", "cancelled", "undone"]] = Field(
        default_factory=list, max_length=4, description="Ends that it hears of; all without it."
    )


class WebhookParams(Params):
    """One webhook."""

    webhook_id: Id = Field(description="The webhook.")


class DeliveriesParams(WebhookParams):
    """A page of deliveries, newest first."""

    before: int | None = Field(None, ge=1, le=2**53, description="Deliveries older than this one.")
    limit: int = Field(50, ge=1, le=500, description="Deliveries a page.")
