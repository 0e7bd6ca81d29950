"""Areas in SQL, for questions that read trips one by one.

The database compares positions with bounds and with ranges. What lies in ranges that a shape's edges cut is fetched once, and
compared in this process; the positions inside become ranges of their own.
"""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection

from shared.domain.area import WHOLE_WORLD, GridArea
from shared.domain.trip_end import End
from shared.index.copy_columns import read_columns

_ANY_CELLS = dict.fromkeys(("origin_low", "origin_high", "destination_low", "destination_high"))


def area_parameters(
    connection: Connection,
    area: GridArea | None,
    end: End,
    *,
    loads: Sequence[int] | None = None,
    cells: dict[str, object] | None = None,
) -> dict[str, object]:
    """Say where both ends of a trip must lie, as the queries that read trips take it; a null area is anywhere.

    loads: whose trips the queries read (None: all). cells: first and last position of the cells that they read, as count_group
    takes them. Trips must not be added before those queries: see Reader.check.
    """
    found = WHOLE_WORLD if area is None else area
    bounds = None if found == WHOLE_WORLD else found.bounds()
    parameters: dict[str, object] = {
        "origin_area": None if end == "destination" else bounds,
        "destination_area": None if end == "origin" else bounds,
        "is_either": end == "either",
        "area_ranges": None,
    }
    cut = found.cut_ranges()
    if cut is not None:
        positions = np.empty(0, np.int64)
        if loads is None or len(loads):
            facts = {**parameters, **(cells or _ANY_CELLS), "area_ranges": cut, "loads": None if loads is None else list(loads)}
            positions = read_columns(connection, "copy_positions", facts, fields=1).numbers(0)
        parameters["area_ranges"] = found.ranges(positions)
    return parameters
