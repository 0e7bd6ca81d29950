"""Trips: a parsed batch encoded as the numbers that are stored, and as COPY rows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.storage.copy_rows import EPOCH_US, Bytes, Column, encode_rows
from loader.storage.name_ids import LabelColumn, LabelMaker
from shared.domain.position import Positions
from shared.kernels.morton import encode_positions
from shared.kernels.radix_sort import order_numbers


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


def sort_trips(trips: pl.DataFrame, labels: LabelMaker) -> TripColumns:
    """Encode a parsed batch's trips and sort them by origin. Raises: TerminalError when there are too many names."""
    origin = encode_positions(trips["origin_longitude"].to_numpy(), trips["origin_latitude"].to_numpy())
    order = order_numbers(origin)
    destination = encode_positions(trips["destination_longitude"].to_numpy(), trips["destination_latitude"].to_numpy())
    duration = trips["duration_s"]
    return TripColumns(
        trips["started_at"].to_physical().to_numpy()[order],
        origin[order],
        destination[order],
        labels.encode("region", trips["region"]).take(order),
        labels.encode("datasource", trips["datasource"]).take(order),
        None if duration.null_count() == len(duration) else duration.gather(order),
    )


def encode_trips(load_id: int, trips: TripColumns) -> Bytes:
    """COPY block for trip. Shape: flat bytes."""
    columns = {
        "started_at": Column("i8", trips.started_us - EPOCH_US),
        "origin": Column("i8", trips.origin),
        "destination": Column("i8", trips.destination),
        "load_id": Column("i4", load_id),
        "duration_s": _make_duration(trips.duration_s),
        "region_id": Column("i2", trips.region.ids[trips.region.codes]),
        "datasource_id": Column("i2", trips.datasource.ids[trips.datasource.codes]),
    }
    return encode_rows(len(trips), columns)


def _make_duration(duration_s: pl.Series | None) -> Column:
    if duration_s is None:
        return Column("i4", None)
    is_null = duration_s.is_null().to_numpy() if duration_s.null_count() else None
    return Column("i4", duration_s.fill_null(0).to_numpy(), is_null)
