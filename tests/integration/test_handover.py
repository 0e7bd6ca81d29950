"""Handing published loads over to Druid: a contract test against a stand-in that validates what it gets and reads the files."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from loader.pipeline.context import Context
from loader.publishing import handover
from loader.publishing.engines.druid import choose_granularity, list_chunk_bounds
from loader.publishing.engines.engine import PublishedLoad
from loader.publishing.handover import hand_over
from loader.publishing.publication import publish_load
from loader.worker.maintenance import reconcile
from shared.loads import undo_load
from shared.platform.errors import TransientError
from shared.publications import fetch_publication, request_publication
from shared.services.database import transaction
from tests.integration.test_publishing import list_kinds
from tests.loading import change, load_bytes, make_trips
from tests.overlord import NATIVE_TASK, REPLACE, Overlord, is_aligned, running_overlord

ROWS = 900


@pytest.fixture
def overlord(context: Context) -> Iterator[Overlord]:
    with running_overlord(context.settings) as overlord:
        yield overlord


@pytest.fixture(params=["druid", "druid_sql"])
def druid(request: pytest.FixtureRequest, context: Context, overlord: Overlord, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A context whose loads go to the stand-in; it is asked without pauses."""
    monkeypatch.setattr(handover, "POLL_S", 0.0)
    return change(context, publish_engine=request.param, engine_url=f"http://127.0.0.1:{overlord.port}")


def publish(context: Context, seed: int = 1) -> int:
    load_id: int = load_bytes(context, make_trips(ROWS, seed=seed)[0])["load_id"]
    request_publication(context.engine, context.broker, load_id, settings=context.settings)
    publish_load(context, load_id)
    return load_id


def fetch(context: Context, load_id: int) -> dict[str, Any]:
    [found] = fetch_publication(context.engine, load_id, settings=context.settings)["handovers"]
    handover: dict[str, Any] = found
    return handover


def step(context: Context, load_id: int, *states: str) -> None:
    """Take a step for each state, and expect it."""
    for state in states:
        hand_over(context, load_id)
        assert fetch(context, load_id)["state"] == state, fetch(context, load_id)


def test_a_load_is_taken_in_counted_and_removed_with_its_undo(druid: Context, overlord: Overlord) -> None:
    first, second = publish(druid), publish(druid, seed=2)
    for load_id in (first, second):
        assert fetch(druid, load_id)["state"] == "queued"
        step(druid, load_id, "running", "succeeded")
    assert {load_id: len(times) for load_id, times in overlord.rows["trips"].items()} == {first: ROWS, second: ROWS}
    assert fetch(druid, first)["rows_counted"] == ROWS
    assert list_kinds(druid, first)[-1] == "handed_over"
    undo_load(druid.engine, druid.broker, first)
    publish_load(druid, first)  # its files go first
    step(druid, first, "undoing", "undone")
    assert {load_id: len(times) for load_id, times in overlord.rows["trips"].items()} == {first: 0, second: ROWS}
    assert list_kinds(druid, first)[-1] == "handed_back"


def test_a_task_is_stored_before_it_is_sent_and_without_secrets(druid: Context, overlord: Overlord) -> None:
    load_id = publish(druid)
    overlord.refuses = 100
    with pytest.raises(TransientError, match="refuses for now"):
        hand_over(druid, load_id)
    stored = fetch(druid, load_id)
    assert stored["state"] == "running"
    assert stored["task_id"] in overlord.submissions  # the stand-in took it and said 503
    assert druid.settings.s3_secret_key.get_secret_value() not in json.dumps(stored)
    overlord.refuses = 0
    step(druid, load_id, "succeeded")
    assert overlord.submissions == [stored["task_id"]]


def test_a_lost_answer_is_looked_up(druid: Context, overlord: Overlord) -> None:
    load_id = publish(druid)
    overlord.loses_answers = 1
    with pytest.raises(TransientError, match="can't be reached"):
        hand_over(druid, load_id)
    step(druid, load_id, "succeeded")
    assert len(overlord.submissions) == 1
    assert len(overlord.rows["trips"][load_id]) == ROWS


def test_a_task_that_never_came_is_sent_again_under_its_id(druid: Context, overlord: Overlord) -> None:
    load_id = publish(druid)
    step(druid, load_id, "running")
    overlord.tasks.clear()
    step(druid, load_id, "running", "succeeded")
    assert len(set(overlord.submissions)) == 1
    assert len(overlord.rows["trips"][load_id]) == ROWS


def test_a_running_task_is_asked_again_by_the_reconciler(druid: Context, overlord: Overlord) -> None:
    load_id = publish(druid)
    overlord.hold.set()
    step(druid, load_id, "running", "running", "running")
    druid.broker.client.flushall()
    reconcile(druid)
    assert druid.broker.client.llen("dramatiq:load") == 1
    overlord.hold.clear()
    step(druid, load_id, "succeeded")


def test_a_failed_task_tells_why_and_is_tried_again_on_request(druid: Context, overlord: Overlord) -> None:
    load_id = publish(druid)
    overlord.fails = "Worker was lost"
    step(druid, load_id, "running", "failed")
    found = fetch(druid, load_id)
    assert found["error_code"] == "engine_task_failed"
    assert "Worker was lost" in found["error_message"]
    assert list_kinds(druid, load_id)[-1] == "handover_failed"
    request_publication(druid.engine, druid.broker, load_id, settings=druid.settings)
    step(druid, load_id, "running", "succeeded")
    assert len(set(overlord.submissions)) == 2


