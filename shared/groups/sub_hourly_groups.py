"""Sub-hourly groups: trip groups of parts of hours, counted from the trips of candidate groups of whole hours.

Segments and blocks store times in whole hours. Of the p equal parts of a group of t trips, the largest has at least t / p trips.
So the largest n groups of whole hours have n parts of at least t / p trips, t being the trips of the n-th. A group of fewer than
t / p trips has no part among the largest n, and its trips are not read.
"""

import math
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Final

import polars as pl

from shared.groups.descriptions import KEY, describe_groups, fetch_names, group_parameters, read_partials
from shared.groups.hourly_groups import find_last_row, list_largest
from shared.groups.question import MAX_LIMIT, GroupQuestion, TripGroup, parse_after
from shared.index.snapshot import Reader
from shared.services.database import execute, preferring_indexes

_HOUR_MINUTES: Final = 60
_AFTER: Final = ("trips", "region_id", "origin", "destination", "bucket")


def find_part_groups(reader: Reader, question: GroupQuestion, *, has_candidates: bool = True) -> list[TripGroup]:
    """Find the largest trip groups and describe them.

    has_candidates: groups of whole hours can be counted, so that only the trips of candidates are read. Raises: StaleError.
    """
    names, parameters = fetch_names(reader.connection), group_parameters(question, reader.trips)
    after = find_last_row(question, names[True]) or (None,) * len(_AFTER)
    # Groups of whole hours, whose times of day the question's times divide.
    whole_hours = replace(question, bucket_minutes=math.lcm(question.bucket_minutes, _HOUR_MINUTES), after=None, limit=MAX_LIMIT)
    candidates = None
    if has_candidates:
        candidates = _filter_candidates(
            question,
            list_largest(reader, whole_hours, regions=names[True]),
            whole_hours.bucket_minutes,
        )
    group_query = {
        **parameters,
        "candidate_minutes": whole_hours.bucket_minutes,
        **{f"candidate_{name}s": None if candidates is None else candidates[name].to_list() for name in KEY},
        **{f"after_{name}": value for name, value in zip(_AFTER, after, strict=True)},
        "limit": question.limit,
    }
    connection = reader.connection
    with nullcontext() if candidates is None and question.box is None else preferring_indexes(connection):
        rows = execute(connection, "list_groups", **group_query).all()
    groups: list[Any] = [tuple(row) for row in rows]
    selected = pl.DataFrame(groups, schema=dict.fromkeys((*KEY, "trips"), pl.Int64), orient="row")
    partials = [*read_partials(connection, parameters, selected, loads=None)]
    reader.check(has_read_all=True)
    return describe_groups(question, selected, partials, names=names)


def _filter_candidates(question: GroupQuestion, candidates: pl.DataFrame, candidate_minutes: int) -> pl.DataFrame | None:
    """Filter the groups of whole hours that may contain groups of the answer; None where others may contain some, too."""
    after = parse_after(question)
    # All parts of a group come after the last one of the former page if the group has fewer trips than that.
    later = candidates["trips"] if after is None else candidates["trips"].filter(candidates["trips"] < after[0])
    parts = candidate_minutes // question.bucket_minutes
    least = -(-later[question.limit - 1] // parts) if len(later) >= question.limit else 1
    if candidates.height == MAX_LIMIT and candidates["trips"][-1] >= least:
        return None
    return candidates.filter(candidates["trips"] >= least)
