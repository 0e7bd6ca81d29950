"""WKB: points and lines in the binary form of PostGIS and GeoParquet, without a Python step per row.

Source: OGC 06-103r4, section 8; PostGIS's extension of it (flags for Z, M and SRID in the type's high bits).
"""

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from loader.formats.ends import Ends
from loader.formats.numbers import Floats
from loader.formats.records import Mask, Positions

_POINT, _LINE = 1, 2
_HAS_Z, _HAS_M, _HAS_SRID = 0x80000000, 0x40000000, 0x20000000
_FLAGS = _HAS_Z | _HAS_M | _HAS_SRID
_SHORTEST = 21  # bytes of a point: order, type, longitude, latitude


def parse_wkb(values: pl.Series) -> tuple[Ends, Ends]:
    """Parse a column of little-endian WKB; gives the first and the last point of each (the same of a point).

    NaN where unreadable.
    """
    strings = values.to_arrow().cast(pa.large_binary())
    _, offsets_buffer, data_buffer = strings.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64)[strings.offset : strings.offset + len(values) + 1]
    # Bytes at the end, so that a place beyond the last value can be read, and thrown away.
    data = np.frombuffer(bytes(data_buffer or b"") + bytes(_SHORTEST), np.uint8)
    starts, sizes = offsets[:-1], np.diff(offsets)
    kind = np.where(sizes >= _SHORTEST, _read_integers(data, starts + 1), 0)
    shape, extra = (kind & ~_FLAGS) % 1000, (kind & ~_FLAGS) // 1000
    is_line = shape == _LINE
    dimensions = 2 + ((kind & _HAS_Z) > 0) + ((kind & _HAS_M) > 0) + (extra > 0) + (extra == 3)
    body = starts + 5 + 4 * ((kind & _HAS_SRID) > 0)
    count = np.where(is_line, _read_integers(data, body), 1)
    body = body + 4 * is_line
    fits = (data[np.minimum(starts, len(data) - 1)] == 1) & (is_line | (shape == _POINT)) & (count >= 1)
    fits &= body + 8 * dimensions * count <= starts + sizes
    last = body + 8 * dimensions * (count - 1)
    return _read_ends(data, body, fits), _read_ends(data, np.where(fits, last, 0), fits)


def _read_ends(data: npt.NDArray[np.uint8], places: Positions, fits: Mask) -> Ends:
    axes: list[Floats] = []
    for step in (0, 8):
        values = _gather(data, places + step, 8).view("<f8").ravel()
        axes.append(np.where(fits & np.isfinite(values), values, np.nan))
    return Ends(*axes)


def _read_integers(data: npt.NDArray[np.uint8], places: Positions) -> Positions:
    return _gather(data, places, 4).view("<u4").ravel().astype(np.int64)


def _gather(data: npt.NDArray[np.uint8], places: Positions, size: int) -> npt.NDArray[np.uint8]:
    windows = np.lib.stride_tricks.sliding_window_view(data, size)
    return np.ascontiguousarray(windows[np.clip(places, 0, len(windows) - 1)])
