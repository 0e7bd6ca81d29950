"""Largest: which of many counted things an answer shows."""

from collections.abc import Sequence

import polars as pl


def keep_largest(counted: pl.DataFrame, keys: Sequence[str], *, limit: int) -> pl.DataFrame:
    """Keep those with most trips in order, equal ones in order of their keys. Shape: keys, trips."""
    if counted.height > limit:
        # Most are smaller, and need not be sorted.
        counted = counted.filter(pl.col("trips") >= counted["trips"].top_k(limit).min())
    return counted.sort("trips", *keys, descending=[True, *[False] * len(keys)]).head(limit)
