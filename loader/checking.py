"""Checking: that trips, ledger, counters, rejects, rollups and events agree, at this moment and in one snapshot.

    for problem in find_problems(engine): print(problem)

Whatever is loading, being removed or merged meanwhile must make no difference: every transaction leaves them in agreement.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from shared.database import execute, transaction

CHECKS: Final = (
    "check_counters",
    "check_states",
    "check_trips",
    "check_rejects",
    "check_rollup_week",
    "check_run_day",
    "check_run_cell",
    "check_run_point",
    "check_run_flow",
    "check_events",
    "check_positions",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Two places that must agree and don't."""

    check: str
    load_id: int | None
    place: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.check}: load {self.load_id}, {self.place}: expected {self.expected:,}, found {self.found:,}"


def find_problems(engine: Engine, load_id: int | None = None) -> list[Problem]:
    """Compare everything, for one load or all; reads every trip of them."""
    problems: list[Problem] = []
    with transaction(engine.execution_options(isolation_level="REPEATABLE READ")) as connection:
        execute(connection, "lift_timeout")
        for check in CHECKS:
            rows = execute(connection, check, load_id=load_id)
            problems += [Problem(check, row.load_id, row.place, int(row.expected), int(row.found)) for row in rows]
    return problems
