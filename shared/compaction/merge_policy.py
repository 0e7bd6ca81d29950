"""Merge policy: which loads to compact together."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from shared.services.database import execute


@dataclass(frozen=True, slots=True)
class MergeCandidate:
    """Loads that are merged together: those of a segment, or (segment_id None) the uncompacted ones."""

    segment_id: int | None
    trips: int
    load_ids: Sequence[int]


def list_merge_candidates(connection: Connection) -> list[MergeCandidate]:
    """List the uncompacted loads as one candidate, then the segments, smallest first."""
    return [MergeCandidate(row.segment_id, row.trips, row.load_ids) for row in execute(connection, "list_merge_candidates")]


def select_loads(candidates: Sequence[MergeCandidate], *, least_trips: int) -> tuple[list[int], int]:
    """Select what to compact: the uncompacted loads, and each segment that is no larger than what is selected before it.

    Returns the ids of the loads, and their trips in total; no loads when there is too little to compact.
    """
    if not candidates or candidates[0].segment_id is not None or candidates[0].trips < least_trips:
        return [], 0
    load_ids, trips = list(candidates[0].load_ids), candidates[0].trips
    for candidate in candidates[1:]:
        if candidate.trips > trips:
            break
        load_ids += candidate.load_ids
        trips += candidate.trips
    return sorted(load_ids), trips
