"""The compactor: compacts when no load runs, waits while one does, ends when told to, and outlives an absent database."""

import threading
from dataclasses import replace

import pytest

from loader.pipeline.context import Context
from loader.worker.compactor import Compactor, Pace
from shared.platform.settings import Settings
from shared.services.database import connect_database, transaction
from tests.blocking import holding, wait_for_blocked
from tests.loading import wait_until
from tests.random_trips import MONDAY, make_trip
from tests.trip_maker import insert_trips

# Few trips are worth compacting.
EAGER = Pace(least_trips=10, interval_s=0.05, pause_s=0.05)


def insert(context: Context, trips: int, *, state: str = "succeeded") -> None:
    with transaction(context.engine) as connection:
        load_id = insert_trips(connection, [make_trip(MONDAY)] * trips)
        connection.exec_driver_sql(f"update load set state = '{state}' where load_id = {load_id}")


def count_runs(context: Context) -> int:
    with transaction(context.engine) as connection:
        return int(connection.exec_driver_sql("select count(*) from segment").scalar_one())


def count_batch_points(context: Context) -> int:
    with transaction(context.engine) as connection:
        return int(connection.exec_driver_sql("select count(*) from batch_block").scalar_one())


def count_sessions(context: Context, state: str, query: str) -> int:
    asked = (
        "select count(*) from pg_stat_activity where datname = current_database() and state = %(state)s and query like %(query)s"
    )
    with transaction(context.engine) as connection:
        return int(connection.exec_driver_sql(asked, {"state": state, "query": f"%{query}%"}).scalar_one())


def test_compacts_what_has_succeeded(context: Context) -> None:
    insert(context, 9)
    assert Compactor(context, EAGER).compact() == 0
    insert(context, 9)
    assert Compactor(context, EAGER).compact() == 2
    assert count_runs(context) == 1


def test_gives_back_what_a_question_had_open(context: Context) -> None:
    insert(context, 20)
    with transaction(context.engine) as asking:
        asking.exec_driver_sql("select from batch_block")
        assert Compactor(context, EAGER).compact() == 1
        assert count_batch_points(context) > 0
    assert Compactor(context, EAGER).compact() == 0
    assert count_batch_points(context) == 0


def test_waits_while_a_load_runs(context: Context) -> None:
    insert(context, 20)
    insert(context, 5, state="loading")
    assert Compactor(context, EAGER).compact() == 0
    assert count_runs(context) == 0


def test_works_until_it_is_stopped(context: Context) -> None:
    running = Compactor(replace(context, stopping=threading.Event()), EAGER)
    insert(context, 20)
    running.start()
    wait_until(lambda: count_runs(context) == 1)
    running.stop()
    wait_until(lambda: not any(thread.name == "compactor" for thread in threading.enumerate()))


def test_outlives_an_absent_database(context: Context, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    nowhere = settings.model_copy(
        update={"database_url": Settings(database_url="postgresql://nobody@127.0.0.1:1/no").database_url}
    )
    running = Compactor(replace(context, engine=connect_database(nowhere), stopping=threading.Event()), EAGER)
    running.start()
    wait_until(lambda: "compaction waits" in caplog.text)
    assert any(thread.name == "compactor" for thread in threading.enumerate())
    running.stop()
    wait_until(lambda: not any(thread.name == "compactor" for thread in threading.enumerate()))


def test_pauses_for_a_load_that_begins_meanwhile(context: Context) -> None:
    insert(context, 20)
    compacting = threading.Thread(target=Compactor(context, EAGER).compact)
    with holding(context.engine, "lock table segment_block in share mode"):
        compacting.start()
        wait_for_blocked(context.engine, "copy segment_block")
        insert(context, 5, state="loading")
    # It asks again and again, in other transactions; its own stands still.
    wait_until(lambda: count_sessions(context, "idle in transaction", "copy segment_flow") == 1)
    compacting.join(timeout=1)
    assert compacting.is_alive()
    assert count_sessions(context, "idle in transaction", "copy segment_flow") == 1
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("update load set state = 'succeeded'")
    compacting.join(timeout=20)
    assert count_runs(context) == 1


def test_does_not_pause_when_questions_would_become_slow(context: Context) -> None:
    insert(context, 20)
    insert(context, 5, state="loading")
    assert Compactor(context, replace(EAGER, patience_trips=20)).compact() == 1


def test_stops_though_a_load_makes_it_pause(context: Context) -> None:
    stopping = threading.Event()
    insert(context, 20)
    compacting = threading.Thread(target=Compactor(replace(context, stopping=stopping), EAGER).compact)
    with holding(context.engine, "lock table segment_block in share mode"):
        compacting.start()
        wait_for_blocked(context.engine, "copy segment_block")
        insert(context, 5, state="loading")
    stopping.set()
    compacting.join(timeout=20)
    assert not compacting.is_alive()
