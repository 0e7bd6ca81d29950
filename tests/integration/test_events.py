"""Events: the outbox, its positions, and the stream that copies it."""

import json
import threading
from itertools import pairwise
from typing import Any

import redis
from sqlalchemy import Engine

from loader.pipeline.context import Context
from loader.pipeline.finishing import clean_load
from loader.webhooks.deliveries import queue_deliveries
from loader.worker.maintenance import Maintenance
from shared.events import STREAM, list_events_after, publish_events, record_event
from shared.loads import undo_load
from shared.services.database import execute, transaction
from tests.loading import HEADER, ROW, change, load_bytes, make_trips, request_load, wait_until

HISTORY = 1_000


def read_stream(client: "redis.Redis") -> list[dict[str, Any]]:
    entries: Any = client.xrange(STREAM)
    return [json.loads(fields["event"]) for _, fields in entries]


def record(engine: Engine, load_id: int, kind: str = "batch") -> None:
    with transaction(engine) as connection:
        record_event(connection, load_id, kind)


def test_a_load_tells_its_story_in_order(context: Context, redis_client: "redis.Redis") -> None:
    data, tally = make_trips(2_000)
    load_id = load_bytes(change(context, batch_bytes=50_000), data)["load_id"]
    undo_load(context.engine, context.broker, load_id)
    clean_load(context, load_id)
    publish_events(context.engine, redis_client, history=HISTORY)
    events = read_stream(redis_client)
    kinds = [event["kind"] for event in events]
    assert kinds[:2] == ["queued", "planned"]
    assert kinds[-3:] == ["succeeded", "undone", "cleaned"]
    assert set(kinds[2:-3]) == {"batch"}
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    by_kind = {event["kind"]: event for event in events}
    assert by_kind["succeeded"]["rows_loaded"] == tally.rows
    assert by_kind["succeeded"]["bytes_read"] == by_kind["succeeded"]["bytes_total"] == len(data)
    assert by_kind["cleaned"]["rows_loaded"] == 0
    read = [event["rows_read"] for event in events[:-2]]
    assert read == sorted(read)


def test_progress_is_conflated_and_the_end_is_not(context: Context) -> None:
    data, _ = make_trips(3_000)
    load = load_bytes(change(context, batch_bytes=4_000), data)
    with transaction(context.engine) as connection:
        events = connection.exec_driver_sql("select kind, at from load_event order by seq").all()
    batches = [event.at for event in events if event.kind == "batch"]
    assert 1 <= len(batches) < load["batches_total"] / 2
    gaps = [(after - before).total_seconds() for before, after in pairwise(batches)]
    assert all(gap >= 0.29 for gap in gaps)
    assert events[-1].kind == "succeeded"


def test_publishing_twice_or_from_two_sides_adds_nothing(engine: Engine, context: Context, redis_client: "redis.Redis") -> None:
    load_bytes(context, HEADER + ROW)
    barrier = threading.Barrier(4)

    def publish() -> None:
        barrier.wait()
        publish_events(engine, redis_client, history=HISTORY)

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = read_stream(redis_client)
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    assert publish_events(engine, redis_client, history=HISTORY) == 0


def test_wiped_stream_is_filled_again(context: Context, redis_client: "redis.Redis") -> None:
    load_bytes(context, HEADER + ROW)
    publish_events(context.engine, redis_client, history=HISTORY)
    before = read_stream(redis_client)
    redis_client.flushall()
    assert publish_events(context.engine, redis_client, history=HISTORY) == len(before) > 0
    assert read_stream(redis_client) == before


def test_positions_follow_commits_not_insertions(context: Context, redis_client: "redis.Redis") -> None:
    first = request_load(context.engine, context.store, HEADER + ROW)
    second = request_load(context.engine, context.store, HEADER + ROW * 2)
    publish_events(context.engine, redis_client, history=HISTORY)
    with transaction(context.engine) as late:
        record_event(late, first, "batch")
        record(context.engine, second)
        publish_events(context.engine, redis_client, history=HISTORY)
        assert read_stream(redis_client)[-1]["load_id"] == second
    publish_events(context.engine, redis_client, history=HISTORY)
    events = read_stream(redis_client)
    assert [event["load_id"] for event in events] == [first, second, second, first]
    assert [event["position"] for event in events] == [1, 2, 3, 4]


def test_many_events_are_numbered_in_pages(context: Context, redis_client: "redis.Redis") -> None:
    load_id = request_load(context.engine, context.store, HEADER + ROW)
    for _ in range(2_500):
        with transaction(context.engine) as connection:
            execute(connection, "insert_event", load_id=load_id, kind="batch", min_gap_s=0)
    assert publish_events(context.engine, redis_client, history=10_000) == 2_501
    with transaction(context.engine) as connection:
        assert [event["position"] for event in list_events_after(connection, 2_498, 10)] == [2_499, 2_500, 2_501]


def test_old_events_are_trimmed_but_never_the_last_of_a_load(context: Context, redis_client: "redis.Redis") -> None:
    quiet = load_bytes(context, HEADER + ROW)["load_id"]
    busy = request_load(context.engine, context.store, HEADER + ROW * 2)
    for _ in range(30):
        record(context.engine, busy)
    publish_events(context.engine, redis_client, history=HISTORY)
    with transaction(context.engine) as connection:
        assert execute(connection, "delete_old_events", keep=10).scalar_one() == 0, "webhooks have not seen them"
    queue_deliveries(context.engine)
    with transaction(context.engine) as connection:
        deleted = execute(connection, "delete_old_events", keep=10).scalar_one()
        left = connection.exec_driver_sql("select load_id, kind, position from load_event order by position").all()
    assert deleted > 20
    assert left[0].load_id == quiet
    assert left[0].kind == "succeeded"
    assert len(left) == 11


def test_events_are_published_at_once_when_notified(context: Context, redis_client: "redis.Redis") -> None:
    maintenance = Maintenance(context)
    maintenance.start()
    try:
        load_bytes(context, HEADER + ROW)
        wait_until(lambda: [event for event in read_stream(redis_client) if event["kind"] == "succeeded"], timeout_s=5)
    finally:
        maintenance.stop()


def test_events_written_just_before_the_end_are_published(context: Context, redis_client: "redis.Redis") -> None:
    maintenance = Maintenance(context)
    maintenance.start()
    load_id = request_load(context.engine, context.store, HEADER + ROW)
    maintenance.stop()
    assert read_stream(redis_client)[-1]["load_id"] == load_id
