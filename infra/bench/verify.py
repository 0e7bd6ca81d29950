"""Verify a load of a generated file against the generator's own tally, and sampled rows against the trips."""

import random
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from loader.sample.generate import DATASOURCES, Tally
from shared.domain.position import encode_position
from shared.services.database import execute, transaction

_ROW: Final = re.compile(r"^(\w+),POINT \((\S+) (\S+)\),POINT \((\S+) (\S+)\),([^,]+),(\w+)$")
_LONGEST_ROW_BYTES: Final = 1_000


def list_differences(engine: Engine, load_id: int, tally: Tally) -> list[str]:
    """Compare a load's trips per week, region and datasource with what the file holds; one line per difference."""
    with transaction(engine) as connection:
        connection.exec_driver_sql("set local statement_timeout = 0")
        rows = execute(connection, "count_load_by_key", load_id=load_id)
        stored = {(row.region, row.datasource, row.week): row.trips for row in rows}
    expected = {
        (region, DATASOURCES[source], week): count
        for number, region in enumerate(tally.region_names)
        for source in range(len(DATASOURCES))
        for week, count in tally.name_weeks(tally.counts[number, source]).items()
    }
    keys = sorted(stored.keys() | expected.keys())
    return [
        f"{key}: {stored.get(key, 0)} stored, {expected.get(key, 0)} in the file"
        for key in keys
        if stored.get(key) != expected.get(key)
    ]


def list_missing_samples(engine: Engine, path: Path, *, samples: int, seed: int = 1) -> list[str]:
    """Rows picked at random places of the file that have no trip."""
    missing = []
    for line in _sample_lines(path, samples, seed):
        found = _ROW.match(line)
        if found is None:
            continue
        _, west, south, east, north, started_at, _ = found.groups()
        with transaction(engine) as connection:
            trips = execute(
                connection,
                "count_same_trips",
                origin=encode_position(float(west), float(south)),
                destination=encode_position(float(east), float(north)),
                started_at=datetime.fromisoformat(started_at),
            ).scalar_one()
        if not trips:
            missing.append(line)
    return missing


def _sample_lines(path: Path, samples: int, seed: int) -> Iterator[str]:
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    size = path.stat().st_size
    with path.open("rb") as stream:
        for _ in range(samples):
            stream.seek(draw.randrange(max(1, size - _LONGEST_ROW_BYTES)))
            stream.readline()
            yield stream.readline().decode().rstrip("\n")
