"""Validation: which rows of a batch are trips, and why the others are not."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.formats.model.options import LoadOptions
from loader.formats.model.plan import FilePlan
from loader.formats.model.time_format import MISSING
from loader.formats.times.parser import Times
from loader.formats.validation.anomalies import count_warnings
from loader.formats.validation.column_source import Source
from loader.formats.validation.reject_details import explain_rejects
from loader.formats.validation.rules import find_good
from loader.formats.validation.typed_columns import read_columns


@dataclass(frozen=True)
class Validation:
    """A batch's good rows as trips; the row numbers of the bad ones, and the column, reason and value of each."""

    trips: pl.DataFrame
    bad_rows: npt.NDArray[np.int64]
    details: pl.DataFrame
    warnings: dict[str, int]


def validate_rows(source: Source, plan: FilePlan, options: LoadOptions) -> Validation:
    """Validate every row of a source.

    Shape: trips as TRIP_SCHEMA; details (column_name, reason, value), one row per bad row, in order.
    """
    columns = read_columns(source, plan, options)
    good = find_good(columns)
    trips = pl.DataFrame(
        {
            "started_at": pl.Series(columns.started.wall_us).cast(pl.Datetime("us")),
            "origin_longitude": columns.origin.longitude,
            "origin_latitude": columns.origin.latitude,
            "destination_longitude": columns.destination.longitude,
            "destination_latitude": columns.destination.latitude,
            "region": columns.region.text,
            "datasource": columns.datasource.text,
            "duration_s": _find_durations(columns.started, columns.ended),
        }
    )
    bad_rows = np.flatnonzero(~good)
    if len(bad_rows):
        trips = trips.filter(pl.Series(good))
    details = explain_rejects(source, plan, columns=columns, rows=bad_rows)
    is_zones = plan.places is not None and plan.places["is_zones"]
    warnings = count_warnings(columns, good, area=plan.area, is_zones=is_zones)
    return Validation(trips, bad_rows, details, warnings)


def _find_durations(started: Times, ended: Times | None) -> pl.Series:
    if ended is None:
        return pl.Series([None], dtype=pl.Int32).new_from_index(0, len(started.wall_us))
    known = (ended.exact_us != MISSING) & (started.exact_us != MISSING)
    seconds = (np.where(known, ended.exact_us, 0) - np.where(known, started.exact_us, 1)) // 1_000_000
    fits = pl.Series((seconds >= 0) & (seconds < 2**31))
    return pl.select(pl.when(fits).then(pl.Series(seconds))).to_series().cast(pl.Int32)
