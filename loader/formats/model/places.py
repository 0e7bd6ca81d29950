"""A place set as loads look up ends in it: texts to positions, many at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from shared.domain.position import cell_middles

By = Literal["key", "name"]
Degrees = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PlaceLookup:
    """A place set. is_zones: trips lie at one point of a polygon each. tables: text, longitude, latitude by key and by name.

    A name that several places have is not looked up.
    """

    place_set_id: int
    name: str
    is_zones: bool
    places: int
    tables: Mapping[By, pl.DataFrame] = field(repr=False)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read it from JSON: place_set_id, name, is_zones; keys, names and positions of the places."""
        longitude, latitude = cell_middles(np.array(document["positions"], np.int64), 0)
        tables: dict[By, pl.DataFrame] = {
            "key": _make_table(document["keys"], longitude, latitude),
            "name": _make_table(document["names"], longitude, latitude),
        }
        return cls(document["place_set_id"], document["name"], document["is_zones"], len(longitude), tables)

    def find(self, texts: pl.Series, by: By) -> tuple[Degrees, Degrees]:
        """Return longitude and latitude of the places of these keys or names; NaN where there is none. Shape: as texts."""
        found = clean_texts(texts).to_frame("text").join(self.tables[by], on="text", how="left", maintain_order="left")
        longitude, latitude = (found[axis].fill_null(float("nan")).to_numpy() for axis in ("longitude", "latitude"))
        return longitude, latitude

    def count_share(self, texts: pl.Series, by: By) -> float:
        """Return the share of texts that are known."""
        return float(np.mean(~np.isnan(self.find(texts, by)[0]))) if len(texts) else 0.0


def clean_texts(texts: pl.Series) -> pl.Series:
    """Return ids as place sets have them: without blanks around, and without the fraction that programs give to whole numbers."""
    return texts.str.strip_chars(" \t").str.replace(r"^(-?\d+)\.0+$", "$1")


def _make_table(texts: Sequence[str], longitude: Degrees, latitude: Degrees) -> pl.DataFrame:
    cleaned = clean_texts(pl.Series("text", texts, dtype=pl.String))
    return pl.DataFrame({"text": cleaned, "longitude": longitude, "latitude": latitude}).unique("text", keep="none")
