"""Rollups: a batch's share of the trips per week, and of the trips per cell and week, as rows to append.

Whatever is counted here must equal what SQL counts over the same trips; loader/checking.py compares them.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.copying import EPOCH_DAY, EPOCH_US, ArrayPair, Bytes, Column, append_arrays, encode_rows
from loader.trips import TripColumns

# rollup_cell's cells are position >> 34: 14 bits an axis, about 2.4 by 1.2 km at the equator.
CELL_SHIFT: Final = 34

_DAY_US: Final = 86_400_000_000
_MONDAY: Final = 3  # days from the Monday before 1970-01-01 to that day, a Thursday
_DATE_OID, _INT4_OID = 1082, 23
_LATEST: Final = 2**62
_MANY_PAIRS: Final = 2**16
_DENSE: Final = 2**20

Integers = npt.NDArray[np.int64]


def encode_rollups(load_id: int, trips: TripColumns) -> tuple[Bytes, Bytes]:
    """COPY blocks for rollup_week and rollup_cell. Shape: flat bytes each; trips must not be empty."""
    week = (trips.started_us // _DAY_US + _MONDAY) // 7
    labels = _LabelPairs.of(trips)
    cells = [
        _encode_cells(load_id, labels, keys=(position >> CELL_SHIFT, labels.codes, week), is_origin=is_origin)
        for position, is_origin in ((trips.origin, True), (trips.destination, False))
    ]
    return _encode_weeks(load_id, labels, week=week, started=trips.started_us - EPOCH_US), np.concatenate(cells)


@dataclass(frozen=True)
class _LabelPairs:
    """Region and datasource as one column. Shape: codes per trip; the ids per code."""

    codes: Integers
    region_ids: npt.NDArray[np.int16]
    datasource_ids: npt.NDArray[np.int16]

    @classmethod
    def of(cls, trips: TripColumns) -> "_LabelPairs":
        many = len(trips.datasource.ids)
        pairs = np.arange(len(trips.region.ids) * many)
        codes = trips.region.codes.astype(np.int64) * many + trips.datasource.codes
        if len(pairs) > _MANY_PAIRS:
            pairs, codes = np.unique(codes, return_inverse=True)
        return cls(codes, trips.region.ids[pairs // many], trips.datasource.ids[pairs % many])

    def ids(self, codes: Integers) -> dict[str, tuple[str, Column]]:
        """Columns of the ids."""
        return {"region_id": ("i2", self.region_ids[codes]), "datasource_id": ("i2", self.datasource_ids[codes])}


def _encode_weeks(load_id: int, labels: _LabelPairs, *, week: Integers, started: Integers) -> Bytes:
    packing = _Packing.of(labels.codes, week)
    packed = packing.pack(labels.codes, week)
    # One place per possible key where those are few: 1 ms instead of 12 for finding the distinct ones first.
    keys, codes = (np.arange(packing.size), packed) if packing.size < _DENSE else np.unique(packed, return_inverse=True)
    counts = np.bincount(codes, minlength=len(keys))
    first_at, last_at = np.full(len(keys), _LATEST), np.full(len(keys), -_LATEST)
    np.minimum.at(first_at, codes, started)
    np.maximum.at(last_at, codes, started)
    used = np.flatnonzero(counts)
    label, monday = packing.unpack(keys[used])
    rows = encode_rows(
        len(used),
        {
            "load_id": ("i4", load_id),
            "week": ("i4", _to_monday(monday)),
            **labels.ids(label),
            "trips": ("i8", counts[used]),
            "first_at": ("i8", first_at[used]),
            "last_at": ("i8", last_at[used]),
        },
    )
    return rows.reshape(-1)


def _encode_cells(load_id: int, labels: _LabelPairs, *, keys: tuple[Integers, ...], is_origin: bool) -> Bytes:
    packing = _Packing.of(*keys)
    # Polars sorts 125,000 integers in 2.2 ms of processor time, numpy in 4.7; its group_by takes 8.
    packed = pl.Series(packing.pack(*keys)).sort().to_numpy()
    places = np.flatnonzero(np.concatenate(([True], packed[1:] != packed[:-1])))
    counts = np.diff(np.append(places, len(packed)))
    cell, label, week = packing.unpack(packed[places])
    firsts = np.flatnonzero(np.concatenate(([True], (cell[1:] != cell[:-1]) | (label[1:] != label[:-1]))))
    rows = encode_rows(
        len(firsts),
        {
            "load_id": ("i4", load_id),
            "cell": ("i4", cell[firsts]),
            **labels.ids(label[firsts]),
            "is_origin": ("i1", is_origin),
        },
        fields=7,
    )
    sizes = np.diff(np.append(firsts, len(cell)))
    return append_arrays(rows, ArrayPair(sizes, _to_monday(week), counts.astype(np.int32), (_DATE_OID, _INT4_OID)))


@dataclass(frozen=True)
class _Packing:
    """Several columns packed into one integer that sorts as they do.

    A cell has 28 bits, a week of the two centuries that are let in 14, and a batch has far fewer than 2^20 pairs of labels.
    """

    lows: tuple[int, ...]
    spans: tuple[int, ...]

    @classmethod
    def of(cls, *columns: Integers) -> "_Packing":
        lows = tuple(int(column.min()) for column in columns)
        spans = tuple(int(column.max()) - low + 1 for column, low in zip(columns, lows, strict=True))
        packing = cls(lows, spans)
        if packing.size >= 2**63:
            raise OverflowError(f"rollup keys don't fit: {spans}")
        return packing

    @property
    def size(self) -> int:
        """How many different keys there may be."""
        return math.prod(self.spans)

    def pack(self, *columns: Integers) -> Integers:
        """One integer per row."""
        packed = np.zeros(len(columns[0]), np.int64)
        for column, low, span in zip(columns, self.lows, self.spans, strict=True):
            packed *= span
            packed += column - low
        return packed

    def unpack(self, packed: Integers) -> list[Integers]:
        """The columns again."""
        columns = []
        for low, span in zip(reversed(self.lows), reversed(self.spans), strict=True):
            packed, column = np.divmod(packed, span)
            columns.append(column + low)
        return columns[::-1]


def _to_monday(week: Integers) -> npt.NDArray[np.int32]:
    return (week * 7 - _MONDAY - EPOCH_DAY).astype(np.int32)
