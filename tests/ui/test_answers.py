"""Answers are kept while nothing changes the trips, and no longer; each is of one committed state of the data."""

import threading
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Connection, Engine

from loader.pipeline.context import Context
from shared.events import record_event
from shared.groups.question import FlowQuestion
from shared.questions.weekly import WeeklyQuestion, fetch_weekly
from shared.services.database import transaction
from shared.services.objects import ObjectStore
from tests.integration.test_moments import Changes, commit, make_loads
from tests.loading import request_load
from tests.trip_maker import KINDS, Kinds
from ui.explore.filters import fetch_catalog
from ui.explore.map_panel import fetch_day
from ui.explore.page import fetch_weeks
from ui.services.answer_cache import Answers

ALWAYS = WeeklyQuestion()


def test_the_same_question_is_asked_once_until_a_load_says_something(engine: Engine, object_store: ObjectStore) -> None:
    load_id = request_load(engine, object_store, b"x")
    answers, asked = Answers(engine), []

    def fetch(_connection: Connection, name: str) -> str:
        asked.append(name)
        return name.upper()

    for _ in range(3):
        ask = answers.open()
        assert (ask(fetch, "a"), ask(fetch, "b")) == ("A", "B")
    assert asked == ["a", "b"]
    old = answers.open()
    with transaction(engine) as connection:
        record_event(connection, load_id, "batch")
    answers.open()(fetch, "a")
    assert asked == ["a", "b", "a"]
    assert old(fetch, "a") == "A"
    assert asked == ["a", "b", "a", "a"], "a page that was begun before asks again"


@pytest.mark.parametrize("reads_trips", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_commit_between_two_statements_is_in_all_of_the_answer_or_in_none(
    engine: Engine, kind: Kinds, reads_trips: bool
) -> None:
    first, second, *_ = make_loads(1)
    commit(engine, first, kind)
    left = [second]

    def fetch(connection: Connection) -> tuple[int, int]:
        before = fetch_weekly(connection, ALWAYS).trips
        if left:
            commit(engine, left.pop(), kind)
        return before, fetch_weekly(connection, ALWAYS).trips

    answers = Answers(engine)
    before, after = answers.open()(fetch, reads_trips=reads_trips)
    assert before == after
    left.append(first)
    with transaction(engine) as connection:  # the control: without it, the same shows two states
        before, after = fetch(connection)
    assert before < after
    assert len(set(answers.open()(fetch, reads_trips=reads_trips))) == 1
    assert answers.open()(fetch)[0] == after, "an answer to older data is not kept"


def test_what_a_page_sets_side_by_side_is_of_one_state(engine: Engine, context: Context) -> None:
    """Beside loads and undos: both periods of a comparison, regions and datasources, the hours of the played day."""
    answers, loads = Answers(engine), make_loads(3)
    changes = Changes(context, loads)
    totals = {len(trips) * count for count in range(1, len(loads) + 1) for trips in loads[:1]}
    changes.run(lambda: None)
    periods = (ALWAYS, replace(ALWAYS, from_on=date(2015, 1, 5), to_on=date(2030, 1, 6)))
    is_over = threading.Event()

    def change() -> None:
        while not is_over.is_set():
            changes.run(lambda: None)

    changing = threading.Thread(target=change)
    changing.start()
    seen: list[tuple[int, ...]] = []
    while len(set(seen)) <= 3:
        seen.append(tuple(each.trips for each in answers.open()(fetch_weeks, answers.small, *periods)))
        catalog = answers.open()(fetch_catalog)
        assert catalog is not None
        seen.append((sum(catalog.regions.values()), sum(catalog.datasources.values())))
        day = answers.open()(fetch_day, answers.small, FlowQuestion(precision=1, limit=500))
        seen.append((sum(each.trips for each in day.values()),))
    is_over.set()
    changing.join()
    assert [found for found in seen if len(set(found)) != 1 or found[0] not in totals] == []
