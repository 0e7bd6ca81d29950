"""Snapshot: what is visible at one moment, and what to do when it went stale."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from shared.platform.errors import RequestError
from shared.platform.near_names import describe_near
from shared.services.database import execute


@dataclass(frozen=True, slots=True)
class Filters:
    """Names turned into ids, first and last trip under them (None: no trips), loads in no run, those without blocks."""

    region_id: int | None
    datasource_id: int | None
    first_at: datetime | None
    last_at: datetime | None
    loose_loads: list[int]
    bare_loads: list[int]

    @property
    def parameters(self) -> dict[str, object]:
        """The ids as queries take them."""
        return {
            "region_id": self.region_id,
            "datasource_id": self.datasource_id,
            "loose_loads": self.loose_loads,
            "bare_loads": self.bare_loads,
        }


def fetch_filters(connection: Connection, *, region: str | None, datasource: str | None) -> Filters:
    """Look up the names' ids, the period of the data under them, and the loose and bare loads.

    Raises: RequestError for a name that isn't there.
    """
    names = {"region": region, "datasource": datasource}
    row = execute(connection, "fetch_filters", **names).mappings().one()
    for parameter, name in names.items():
        if name is not None and row[f"{parameter}_id"] is None:
            near = describe_near(name, execute(connection, f"list_{parameter}_names").scalars())
            raise RequestError(f"There is no {parameter} {name!r}{near}.", parameter=parameter)
    return Filters(**row)


def fetch_loose_loads(connection: Connection) -> dict[str, list[int]]:
    """Ids of the loads in no run, and of those without blocks, as queries take them."""
    rows = execute(connection, "list_loose_loads").all()
    return {
        "loose_loads": [row.load_id for row in rows],
        "bare_loads": [row.load_id for row in rows if not row.has_blocks],
    }


class StaleError(Exception):
    """Loads were packed or undone since the filters were fetched: ask again."""


@contextmanager
def expecting_the_same_runs(connection: Connection) -> Iterator[None]:
    """Make sure that what is read in several statements is of one moment. Raises: StaleError."""
    runs = execute(connection, "list_runs").all()
    yield
    if execute(connection, "list_runs").all() != runs:
        raise StaleError
