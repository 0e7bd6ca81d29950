"""Trips put straight into the database, rollups included, for tests that don't need the loader."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import numpy as np
from sqlalchemy import Connection

from shared.compaction.block_writer import make_batch_blocks
from shared.compaction.segment_copy import write_rows
from shared.compaction.segments import create_segment
from shared.domain.position import encode_position
from shared.index.layout import DURATION_CODES, number_day
from shared.index.stamps import make_stamp
from shared.services.database import driver_connection, execute
from shared.services.named_queries import query

Kinds = Literal["unindexed", "uncompacted", "compacted"]
KINDS: Final[tuple[Kinds, ...]] = ("unindexed", "uncompacted", "compacted")
"""Loads that are read trip by trip, through their batches' blocks, and through a run."""


@dataclass(frozen=True, slots=True)
class MadeTrip:
    started_at: datetime
    origin: int
    destination: int
    region: str = "Turin"
    datasource: str = "baba_car"
    duration_s: int | None = None


def insert_trips(
    connection: Connection, trips: Sequence[MadeTrip], *, kind: Kinds = "uncompacted", block_trips: int = 4_096
) -> int:
    """Insert one load of trips, sorted by origin, with what questions read of it; returns the load's id."""
    execute(connection, "insert_regions", load_id=None, names=sorted({trip.region for trip in trips}))
    execute(connection, "insert_datasources", load_id=None, names=sorted({trip.datasource for trip in trips}))
    regions = {row.name: row.region_id for row in connection.exec_driver_sql("select * from region")}
    datasources = {row.name: row.datasource_id for row in connection.exec_driver_sql("select * from datasource")}
    load_id: int = execute(
        connection, "insert_load", file_name="made", object_key="made", object_etag="made", bytes_total=0, options={}
    ).scalar_one()
    with driver_connection(connection).cursor().copy(query("copy_trip")) as copy:
        copy.set_types(["timestamp", "int8", "int8", "int4", "int4", "int2", "int2"])
        for trip in sorted(trips, key=lambda trip: trip.origin):
            ids = (load_id, trip.duration_s, regions[trip.region], datasources[trip.datasource])
            copy.write_row((trip.started_at, trip.origin, trip.destination, *ids))
    make_rollups(connection, load_id)
    if kind == "uncompacted" and trips:
        ends = (np.array([getattr(trip, end) for trip in trips]) for end in ("origin", "destination"))
        stamps = np.array([_stamp(trip, regions, datasources) for trip in trips])
        durations = np.array([_encode_duration(trip.duration_s) for trip in trips])
        rows = make_batch_blocks(*ends, stamps, durations=durations, block_trips=block_trips)
        write_rows(connection, "copy_batch_block", ((load_id, *row) for row in rows))
    connection.exec_driver_sql(
        """
        update load set state = 'succeeded', rows_read = %(rows)s, rows_loaded = %(rows)s, finished_at = now(),
               rows_in_blocks = %(rows_in_blocks)s
        where load_id = %(load_id)s
        """,
        {"load_id": load_id, "rows": len(trips), "rows_in_blocks": len(trips) if kind == "uncompacted" else 0},
    )
    if kind == "compacted":
        create_segment(connection, [load_id], len(trips))
    return load_id


def _stamp(trip: MadeTrip, regions: dict[str, int], datasources: dict[str, int]) -> int:
    minute = (number_day(trip.started_at.date()) * 24 + trip.started_at.hour) * 60 + trip.started_at.minute
    stamp: int = make_stamp(minute, regions[trip.region], datasources[trip.datasource])
    return stamp


def _encode_duration(duration_s: int | None) -> int:
    return 0 if duration_s is None else min(1 + duration_s // 60, DURATION_CODES - 1)


def make_rollups(connection: Connection, load_id: int) -> None:
    """Write the rollups of a load's trips."""
    connection.exec_driver_sql(
        """
        insert into rollup_week (load_id, week, region_id, datasource_id, trips, first_at, last_at)
        select load_id, date_trunc('week', started_at), region_id, datasource_id, count(*), min(started_at), max(started_at)
        from trip where load_id = %(load_id)s group by 1, 2, 3, 4
        """,
        {"load_id": load_id},
    )


def read_challenge(path: Path) -> list[MadeTrip]:
    """Read a file of the challenge's own format, plainly."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_parse_row(row) for row in csv.DictReader(file)]


def _parse_row(row: dict[str, str]) -> MadeTrip:
    origin, destination = (
        encode_position(*_parse_point(row[name].removeprefix("POINT (").removesuffix(")").split()))
        for name in ("origin_coord", "destination_coord")
    )
    return MadeTrip(datetime.fromisoformat(row["datetime"]), origin, destination, row["region"], row["datasource"])


def _parse_point(parts: Iterable[str]) -> tuple[float, float]:
    longitude, latitude = (float(part) for part in parts)
    return longitude, latitude
