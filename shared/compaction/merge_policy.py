"""Merge policy: which loads to compact together."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from shared.services.database import execute


@dataclass(frozen=True, slots=True)
class Pile:
    """Loads that lie together: a run, or (run_id None) the loose ones."""

    run_id: int | None
    trips: int
    load_ids: Sequence[int]


def list_piles(connection: Connection) -> list[Pile]:
    """List the loose loads as one pile, then the runs from the smallest on."""
    return [Pile(row.run_id, row.trips, row.load_ids) for row in execute(connection, "list_packable")]


def choose_loads(piles: Sequence[Pile], *, least_trips: int) -> tuple[list[int], int]:
    """Choose what to pack together: the loose loads, and each run that is no larger than what is chosen so far.

    Shape: the loads' ids, and their trips together.
    """
    if not piles or piles[0].run_id is not None or piles[0].trips < least_trips:
        return [], 0
    load_ids, trips = list(piles[0].load_ids), piles[0].trips
    for pile in piles[1:]:
        if pile.trips > trips:
            break
        load_ids += pile.load_ids
        trips += pile.trips
    return sorted(load_ids), trips
