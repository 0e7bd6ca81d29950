"""The row schema, declared once: a trip's fields, their ranges, and the rules that reject a row.

Good rows cost one comparison per field (`find_good`). Bad rows are tested rule by rule (`RULES`, see reject_details.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import polars as pl

from loader.formats.coordinates.degrees import Coordinates
from loader.formats.model.reject_reasons import Reason
from loader.formats.model.time_format import MISSING
from loader.formats.text.numbers import Floats
from loader.formats.text.records import Mask
from loader.formats.times.parser import Times

TRIP_SCHEMA: Mapping[str, pl.DataType] = {
    "started_at": pl.Datetime("us"),
    "origin_longitude": pl.Float64(),
    "origin_latitude": pl.Float64(),
    "destination_longitude": pl.Float64(),
    "destination_latitude": pl.Float64(),
    "region": pl.Enum([]),  # of the batch's names
    "datasource": pl.Enum([]),
    "duration_s": pl.Int32(),
}
REJECT_SCHEMA: Mapping[str, pl.DataType] = {
    "line_in_batch": pl.Int64(),
    "record_in_batch": pl.Int64(),
    "column_name": pl.String(),
    "reason": pl.String(),
    "value": pl.String(),
    "raw": pl.String(),
}

LONGITUDE_LIMIT_DEG = 180.0
LATITUDE_LIMIT_DEG = 90.0
# A trip before motor cars or a lifetime ahead is a clock gone wrong, not a trip.
STARTED_AT = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC))
STARTED_AT_US = tuple(int(moment.timestamp()) * 1_000_000 for moment in STARTED_AT)
NAME_LIMIT = 200  # characters of a region's or datasource's name


@dataclass(frozen=True)
class Names:
    """A column of names, cleaned, as an enum of those; the masks are None where no name is too long or undecodable."""

    text: pl.Series
    is_too_long: Mask | None = None
    is_undecodable: Mask | None = None


@dataclass(frozen=True)
class Columns:
    """A batch's fields as values. Shape: one value per row each."""

    origin: Coordinates
    destination: Coordinates
    started: Times
    ended: Times | None
    region: Names
    datasource: Names

    def __len__(self) -> int:
        return len(self.started.wall_us)


def find_good(columns: Columns) -> Mask:
    """Return which rows are trips."""
    good = (columns.started.wall_us >= STARTED_AT_US[0]) & (columns.started.wall_us < STARTED_AT_US[1])
    for ends in (columns.origin, columns.destination):
        good &= is_in_range(ends)
        good &= (ends.longitude != 0) | (ends.latitude != 0)
    for names in (columns.region, columns.datasource):
        for is_bad in (names.is_too_long, names.is_undecodable):
            if is_bad is not None:
                good &= ~is_bad
    return good


def is_in_range(ends: Coordinates) -> Mask:
    """Return which ends are positions on Earth; NaN is none."""
    inside: Mask = (np.abs(ends.longitude) <= LONGITUDE_LIMIT_DEG) & (np.abs(ends.latitude) <= LATITUDE_LIMIT_DEG)
    return inside


@dataclass(frozen=True)
class Subject:
    """What a rule looks at: one end, the start or the names of the failing rows.

    Shape: fields are column indexes; each list of masks has one mask per field, each mask one entry per row.
    """

    fields: list[int]
    missing: list[Mask]
    unreadable: list[Mask]
    outside: list[Mask]
    null_island: list[Mask]
    unknown_place: list[Mask] = field(default_factory=list)


@dataclass(frozen=True)
class Rule:
    """One reason to reject a row: the reason, what it is about, and the test per field of that subject."""

    reason: Reason
    subject: str
    test: Callable[[Subject], list[Mask]]


def _rules_of_end(name: str) -> tuple[Rule, ...]:
    return (
        Rule(Reason(f"{name}_missing"), name, lambda subject: subject.missing),
        Rule(Reason(f"{name}_unknown_place"), name, lambda subject: subject.unknown_place),
        Rule(Reason(f"{name}_unreadable"), name, lambda subject: subject.unreadable),
        Rule(Reason(f"{name}_out_of_range"), name, lambda subject: subject.outside),
        Rule(Reason(f"{name}_null_island"), name, lambda subject: subject.null_island),
    )


RULES: tuple[Rule, ...] = (
    *_rules_of_end("origin"),
    *_rules_of_end("destination"),
    Rule(Reason.STARTED_AT_MISSING, "started_at", lambda subject: subject.missing),
    Rule(Reason.STARTED_AT_UNREADABLE, "started_at", lambda subject: subject.unreadable),
    Rule(Reason.STARTED_AT_OUT_OF_RANGE, "started_at", lambda subject: subject.outside),
    Rule(Reason.FIELD_TOO_LONG, "names", lambda subject: subject.outside),
    Rule(Reason.UNDECODABLE_TEXT, "names", lambda subject: subject.unreadable),
)


def is_outside_earth(degrees: Floats, limit_deg: float) -> Mask:
    """Return which coordinates are read but beyond the limit."""
    outside: Mask = np.abs(degrees) > limit_deg
    return outside


def is_outside_years(times: Times) -> Mask:
    """Return which start times are read but lie outside STARTED_AT."""
    wall = times.wall_us
    outside: Mask = (wall != MISSING) & ((wall < STARTED_AT_US[0]) | (wall >= STARTED_AT_US[1]))
    return outside
