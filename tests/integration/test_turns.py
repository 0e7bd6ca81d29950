"""Turns: beside a load questions are answered one after the other, otherwise side by side; none waits for ever."""

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from shared import turns
from shared.database import connect_database, transaction
from shared.settings import Settings
from shared.turns import Turns, make_turns
from tests.loading import wait_until
from tests.random_trips import MONDAY, make_trip
from tests.trip_maker import insert_trips


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect_database(Settings(database_url=database_url))
    with transaction(engine) as connection:
        insert_trips(connection, [make_trip(MONDAY)])
    yield engine
    engine.dispose()


class Asked:
    """Threads that take a turn and keep it until they are let go."""

    def __init__(self, turns: Turns, count: int) -> None:
        self.turns = turns
        self.running = 0
        self.gates = [threading.Event() for _ in range(count)]
        self.threads = [threading.Thread(target=self._ask, args=(gate,), daemon=True) for gate in self.gates]
        for thread in self.threads:
            thread.start()

    def _ask(self, gate: threading.Event) -> None:
        with self.turns.take():
            self.running += 1
            gate.wait(20)
            self.running -= 1

    def end(self) -> None:
        for gate in self.gates:
            gate.set()
        for thread in self.threads:
            thread.join()


def set_state(engine: Engine, state: str) -> None:
    with transaction(engine) as connection:
        connection.exec_driver_sql("update load set state = %(state)s", {"state": state})


def test_questions_run_side_by_side_without_a_load(engine: Engine) -> None:
    asked = Asked(Turns(engine, beside_loads=1), 3)
    wait_until(lambda: asked.running == 3)
    asked.end()


def test_questions_beside_a_load_wait_for_each_other(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_PATIENCE_S", 20)
    set_state(engine, "loading")
    asked = Asked(Turns(engine, beside_loads=1), 3)
    wait_until(lambda: asked.running == 1)
    time.sleep(0.3)
    assert asked.running == 1
    asked.end()
    assert asked.running == 0


def test_no_question_waits_for_ever(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_PATIENCE_S", 0.2)
    set_state(engine, "loading")
    asked = Asked(Turns(engine, beside_loads=1), 2)
    wait_until(lambda: asked.running == 2)
    asked.end()


def test_the_end_of_a_load_is_seen(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_LOOK_S", 0.0)
    set_state(engine, "loading")
    taken = Turns(engine, beside_loads=1)
    with taken.take():
        set_state(engine, "succeeded")
        began = time.monotonic()
        with taken.take():
            assert time.monotonic() - began < 2


def test_a_replica_answers_as_many_as_ever(engine: Engine) -> None:
    settings = Settings(database_url=str(engine.url), read_database_url=str(engine.url), database_pool_size=7)
    assert make_turns(engine, settings)._most == 7
    assert make_turns(engine, settings.model_copy(update={"questions_beside_loads": 2}))._most == 2
