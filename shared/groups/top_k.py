"""Top k: the largest of many counted rows."""

from collections.abc import Sequence

import polars as pl


def keep_largest(counted: pl.DataFrame, keys: Sequence[str], *, limit: int) -> pl.DataFrame:
    """Keep the rows with most trips, in order; ties in order of their keys. Shape: columns keys and trips."""
    if counted.height > limit:
        # Rows below the limit need not be sorted.
        counted = counted.filter(pl.col("trips") >= counted["trips"].top_k(limit).min())
    return counted.sort("trips", *keys, descending=[True, *[False] * len(keys)]).head(limit)
