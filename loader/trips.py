"""Trips: a parsed batch as the numbers that are stored, and those numbers as COPY rows."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from sqlalchemy import Engine

from loader.copying import EPOCH_US, Bytes, drop_nulls, encode_rows
from loader.labels import LabelColumn, Labels
from shared.position import Positions, encode_positions

# Of duration_s in a row of copy_trip: behind the field count, three 8-byte columns and one of 4 bytes, each with its length.
_DURATION_OFFSET: Final = 2 + 3 * 12 + 8


@dataclass(frozen=True)
class TripColumns:
    """A batch's trips, sorted by origin. duration_s: None where none is known.

    Shape: one entry per trip each. Units: microseconds from 1970. Clock: local wall clock.
    """

    started_us: npt.NDArray[np.int64]
    origin: Positions
    destination: Positions
    region: LabelColumn
    datasource: LabelColumn
    duration_s: pl.Series | None

    def __len__(self) -> int:
        return len(self.origin)


def sort_trips(trips: pl.DataFrame, labels: Labels, engine: Engine) -> TripColumns:
    """Encode a parsed batch's trips and sort them by origin. Raises: TerminalError when there are too many names."""
    origin = encode_positions(trips["origin_longitude"].to_numpy(), trips["origin_latitude"].to_numpy())
    order = np.argsort(origin)
    destination = encode_positions(trips["destination_longitude"].to_numpy(), trips["destination_latitude"].to_numpy())
    duration = trips["duration_s"]
    return TripColumns(
        trips["started_at"].to_physical().to_numpy()[order],
        origin[order],
        destination[order],
        labels.encode(engine, "region", trips["region"]).take(order),
        labels.encode(engine, "datasource", trips["datasource"]).take(order),
        None if duration.null_count() == len(duration) else duration.gather(order),
    )


def encode_trips(load_id: int, trips: TripColumns) -> Bytes:
    """COPY block for trip. Shape: flat bytes."""
    duration = trips.duration_s
    columns = {
        "started_at": ("i8", trips.started_us - EPOCH_US),
        "origin": ("i8", trips.origin),
        "destination": ("i8", trips.destination),
        "load_id": ("i4", load_id),
        "duration_s": ("i4", 0 if duration is None else duration.fill_null(0).to_numpy()),
        "region_id": ("i2", trips.region.ids[trips.region.codes]),
        "datasource_id": ("i2", trips.datasource.ids[trips.datasource.codes]),
    }
    rows = encode_rows(len(trips), columns)
    is_null = np.ones(len(trips), np.bool_) if duration is None else duration.is_null().to_numpy()
    return drop_nulls(rows, offset=_DURATION_OFFSET, width=4, is_null=is_null) if is_null.any() else rows.reshape(-1)
