"""Unindexed groups: trip groups that the database selects, where so many trips are in no block that groups may be too many."""

from contextlib import nullcontext
from typing import Any, Final

import polars as pl

from shared.groups.descriptions import KEY, describe_groups, fetch_names, group_parameters, read_partials
from shared.groups.question import GroupQuestion, TripGroup, find_last_row
from shared.index.snapshot import Reader
from shared.services.database import execute, preferring_indexes

_AFTER: Final = ("trips", "region_id", "origin", "destination", "bucket")


def select_groups(reader: Reader, question: GroupQuestion) -> list[TripGroup]:
    """Find the largest trip groups and describe them, from all trips. Raises: StaleError."""
    connection, names = reader.connection, fetch_names(reader.connection)
    parameters = group_parameters(reader, question, loads=None)
    after = find_last_row(question, names[True]) or (None,) * len(_AFTER)
    first = {f"after_{name}": value for name, value in zip(_AFTER, after, strict=True)}
    with nullcontext() if question.area is None else preferring_indexes(connection):
        rows = execute(connection, "list_groups", **parameters, **first, limit=question.limit).all()
    groups: list[Any] = [tuple(row) for row in rows]
    selected = pl.DataFrame(groups, schema=dict.fromkeys((*KEY, "trips"), pl.Int64), orient="row")
    partials = [*read_partials(connection, parameters, selected, loads=None)]
    reader.check(has_read_all=True)
    return describe_groups(question, selected, partials, names=names)
