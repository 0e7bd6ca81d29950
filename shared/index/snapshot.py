"""Snapshot: what is visible at one moment, and what to do when it went stale."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from shared.platform.errors import RequestError
from shared.platform.near_names import describe_near
from shared.services.database import execute

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class TripFilter:
    """What restricts a question's trips: ids of region and datasource (None: all), first and last trip (None: no trips); and
    the visible loads that are in no segment, of which some have no blocks (unindexed).
    """

    region_id: int | None
    datasource_id: int | None
    first_at: datetime | None
    last_at: datetime | None
    uncompacted_loads: list[int]
    unindexed_loads: list[int]

    @property
    def name_parameters(self) -> dict[str, object]:
        """The ids of region and datasource as query parameters."""
        return {"region_id": self.region_id, "datasource_id": self.datasource_id}

    @property
    def parameters(self) -> dict[str, object]:
        """All ids as query parameters."""
        return {
            **self.name_parameters,
            "uncompacted_loads": self.uncompacted_loads,
            "unindexed_loads": self.unindexed_loads,
        }


def fetch_trip_filter(connection: Connection, *, region: str | None, datasource: str | None) -> TripFilter:
    """Look up the ids of the names, the period of their trips, and the uncompacted and unindexed loads.

    Raises: RequestError for a name that isn't there.
    """
    names = {"region": region, "datasource": datasource}
    row = execute(connection, "fetch_filters", **names).mappings().one()
    for parameter, name in names.items():
        if name is not None and row[f"{parameter}_id"] is None:
            near = describe_near(name, execute(connection, f"list_{parameter}_names").scalars())
            raise RequestError(f"There is no {parameter} {name!r}{near}.", parameter=parameter)
    return TripFilter(
        row["region_id"], row["datasource_id"], row["first_at"], row["last_at"], row["uncompacted_loads"], row["unindexed_loads"]
    )


def fetch_uncompacted_loads(connection: Connection) -> dict[str, list[int]]:
    """Ids of the loads in no segment, and of those without blocks, as query parameters."""
    rows = execute(connection, "list_uncompacted_loads").all()
    return {
        "uncompacted_loads": [row.load_id for row in rows],
        "unindexed_loads": [row.load_id for row in rows if not row.has_blocks],
    }


class StaleError(Exception):
    """Loads were compacted or undone while a question was answered; see retry_stale."""


def retry_stale(ask: Callable[[], _Answer]) -> _Answer:
    """Ask until an answer is of one state of the loads. ask must fetch the trip filter, or the uncompacted loads, anew."""
    while True:
        with suppress(StaleError):
            return ask()


@contextmanager
def unchanged_segments(connection: Connection) -> Iterator[None]:
    """Ensure that several statements see the same segments. Raises: StaleError when segments changed in between."""
    segments = execute(connection, "list_segments").all()
    yield
    if execute(connection, "list_segments").all() != segments:
        raise StaleError
