"""Names of regions and datasources: so many a load, given back when no trip carries them, never another's id."""

from dataclasses import replace
from typing import Any

import pytest

from loader.checks.consistency import find_problems
from loader.pipeline.context import Context
from loader.pipeline.finishing import clean_load
from loader.storage.name_ids import Labels, drop_unused_names
from shared.loads import undo_load
from shared.services.database import execute, transaction
from tests.loading import HEADER, ROW, change, load_bytes


def fetch_all(context: Context, statement: str) -> list[Any]:
    with transaction(context.engine) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement)]


def make_regions(regions: range) -> bytes:
    """A file with a trip of each of so many regions."""
    return HEADER + b"".join(ROW.replace(b"Turin", b"r%d" % number) for number in regions)


def list_names(context: Context, table: str = "region") -> list[tuple[int, str]]:
    return fetch_all(context, f"select {table}_id, name from {table} order by 1")


@pytest.mark.parametrize("batch_bytes", [8 * 2**20, 64 * 2**10], ids=["one batch", "many batches"])
def test_more_names_than_a_load_may_bring_fail_it_alone(context: Context, batch_bytes: int) -> None:
    load = load_bytes(change(context, batch_bytes=batch_bytes), make_regions(range(33_000)))
    assert (load["state"], load["error_code"], load["rows_loaded"]) == ("failed", "too_many_names", 0)
    assert "more than 4,000 new regions" in load["error_message"]
    assert list_names(context) == [], "the names went with the load"
    assert load_bytes(context, make_regions(range(40_000, 40_200)))["state"] == "succeeded"
    assert [number for number, _ in list_names(context)] == list(range(1, 201)), "no id is used up"
    assert find_problems(context.engine) == []


def test_names_that_exist_count_for_no_limit(context: Context) -> None:
    small = change(context, new_names_limit=10)
    assert load_bytes(small, make_regions(range(10)))["state"] == "succeeded"
    assert load_bytes(small, make_regions(range(20)))["state"] == "succeeded"
    assert load_bytes(small, make_regions(range(31)))["error_code"] == "too_many_names"
    assert len(list_names(context)) == 20


def test_no_room_for_another_name_is_said(context: Context) -> None:
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("insert into region select id, 'n' || id from generate_series(1, 32767) as id")
    load = load_bytes(context, HEADER + ROW)
    assert (load["error_code"], load["rows_loaded"]) == ("too_many_names", 0)
    assert "as many as there can be" in load["error_message"]
    assert load_bytes(context, HEADER + ROW * 2)["state"] == "succeeded", "cleaning gave back what no trip carries"


def test_undone_loads_give_their_names_back_but_no_other_ones(context: Context) -> None:
    first = load_bytes(context, make_regions(range(3)))
    load_bytes(context, make_regions(range(2, 5)))
    undo_load(context.engine, context.broker, first["load_id"])
    clean_load(context, first["load_id"])
    assert [name for _, name in list_names(context)] == ["r2", "r3", "r4"]
    assert list_names(context, "datasource") == [(1, "baba_car")]
    assert find_problems(context.engine) == []


def test_worker_that_remembers_a_removed_name_looks_it_up_again(context: Context) -> None:
    other = replace(context, labels=Labels())  # another process
    first = load_bytes(context, HEADER + ROW)
    undo_load(other.engine, other.broker, first["load_id"])
    clean_load(other, first["load_id"])
    assert load_bytes(other, HEADER + ROW.replace(b"Turin", b"Rome"))["state"] == "succeeded"
    assert list_names(context) == [(1, "Rome")], "the id that was Turin's"
    load = load_bytes(context, HEADER + ROW * 2)
    assert (load["state"], load["rows_loaded"]) == ("succeeded", 2)
    counts = fetch_all(context, "select region, count(*) from trips group by region order by region")
    assert counts == [("Rome", 1), ("Turin", 2)]
    assert fetch_all(context, "select max(attempts) from load_batch") == [(1,)], "looking it up again is no attempt"


def test_name_that_a_batch_holds_is_not_removed(context: Context) -> None:
    load_bytes(context, HEADER + ROW)
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("insert into region values (7, 'held'), (8, 'free')")
    held = fetch_all(context, "select region_id from region where name = 'held'")[0][0]
    with transaction(context.engine) as connection:
        execute(connection, "hold_regions", ids=[held])
        assert drop_unused_names(context.engine) == 1
    assert [name for _, name in list_names(context)] == ["Turin", "held"]
    assert drop_unused_names(context.engine) == 1
