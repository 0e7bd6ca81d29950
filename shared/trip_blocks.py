"""Trip blocks: the blocks of origins, whose trips have both ends, for questions about flows and trip groups.

for rows in stream_trip_blocks(connection, parameters, choice, tests=BLOCK_TESTS["both"], known=known):
    trips = find_unknown_trips(rows, choice, known)
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from shared.area import WHOLE_WORLD
from shared.bits import Numbers
from shared.blocks import ANY, INSIDE, ONE_INSIDE
from shared.database import execute, stream_rows
from shared.ends import Choice, find_trips, make_blocks
from shared.known_flows import KnownFlows
from shared.weekly import End

BLOCK: Final = slice(1, -2)
"""Columns of a row that make_blocks takes."""

BLOCK_TESTS: Final[Mapping[End, tuple[int, int]]] = {
    "origin": (INSIDE, ANY),
    "destination": (ANY, INSIDE),
    "both": (INSIDE, INSIDE),
    "either": (ONE_INSIDE, ANY),
}
"""What origin and destination must be in a box."""


class StaleError(Exception):
    """Loads were packed or undone since the filters were fetched: ask again."""


def stream_trip_blocks(
    connection: Connection,
    parameters: Mapping[str, object],
    choice: Choice,
    *,
    tests: tuple[int, int],
    known: KnownFlows | None = None,
    origin_cells: Sequence[int] | None = None,
    destination_cells: Sequence[int] | None = None,
    is_in_order: bool = False,
) -> Iterator[list[Any]]:
    """Give the rows of list_trip_blocks, some at a time, but for blocks all of whose trips are known.

    tests: of origin and destination. Raises: StaleError.
    """
    # Runs that keep no hours know the flows of all hours only.
    flow_hours = [] if known is None else [True] if known.slots is not None else [True, False]
    asked = {
        **parameters,
        "area": (choice.area or WHOLE_WORLD).bounds(),
        "end_test": tests[0],
        "other_test": tests[1],
        "flow_hours": flow_hours,
        "known_end": known.end if known else None,
        "known_area": known.area.bounds() if known and known.area else None,
        "origin_cells": origin_cells,
        "destination_cells": destination_cells,
        "is_in_order": is_in_order,
    }
    for rows in stream_rows(connection, "list_trip_blocks", asked):
        if not rows[0].is_current:
            raise StaleError
        yield [row for row in rows if row.trips is not None]


def find_unknown_trips(rows: Sequence[Any], choice: Choice, known: KnownFlows | None) -> Numbers:
    """List the chosen trips of rows but the known ones. Shape: as find_trips."""
    found = [find_trips(make_blocks(row[BLOCK] for row in rows if not row.has_known), choice)]
    if known is not None:
        trips = find_trips(make_blocks(row[BLOCK] for row in rows if row.has_known), choice)
        found.append(trips[:, ~known.contains(trips[0], trips[1])])
    return np.concatenate(found, axis=1)


@contextmanager
def expecting_the_same_runs(connection: Connection) -> Iterator[None]:
    """Make sure that what is read in several statements is of one moment. Raises: StaleError."""
    runs = execute(connection, "list_runs").all()
    yield
    if execute(connection, "list_runs").all() != runs:
        raise StaleError
