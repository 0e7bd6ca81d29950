"""Top k: the largest of many counted rows."""

from collections.abc import Sequence

import polars as pl

from shared.platform.arrays import Numbers


class TopK:
    """The k rows with most trips of those that were added, in order; ties in order of their keys.

    Shape: rows has the columns keys and trips.
    """

    def __init__(self, keys: Sequence[str], *, limit: int, after: Sequence[int] | None = None) -> None:
        """Keep limit rows. after: trips and keys of the last row of the former page; only rows after it are kept."""
        self._keys = keys
        self._limit = limit
        self._after = after
        self.rows = pl.DataFrame(schema=dict.fromkeys((*keys, "trips"), pl.Int64))

    def add(self, keys: Sequence[Numbers], trips: Numbers) -> None:
        """Add rows that have all their trips. Shape: n each."""
        if self.rows.height == self._limit:
            # Of fine cells most rows have one trip, as the last of the largest may have: numpy drops them four times as fast.
            *last, floor = self.rows.row(-1)
            is_before = (keys[0] < last[0]) | (keys[0] == last[0]) & (keys[1] <= last[1])
            selected = (trips > floor) | (trips == floor) & is_before
            keys, trips = [key[selected] for key in keys], trips[selected]
        counted = pl.DataFrame(dict(zip((*self._keys, "trips"), (*keys, trips), strict=True)))
        if self._after is not None:
            counted = counted.filter(_is_later(self._keys, self._after))
        self.rows = _keep_largest(pl.concat([self.rows, counted]), self._keys, limit=self._limit)


def _keep_largest(counted: pl.DataFrame, keys: Sequence[str], *, limit: int) -> pl.DataFrame:
    if counted.height > limit:
        # Rows below the limit need not be sorted.
        counted = counted.filter(pl.col("trips") >= counted["trips"].top_k(limit).min())
    return counted.sort("trips", *keys, descending=[True, *[False] * len(keys)]).head(limit)


def _is_later(keys: Sequence[str], after: Sequence[int]) -> pl.Expr:
    trips, *values = after
    later = pl.lit(value=False)
    for name, value in reversed([*zip(keys, values, strict=True)]):
        later = (pl.col(name) > value) | ((pl.col(name) == value) & later)
    return (pl.col("trips") < trips) | ((pl.col("trips") == trips) & later)
