"""The packer: packs when no load runs, waits while one does, ends when told to, and outlives an absent database."""

import threading
from dataclasses import replace

import pytest

from loader.pipeline.context import Context
from loader.worker.compactor import Pace, Packer
from shared.platform.settings import Settings
from shared.services.database import connect_database, transaction
from tests.blocking import holding, wait_for_blocked
from tests.loading import wait_until
from tests.random_trips import MONDAY, make_trip
from tests.trip_maker import insert_trips

# Few trips are worth packing.
EAGER = Pace(least_trips=10, interval_s=0.05, pause_s=0.05)


def insert(context: Context, trips: int, *, state: str = "succeeded") -> None:
    with transaction(context.engine) as connection:
        load_id = insert_trips(connection, [make_trip(MONDAY)] * trips)
        connection.exec_driver_sql(f"update load set state = '{state}' where load_id = {load_id}")


def count_runs(context: Context) -> int:
    with transaction(context.engine) as connection:
        return int(connection.exec_driver_sql("select count(*) from run").scalar_one())


def count_batch_points(context: Context) -> int:
    with transaction(context.engine) as connection:
        return int(connection.exec_driver_sql("select count(*) from batch_point").scalar_one())


def count_sessions(context: Context, state: str, query: str) -> int:
    asked = (
        "select count(*) from pg_stat_activity where datname = current_database() and state = %(state)s and query like %(query)s"
    )
    with transaction(context.engine) as connection:
        return int(connection.exec_driver_sql(asked, {"state": state, "query": f"%{query}%"}).scalar_one())


def test_packs_what_has_succeeded(context: Context) -> None:
    insert(context, 9)
    assert Packer(context, EAGER).pack() == 0
    insert(context, 9)
    assert Packer(context, EAGER).pack() == 2
    assert count_runs(context) == 1


def test_gives_back_what_a_question_had_open(context: Context) -> None:
    insert(context, 20)
    with transaction(context.engine) as asking:
        asking.exec_driver_sql("select from batch_point")
        assert Packer(context, EAGER).pack() == 1
        assert count_batch_points(context) > 0
    assert Packer(context, EAGER).pack() == 0
    assert count_batch_points(context) == 0


def test_waits_while_a_load_runs(context: Context) -> None:
    insert(context, 20)
    insert(context, 5, state="loading")
    assert Packer(context, EAGER).pack() == 0
    assert count_runs(context) == 0


def test_works_until_it_is_stopped(context: Context) -> None:
    running = Packer(replace(context, stopping=threading.Event()), EAGER)
    insert(context, 20)
    running.start()
    wait_until(lambda: count_runs(context) == 1)
    running.stop()
    wait_until(lambda: not any(thread.name == "packer" for thread in threading.enumerate()))


def test_outlives_an_absent_database(context: Context, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    nowhere = settings.model_copy(
        update={"database_url": Settings(database_url="postgresql://nobody@127.0.0.1:1/no").database_url}
    )
    running = Packer(replace(context, engine=connect_database(nowhere), stopping=threading.Event()), EAGER)
    running.start()
    wait_until(lambda: "packing waits" in caplog.text)
    assert any(thread.name == "packer" for thread in threading.enumerate())
    running.stop()
    wait_until(lambda: not any(thread.name == "packer" for thread in threading.enumerate()))


def test_pauses_for_a_load_that_begins_meanwhile(context: Context) -> None:
    insert(context, 20)
    packing = threading.Thread(target=Packer(context, EAGER).pack)
    with holding(context.engine, "lock table run_point in share mode"):
        packing.start()
        wait_for_blocked(context.engine, "copy run_point")
        insert(context, 5, state="loading")
    # It asks again and again, in other transactions; its own stands still.
    wait_until(lambda: count_sessions(context, "idle in transaction", "copy run_flow") == 1)
    packing.join(timeout=1)
    assert packing.is_alive()
    assert count_sessions(context, "idle in transaction", "copy run_flow") == 1
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("update load set state = 'succeeded'")
    packing.join(timeout=20)
    assert count_runs(context) == 1


def test_does_not_pause_when_questions_would_become_slow(context: Context) -> None:
    insert(context, 20)
    insert(context, 5, state="loading")
    assert Packer(context, replace(EAGER, patience_trips=20)).pack() == 1


def test_stops_though_a_load_makes_it_pause(context: Context) -> None:
    stopping = threading.Event()
    insert(context, 20)
    packing = threading.Thread(target=Packer(replace(context, stopping=stopping), EAGER).pack)
    with holding(context.engine, "lock table run_point in share mode"):
        packing.start()
        wait_for_blocked(context.engine, "copy run_point")
        insert(context, 5, state="loading")
    stopping.set()
    packing.join(timeout=20)
    assert not packing.is_alive()
