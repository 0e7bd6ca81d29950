"""Answers from one moment: while loads commit and are undone, each answer equals one committed state."""

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from loader.pipeline.context import Context
from loader.pipeline.finishing import clean_load
from shared.compaction.segments import compact_loads
from shared.domain.area import parse_bbox
from shared.events import record_event
from shared.groups.listing import fetch_flows, fetch_hours, list_groups
from shared.groups.question import FlowQuestion, GroupQuestion
from shared.index.moments import answer_at_one_moment
from shared.loads import undo_load
from shared.questions.histograms import fetch_histogram
from shared.questions.weekly import WeeklyQuestion, compare_weekly, fetch_weekly
from shared.services.database import snapshot, transaction
from tests.random_trips import draw_trips
from tests.trip_maker import KINDS, Kinds, MadeTrip, insert_trips

LOADS = 6
BOX = parse_bbox("-179,-80,179,80")
ANYWHERE = WeeklyQuestion()
FLOWS = FlowQuestion(precision=3)
GROUPS = GroupQuestion(precision=3, bucket_minutes=1440, limit=50, after=None)
PERIOD = (date(2015, 1, 5), date(2030, 1, 6))

Ask = Callable[[Connection], Any]
# Name → the question, and whether it reads trips.
QUESTIONS: dict[str, tuple[Ask, bool]] = {
    "weekly": (lambda connection: fetch_weekly(connection, ANYWHERE).to_json(), False),
    "box": (lambda connection: fetch_weekly(connection, WeeklyQuestion(area=BOX, end="either")).to_json(), False),
    "hours": (lambda connection: fetch_hours(connection, FLOWS), False),
    "histogram": (lambda connection: fetch_histogram(connection, ANYWHERE, by="weekday").to_json(), False),
    "durations": (lambda connection: fetch_histogram(connection, ANYWHERE, by="duration").to_json(), False),
    "comparison": (lambda connection: compare_weekly(connection, ANYWHERE, from_on=PERIOD[0], to_on=PERIOD[1]).to_json(), False),
    "groups": (lambda connection: [group.to_json() for group in list_groups(connection, GROUPS)], False),
    "flows": (lambda connection: fetch_flows(connection, FLOWS).to_json(), False),
}


def make_loads(seed: int) -> list[list[MadeTrip]]:
    dice = random.Random(seed)
    return [[replace(trip, region="Turin") for trip in draw_trips(dice, 60)] for _ in range(LOADS)]


def commit(engine: Engine, trips: list[MadeTrip], kind: Kinds = "uncompacted") -> int:
    with transaction(engine) as connection:
        load_id = insert_trips(connection, trips, kind=kind)
        record_event(connection, load_id, "succeeded")
    return load_id


def ask(engine: Engine, name: str) -> str:
    compute, reads_trips = QUESTIONS[name]
    return repr(answer_at_one_moment(engine, lambda connection, _: compute(connection), reads_trips=reads_trips))


@pytest.mark.parametrize("reads_trips", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_commit_in_the_midst_is_all_in_it_or_not_at_all(engine: Engine, kind: Kinds, reads_trips: bool) -> None:
    first, second, *_ = make_loads(1)
    commit(engine, first, kind)
    left = [second]

    def compute(connection: Connection, _: str) -> tuple[int, int]:
        before = fetch_weekly(connection, ANYWHERE).trips
        if left:
            commit(engine, left.pop(), kind)
        return before, fetch_weekly(connection, ANYWHERE).trips

    before, after = answer_at_one_moment(engine, compute, reads_trips=reads_trips)
    assert before == after
    with transaction(engine) as connection:  # the control: without it, the same shows two states
        left.append(first)
        before, after = compute(connection, "")
    assert before < after


def test_commits_without_end_do_not_keep_an_answer_waiting(engine: Engine) -> None:
    loads = make_loads(2)
    commit(engine, loads[0])
    asked = 0

    def compute(connection: Connection, _: str) -> tuple[int, int]:
        nonlocal asked
        asked += 1
        before = fetch_weekly(connection, ANYWHERE).trips
        commit(engine, loads[asked % LOADS])
        return before, fetch_weekly(connection, ANYWHERE).trips

    before, after = answer_at_one_moment(engine, compute, reads_trips=True)
    assert before == after


def test_a_snapshot_changes_nothing(engine: Engine) -> None:
    with pytest.raises(Exception, match="read-only"), snapshot(engine) as connection:
        connection.exec_driver_sql("delete from load")


class Changes:
    """Loads that come and go, each in one commit."""

    def __init__(self, context: Context, loads: list[list[MadeTrip]]) -> None:
        self._context = context
        self._loads = loads
        self._ids: list[int] = []

    def run(self, after_each: Callable[[], None]) -> None:
        """Commit all, compact them after half of them and at the end, then undo all but the first."""
        for trips in self._loads[len(self._ids) :]:
            self._ids.append(commit(self._context.engine, trips))
            after_each()
            if len(self._ids) in (LOADS // 2, LOADS):
                compact_loads(self._context.engine, least_trips=1)
                after_each()
        while len(self._ids) > 1:
            load_id = self._ids.pop()
            undo_load(self._context.engine, self._context.broker, load_id)
            clean_load(self._context, load_id)
            after_each()


def follow(engine: Engine, is_over: threading.Event, answers: list[tuple[str, str]]) -> None:
    dice = random.Random(threading.get_ident())
    while not is_over.is_set():
        name = dice.choice(list(QUESTIONS))
        answers.append((name, ask(engine, name)))


def test_every_answer_beside_loads_and_undos_is_of_one_state(engine: Engine, context: Context) -> None:
    changes = Changes(context, make_loads(3))
    right: dict[str, set[str]] = {name: set() for name in QUESTIONS}

    def remember() -> None:
        for name in QUESTIONS:
            right[name].add(ask(engine, name))

    changes.run(remember)
    answers: list[tuple[str, str]] = []
    is_over = threading.Event()
    threads = [threading.Thread(target=follow, args=(engine, is_over, answers)) for _ in range(2)]
    for thread in threads:
        thread.start()
    changes.run(lambda: None)
    while len(answers) <= 10:
        changes.run(lambda: None)
    is_over.set()
    for thread in threads:
        thread.join()
    assert [name for name, answer in answers if answer not in right[name]] == []
