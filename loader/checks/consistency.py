"""Checking: that trips, ledger, counters, rejects, rollups, runs and events agree; each check looks at one moment.

    for problem in find_problems(engine): print(problem)

Whatever is loading, being removed or merged meanwhile must make no difference: every transaction leaves them in agreement.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine

from shared.services.database import execute, transaction

CHECKS: Final = (
    "check_counters",
    "check_states",
    "check_trips",
    "check_rejects",
    "check_rollup_week",
    "check_segment_day",
    "check_segment_cell",
    "check_blocks",
    "check_segment_flow",
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


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found."""

    check: str
    seconds: float
    problems: tuple[Problem, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "problems": [asdict(problem) for problem in self.problems]}


def find_problems(engine: Engine, load_id: int | None = None) -> list[Problem]:
    """Compare everything, for one load or all; reads every trip of them."""
    return [problem for check in CHECKS for problem in run_check(engine, check, load_id).problems]


def run_check(engine: Engine, check: str, load_id: int | None = None) -> CheckResult:
    """Run one of CHECKS. It is one statement, so it sees one moment, whatever is loading, merged or removed meanwhile."""
    began = time.monotonic()
    with transaction(engine) as connection:
        execute(connection, "lift_timeout")
        problems = tuple(list_problems(connection, check, load_id))
    return CheckResult(check, time.monotonic() - began, problems)


def list_problems(connection: Connection, check: str, load_id: int | None = None) -> Iterator[Problem]:
    """Run one of CHECKS in the caller's transaction."""
    if check in ("check_blocks", "check_segment_flow"):
        # Reading blocks brings compiled kernels: only checks wait for those.
        from loader.checks.segment_checks import check_flows, check_points

        read = check_points if check == "check_blocks" else check_flows
        for place, expected, found in read(connection, load_id):
            yield Problem(check, None, place, expected, found)
        return
    for row in execute(connection, check, load_id=load_id):
        yield Problem(check, row.load_id, row.place, int(row.expected), int(row.found))
