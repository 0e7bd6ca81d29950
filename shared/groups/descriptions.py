"""Descriptions: means, days and names of selected trip groups, merged from partials.

Some trips of a group are read from blocks, others from the table of trips: each partial describes its part of the trips.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl
from sqlalchemy import Connection

from shared.domain.position import format_geohash
from shared.gazetteer.cell_names import name_cells
from shared.groups.question import GroupQuestion, TripGroup
from shared.index.snapshot import Reader
from shared.index.trip_areas import area_parameters
from shared.services.database import execute, preferring_indexes

KEY: Final = ("region", "origin", "destination", "bucket")
"""Columns of selected groups before trips: region id, origin and destination cell, number of the bucket in the day."""

_ENDS: Final = ("origin_longitude", "origin_latitude", "destination_longitude", "destination_latitude")

Names = Mapping[bool, Mapping[int, str]]
"""Names by id, of regions (True) and datasources."""


@dataclass(frozen=True, slots=True)
class Partial:
    """Some trips of a selected group. number: index of the group. sums: of the ends' coordinates, in degrees."""

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


def group_parameters(reader: Reader, question: GroupQuestion, *, loads: Sequence[int] | None) -> dict[str, object]:
    """Parameters of all queries about a question's groups. loads: whose trips they read (None: all)."""
    return {
        **reader.trips.name_parameters,
        **area_parameters(reader.connection, question.grid_area, question.end, loads=loads),
        "hours": question.hours,
        "cell_shift": question.cell_shift,
        "bucket_minutes": question.bucket_minutes,
    }


def read_partials(
    connection: Connection, parameters: Mapping[str, object], selected: pl.DataFrame, *, loads: Sequence[int] | None
) -> Iterator[Partial]:
    """Yield partials from the trips of some loads (None: of all)."""
    if loads is not None and not loads:
        return
    keys = {f"{name}s": selected[name].to_list() for name in KEY}
    with preferring_indexes(connection):
        rows = execute(connection, "describe_groups", **parameters, **keys, described_loads=loads).all()
    for row in rows:
        sums = [getattr(row, name) for name in _ENDS]
        yield Partial(row.number, row.trips, sums, row.first_on, row.last_on, row.datasource_ids)


def describe_groups(
    question: GroupQuestion, selected: pl.DataFrame, partials: Iterable[Partial], *, names: Names
) -> list[TripGroup]:
    """Merge the partials of the selected groups. Each group must have one."""
    found: list[list[Partial]] = [[] for _ in range(selected.height)]
    for partial in partials:
        found[partial.number].append(partial)
    place_names = [name_cells(selected[end].to_numpy(), question.cell_shift) for end in ("origin", "destination")]
    return [
        TripGroup(
            region=names[True][region],
            origin_cell=format_geohash(origin, question.precision),
            origin_name=origin_name,
            destination_cell=format_geohash(destination, question.precision),
            destination_name=destination_name,
            bucket_minute=bucket * question.bucket_minutes,
            trips=trips,
            **_find_means(parts),
            first_on=min(partial.first_on for partial in parts),
            last_on=max(partial.last_on for partial in parts),
            datasources=tuple(sorted({names[False][number] for partial in parts for number in partial.datasource_ids})),
        )
        for (region, origin, destination, bucket, trips), parts, origin_name, destination_name in zip(
            selected.iter_rows(), found, *place_names, strict=True
        )
    ]


def _find_means(partials: Sequence[Partial]) -> dict[str, Any]:
    trips = sum(partial.trips for partial in partials)
    return {name: sum(partial.sums[end] for partial in partials) / trips for end, name in enumerate(_ENDS)}