def test_rows_that_are_not_there_yet_are_waited_for_and_too_many_are_an_error(druid: Context, overlord: Overlord) -> None:
    load_id = publish(druid)
    step(druid, load_id, "running")
    overlord.fetch_status(fetch(druid, load_id)["task_id"])
    hidden = overlord.rows["trips"][load_id].pop()
    with pytest.raises(TransientError, match=f"counts {ROWS - 1} of {ROWS} rows"):
        hand_over(druid, load_id)
    overlord.rows["trips"][load_id] += [hidden, hidden]
    step(druid, load_id, "failed")
    assert fetch(druid, load_id)["error_code"] == "rows_differ"


def test_undo_before_anything_was_sent_sends_nothing(druid: Context, overlord: Overlord) -> None:
    load_id = publish(druid)
    undo_load(druid.engine, druid.broker, load_id)
    hand_over(druid, load_id)
    assert fetch(druid, load_id)["state"] == "undone"
    assert overlord.submissions == []


def test_undo_of_a_running_task_shuts_it_down(druid: Context, overlord: Overlord) -> None:
    load_id = publish(druid)
    overlord.hold.set()
    step(druid, load_id, "running")
    undo_load(druid.engine, druid.broker, load_id)
    step(druid, load_id, "undo_queued", "undone")
    assert overlord.rows == {}


def test_undo_while_a_task_is_being_sent_takes_it_back(
    druid: Context, overlord: Overlord, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_id = publish(druid)
    take = overlord._run

    def undo_first(task_id: str, table: str, work: Any) -> tuple[int, Any]:
        if not overlord.submissions:
            undo_load(druid.engine, druid.broker, load_id)
            with transaction(druid.engine) as connection:
                connection.exec_driver_sql("update handover set due_at = clock_timestamp()")
            hand_over(druid, load_id)
            assert fetch(druid, load_id)["state"] == "undone"
        return take(task_id, table, work)

    monkeypatch.setattr(overlord, "_run", undo_first)
    hand_over(druid, load_id)
    overlord.fetch_status(overlord.submissions[0])
    assert len(overlord.rows["trips"][load_id]) == ROWS
    step(druid, load_id, "undoing", "undone")
    assert overlord.rows["trips"][load_id] == []


def test_an_engine_that_refuses_ends_a_handover_with_its_words(druid: Context) -> None:
    load_id = publish(druid)
    with transaction(druid.engine) as connection:
        connection.exec_driver_sql("update publication set manifest = jsonb_set(manifest, '{columns,1,name}', '\"no_such\"')")
    step(druid, load_id, "failed")
    assert fetch(druid, load_id)["error_code"] == "engine_refuses"
    assert "no_such" in fetch(druid, load_id)["error_message"]


def make_load(rows: int, first_at: str, last_at: str) -> PublishedLoad:
    return PublishedLoad(17, "exports/17/", ["part-00000.parquet"], rows, first_at, last_at, [])


@pytest.mark.parametrize(
    ("rows", "days", "expected"),
    [(1_000, 1, "YEAR"), (2_000_000, 30, "MONTH"), (30_000_000, 30, "DAY"), (900_000_000, 30, "HOUR"), (1_000, 0, "YEAR")],
)
def test_time_chunks_are_chosen_by_the_rows_of_a_day(rows: int, days: int, expected: str) -> None:
    load = make_load(
        rows, "2026-02-03T04:05:06.000007", f"2026-{'03-05' if days == 30 else '02-0' + str(3 + days)}T04:05:06.000007"
    )
    assert choose_granularity(load) == expected


@pytest.mark.parametrize("granularity", ["HOUR", "DAY", "MONTH", "YEAR"])
@pytest.mark.parametrize(
    ("first_at", "last_at"), [("2025-12-31T23:59:59.9", "2025-12-31T23:59:59.9"), ("2024-02-29T00:00:00", "2026-01-31T12:00:00")]
)
def test_undo_rewrites_whole_time_chunks(granularity: str, first_at: str, last_at: str) -> None:
    load = make_load(1, first_at, last_at)
    first, last = list_chunk_bounds(load, granularity)
    assert is_aligned(first, granularity)
    assert is_aligned(last, granularity)
    assert first.isoformat() <= first_at
    assert last.isoformat() > last_at


@pytest.mark.parametrize("change_", [{"id": "a b"}, {"spec": {}}, {"context": {}}, {"type": "index"}, {"surplus": 1}])
def test_the_stand_in_refuses_what_is_broken(context: Context, overlord: Overlord, change_: dict[str, Any]) -> None:
    from loader.publishing.engines.druid import DruidEngine

    task = DruidEngine(context.settings).specify(make_load(1, "2026-01-01T00:00:00", "2026-01-01T00:00:00"), "t").specification
    task["spec"]["dataSchema"]["dimensionsSpec"]["dimensions"] = [{"type": "string", "name": "region"}]
    jsonschema.validate(task, NATIVE_TASK)
    with pytest.raises(jsonschema.ValidationError):
        overlord.submit_native(task | change_)
    assert not REPLACE.match('REPLACE INTO "trips" OVERWRITE ALL SELECT * FROM "trips" WHERE "load_id" <> 17 PARTITIONED BY DAY')
