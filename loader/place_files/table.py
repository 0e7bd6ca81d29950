"""A place file as a table: a shape and a few texts per row, whatever the file's format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pyproj import CRS

from shared.platform.errors import FileFormatError

FEATURES_LIMIT: Final = 100_000
"""Places of a set: all census blocks of a large city; each is looked up in memory by workers."""
VERTICES_LIMIT: Final = 1_000_000
"""Vertices of a set: 16 MB in the database. New York's 263 taxi zones have 98,000."""
COLUMNS_LIMIT: Final = 1_000

Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True)
class PlaceOptions:
    """What the caller wants; None leaves it to detection. key, label: columns. layer: of a file of several."""

    key: str | None = None
    label: str | None = None
    crs: str | None = None
    layer: str | None = None

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "PlaceOptions":
        """Read options from JSON."""
        return cls(**document)


@dataclass(frozen=True)
class PlaceTable:
    """Rows of a file. Shape: one shape (shapely, None where there is none) and one text of each column per row.

    crs: as the file names it; None where it names none. layer: the one that was read, and others: those that were not.
    longitude, latitude: columns of a CSV that hold the points.
    """

    format: str
    shapes: Shapes
    columns: Mapping[str, list[str]]
    crs: CRS | None
    layer: str | None = None
    others: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def write_value(value: object) -> str:
    """An attribute as text: whole numbers without a fraction, nothing as an empty text."""
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)) and float(value).is_integer() and abs(float(value)) < 2**53:
        return str(int(value))
    return str(value).strip()


def is_none(values: Shapes) -> npt.NDArray[np.bool_]:
    """Return which values are None."""
    return np.array([value is None for value in values], np.bool_)


def check_counts(features: int, columns: int) -> None:
    """Raises: FileFormatError for more features or columns than a place set may have."""
    if features > FEATURES_LIMIT:
        raise FileFormatError(f"The file has more than {FEATURES_LIMIT:,} places. Divide it.", code="too_many_places")
    if columns > COLUMNS_LIMIT:
        raise FileFormatError(
            f"The file has more than {COLUMNS_LIMIT:,} columns: remove those that are not needed.", code="too_many_columns"
        )


def bad_file(message: str) -> FileFormatError:
    """Make the error for a file that can't be read as places."""
    return FileFormatError(message, code="bad_place_file")
