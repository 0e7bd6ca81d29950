"""Described groups: chosen trip groups with the means, days and names of their trips, put together from shares of those.

Some of a group's trips are known from blocks, others are read: each share says what its trips have.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl
from sqlalchemy import Connection

from shared.domain.position import format_geohash
from shared.domain.trip_end import area_parameters
from shared.groups.question import GroupQuestion, TripGroup
from shared.index.snapshot import Filters, StaleError
from shared.services.database import execute, preferring_indexes

KEY: Final = ("region", "origin", "destination", "bucket")
"""Columns of chosen groups before trips: a region's id, cells, and which of a day's buckets."""

_ENDS: Final = ("origin_longitude", "origin_latitude", "destination_longitude", "destination_latitude")

Names = Mapping[bool, Mapping[int, str]]
"""Names by id, of regions (True) and datasources."""


@dataclass(frozen=True, slots=True)
class Share:
    """Some trips of the group of that number among the chosen ones. sums: of the ends' coordinates, in degrees."""

    number: int
    trips: int
    sums: Sequence[float]
    first_on: date
    last_on: date
    datasource_ids: Iterable[int]


def fetch_names(connection: Connection) -> Names:
    """Fetch the names of regions and datasources."""
    names: dict[bool, dict[int, str]] = {True: {}, False: {}}
    for row in execute(connection, "list_label_names"):
        names[row.is_region][row.id] = row.name
    return names


def group_parameters(question: GroupQuestion, filters: Filters) -> dict[str, object]:
    """Make the parameters that queries about a question's groups share."""
    return {
        **filters.parameters,
        **area_parameters(question.box, question.end),
        "hours": question.hours,
        "cell_shift": question.cell_shift,
        "bucket_minutes": question.bucket_minutes,
    }


def read_shares(
    connection: Connection, parameters: Mapping[str, object], chosen: pl.DataFrame, *, loads: Sequence[int] | None
) -> Iterator[Share]:
    """Read what the trips of some loads (None: of all) have. Raises: StaleError."""
    keys = {f"{name}s": chosen[name].to_list() for name in KEY}
    with preferring_indexes(connection):
        rows = execute(connection, "describe_groups", **parameters, **keys, described_loads=loads).all()
    for row in rows:
        if not row.is_current:
            raise StaleError
        if row.number is not None:
            sums = [getattr(row, name) for name in _ENDS]
            yield Share(row.number, row.trips, sums, row.first_on, row.last_on, row.datasource_ids)


def describe_groups(question: GroupQuestion, chosen: pl.DataFrame, shares: Iterable[Share], *, names: Names) -> list[TripGroup]:
    """Put the chosen groups together. Each must have a share."""
    found: list[list[Share]] = [[] for _ in range(chosen.height)]
    for share in shares:
        found[share.number].append(share)
    return [
        TripGroup(
            region=names[True][region],
            origin_cell=format_geohash(origin, question.precision),
            destination_cell=format_geohash(destination, question.precision),
            bucket_minute=bucket * question.bucket_minutes,
            trips=trips,
            **_find_means(parts),
            first_on=min(share.first_on for share in parts),
            last_on=max(share.last_on for share in parts),
            datasources=tuple(sorted({names[False][number] for share in parts for number in share.datasource_ids})),
        )
        for (region, origin, destination, bucket, trips), parts in zip(chosen.iter_rows(), found, strict=True)
    ]


def _find_means(shares: Sequence[Share]) -> dict[str, Any]:
    trips = sum(share.trips for share in shares)
    return {name: sum(share.sums[end] for share in shares) / trips for end, name in enumerate(_ENDS)}
