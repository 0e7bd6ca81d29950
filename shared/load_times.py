"""Times of loads: the stages of one and its rate over time, from the ledger; and what compaction does now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection, Engine

from shared.services.database import execute, transaction

# So many batches a bin that one more or less is no spike.
_BATCHES_PER_BIN: Final = 3
_MOST_BINS: Final = 60
_FEWEST_BINS: Final = 3

StageName = Literal["upload", "queue", "load", "compaction"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a load. ended_at None: it is under way."""

    name: StageName
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoadRate:
    """Rows a second in a bin of time. Units: from_s and to_s in seconds since the start of the load."""

    from_s: float
    to_s: float
    rows_per_s: float


@dataclass(frozen=True, slots=True)
class LoadTimes:
    """Stages in their order, as far as they have begun; rates, none where there are few batches."""

    stages: Sequence[Stage]
    rates: Sequence[LoadRate]


@dataclass(frozen=True, slots=True)
class Compaction:
    """Work of compaction: loads and trips that wait for it, loads that run meanwhile, and the compaction under way."""

    segments: int
    loads: int
    trips: int
    running_loads: int
    is_running: bool
    since: datetime | None


def fetch_load_times(engine: Engine, load_id: int, *, now: datetime) -> LoadTimes:
    """Fetch stages and rates of a load; neither of one that is not there."""
    with transaction(engine) as connection:
        row = execute(connection, "fetch_load_times", load_id=load_id).one_or_none()
        if row is None:
            return LoadTimes((), ())
        stages = []
        if row.uploaded_from:
            stages.append(Stage("upload", row.uploaded_from, row.requested_at))
        stages.append(Stage("queue", row.retried_at or row.requested_at, row.started_at or row.finished_at))
        if row.started_at:
            stages.append(Stage("load", row.started_at, row.finished_at))
        if row.is_compacted and row.finished_at and row.compacted_at:
            stages.append(Stage("compaction", row.finished_at, row.compacted_at))
        span_s = ((row.finished_at or now) - row.started_at).total_seconds() if row.started_at else 0.0
        return LoadTimes(tuple(stages), _list_rates(connection, load_id, span_s))


def fetch_compaction(engine: Engine) -> Compaction:
    """Fetch what compaction has before it and what it does."""
    with transaction(engine) as connection:
        return Compaction(**execute(connection, "fetch_compaction").mappings().one())


def _list_rates(connection: Connection, load_id: int, span_s: float) -> tuple[LoadRate, ...]:
    batches = sum(row.batches for row in execute(connection, "list_load_rates", load_id=load_id, bin_s=max(span_s, 1.0)))
    bins = min(_MOST_BINS, batches // _BATCHES_PER_BIN)
    if bins < _FEWEST_BINS or span_s <= 0:
        return ()
    bin_s = span_s / bins
    found = {row.bin: row.rows for row in execute(connection, "list_load_rates", load_id=load_id, bin_s=bin_s)}
    # The batch that ends the load commits as late as the load, or a moment later by the clock.
    rows = [found.get(number, 0) for number in range(bins)]
    rows[-1] += sum(count for number, count in found.items() if number >= bins)
    return tuple(LoadRate(number * bin_s, (number + 1) * bin_s, count / bin_s) for number, count in enumerate(rows))
