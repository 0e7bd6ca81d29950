"""Rollups: a batch's trips per week, region and datasource, as rows to append.

The counts must equal those of SQL over the same trips; loader/checks/consistency.py compares them.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from loader.storage.copy_rows import EPOCH_DAY, EPOCH_US, Bytes, Column, encode_rows
from loader.storage.trips import TripColumns

_DAY_US: Final = 86_400_000_000
_MONDAY: Final = 3  # days from the Monday before 1970-01-01 to that day, a Thursday
_LATEST: Final = 2**62
# Up to so many keys each has a slot: 1 ms a batch, against 12 ms to find the distinct ones first.
_DENSE: Final = 2**20

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Keys:
    """Week, region and datasource as one integer: (week - low) in front, then the codes of the two labels."""

    low: int
    spans: tuple[int, int, int]
    packed: Integers

    @classmethod
    def of(cls, trips: TripColumns) -> "_Keys":
        week = (trips.started_us // _DAY_US + _MONDAY) // 7
        low = int(week.min())
        spans = (int(week.max()) - low + 1, len(trips.region.ids), len(trips.datasource.ids))
        packed = ((week - low) * spans[1] + trips.region.codes) * spans[2] + trips.datasource.codes
        return cls(low, spans, packed)

    def unpack(self, packed: Integers) -> tuple[Integers, Integers, Integers]:
        """Monday in days from 2000, region's code, datasource's code."""
        rest, datasource = np.divmod(packed, self.spans[2])
        week, region = np.divmod(rest, self.spans[1])
        return (week + self.low) * 7 - _MONDAY - EPOCH_DAY, region, datasource


def encode_weeks(load_id: int, trips: TripColumns) -> Bytes:
    """COPY block for rollup_week. Shape: flat bytes; trips must not be empty."""
    keys = _Keys.of(trips)
    size = math.prod(keys.spans)
    if size <= _DENSE:
        distinct, codes = np.arange(size), keys.packed
    else:
        distinct, codes = np.unique(keys.packed, return_inverse=True)
    counts = np.bincount(codes, minlength=len(distinct))
    started = trips.started_us - EPOCH_US
    first_at, last_at = np.full(len(distinct), _LATEST), np.full(len(distinct), -_LATEST)
    np.minimum.at(first_at, codes, started)
    np.maximum.at(last_at, codes, started)
    used = np.flatnonzero(counts)
    monday, region, datasource = keys.unpack(distinct[used])
    columns = {
        "load_id": Column("i4", load_id),
        "week": Column("i4", monday),
        "region_id": Column("i2", trips.region.ids[region]),
        "datasource_id": Column("i2", trips.datasource.ids[datasource]),
        "trips": Column("i8", counts[used]),
        "first_at": Column("i8", first_at[used]),
        "last_at": Column("i8", last_at[used]),
    }
    return encode_rows(len(used), columns)
