"""Trip groups of parts of hours: runs and blocks know hours only, but they tell in which groups of whole hours the largest are.

Of the equal parts of a group's time of day one has at least the mean of their trips. So the largest n groups of whole hours have
n parts of that many trips, and no group of fewer trips has a part among the largest n: only the trips of the others are read.
"""

import math
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Final

import polars as pl
from sqlalchemy import Connection

from shared.groups.descriptions import KEY, describe_groups, fetch_names, group_parameters, read_shares
from shared.groups.hourly_groups import find_known, list_largest
from shared.groups.question import MAX_LIMIT, GroupQuestion, TripGroup, parse_after
from shared.index.snapshot import Filters, StaleError
from shared.services.database import execute, preferring_indexes

_HOUR_MINUTES: Final = 60
_AFTER: Final = ("trips", "region_id", "origin", "destination", "bucket")


def find_part_groups(
    connection: Connection, question: GroupQuestion, filters: Filters, *, knows_hosts: bool = True
) -> list[TripGroup]:
    """Find the largest trip groups by their trips, and describe them: by those of groups of whole hours, if runs know these.

    Raises: StaleError when loads were packed or undone since the filters were fetched.
    """
    names, parameters = fetch_names(connection), group_parameters(question, filters)
    after = find_known(question, names[True])
    known = (None,) * len(_AFTER) if after is None else (after[0], *after[1])
    # Groups of whole hours, whose times of day the question's divide.
    host = replace(question, bucket_minutes=math.lcm(question.bucket_minutes, _HOUR_MINUTES), after=None, limit=MAX_LIMIT)
    hosts = None
    if knows_hosts:
        hosts = _choose(question, list_largest(connection, host, filters, regions=names[True]), host.bucket_minutes)
    asked = {
        **parameters,
        "host_minutes": host.bucket_minutes,
        **{f"host_{name}s": None if hosts is None else hosts[name].to_list() for name in KEY},
        **{f"after_{name}": value for name, value in zip(_AFTER, known, strict=True)},
        "limit": question.limit,
    }
    with nullcontext() if hosts is None and question.box is None else preferring_indexes(connection):
        rows = execute(connection, "list_groups", **asked).all()
    if not rows[0].is_current:
        raise StaleError
    groups: list[Any] = [tuple(row)[1:] for row in rows if row.trips is not None]
    chosen = pl.DataFrame(groups, schema=dict.fromkeys((*KEY, "trips"), pl.Int64), orient="row")
    return describe_groups(question, chosen, read_shares(connection, parameters, chosen, loads=None), names=names)


def _choose(question: GroupQuestion, hosts: pl.DataFrame, host_minutes: int) -> pl.DataFrame | None:
    """Choose of the largest groups of whole hours those that the answer's are among; None where there may be others."""
    after = parse_after(question)
    # All parts of a group of fewer trips than the known one has come after that.
    later = hosts["trips"] if after is None else hosts["trips"].filter(hosts["trips"] < after[0])
    parts = host_minutes // question.bucket_minutes
    least = -(-later[question.limit - 1] // parts) if len(later) >= question.limit else 1
    if hosts.height == MAX_LIMIT and hosts["trips"][-1] >= least:
        return None
    return hosts.filter(hosts["trips"] >= least)
