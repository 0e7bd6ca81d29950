"""WKB: points and lines in the binary form of PostGIS and GeoParquet, without a Python step per row.

Source: OGC 06-103r4, section 8; PostGIS's extension of it (flags for Z, M and SRID in the type's high bits).
"""

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from loader.formats.coordinates.degrees import Coordinates
from loader.formats.text.numbers import Floats
from loader.formats.text.records import Mask, Offsets

_POINT, _LINE, _MULTI_POINT = 1, 2, 4
_HEADER = 5  # bytes: order and type
_HAS_Z, _HAS_M, _HAS_SRID = 0x80000000, 0x40000000, 0x20000000
_FLAGS = _HAS_Z | _HAS_M | _HAS_SRID
_SHORTEST = 21  # bytes of a point: order, type, longitude, latitude


def parse_wkb(values: pl.Series) -> tuple[Coordinates, Coordinates]:
    """Parse a column of WKB of either byte order; gives the first and the last point of each (the same of a point).

    NaN where unreadable, and of several points unless they are two.
    """
    strings = values.to_arrow().cast(pa.large_binary())
    _, offsets_buffer, data_buffer = strings.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64)[strings.offset : strings.offset + len(values) + 1]
    # Bytes at the end, so that a place beyond the last value can be read, and thrown away.
    data = np.frombuffer(bytes(data_buffer or b"") + bytes(_SHORTEST), np.uint8)
    starts, sizes = offsets[:-1], np.diff(offsets)
    order = data[np.minimum(starts, len(data) - 1)]
    is_big = order == 0
    kind = np.where(sizes >= _SHORTEST, _read_integers(data, starts + 1, is_big), 0)
    shape, extra = (kind & ~_FLAGS) % 1000, (kind & ~_FLAGS) // 1000
    is_pair, is_single = shape == _MULTI_POINT, shape == _POINT
    dimensions = 2 + ((kind & _HAS_Z) > 0) + ((kind & _HAS_M) > 0) + (extra > 0) + (extra == 3)
    body = starts + 5 + 4 * ((kind & _HAS_SRID) > 0)
    count = np.where(is_single, 1, _read_integers(data, body, is_big))
    step = 8 * dimensions + _HEADER * is_pair
    body = body + 4 * ~is_single
    fits = (order <= 1) & np.where(is_pair, count == 2, is_single | (shape == _LINE)) & (count >= 1)
    fits &= body + step * count <= starts + sizes
    first = body + _HEADER * is_pair
    last = np.where(fits, first + step * (count - 1), 0)
    return _read_ends(data, first, fits, is_big=is_big), _read_ends(data, last, fits, is_big=is_big)


def _read_ends(data: npt.NDArray[np.uint8], places: Offsets, fits: Mask, *, is_big: Mask) -> Coordinates:
    axes: list[Floats] = []
    for step in (0, 8):
        eight = _gather(data, places + step, 8)
        values = np.where(is_big, eight.view(">f8").ravel(), eight.view("<f8").ravel())
        axes.append(np.where(fits & np.isfinite(values), values, np.nan))
    return Coordinates(*axes)


def _read_integers(data: npt.NDArray[np.uint8], places: Offsets, is_big: Mask) -> Offsets:
    four = _gather(data, places, 4)
    return np.where(is_big, four.view(">u4").ravel(), four.view("<u4").ravel()).astype(np.int64)


def _gather(data: npt.NDArray[np.uint8], places: Offsets, size: int) -> npt.NDArray[np.uint8]:
    windows = np.lib.stride_tricks.sliding_window_view(data, size)
    return np.ascontiguousarray(windows[np.clip(places, 0, len(windows) - 1)])
