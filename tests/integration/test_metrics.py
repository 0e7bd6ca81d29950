"""Metrics of real processes: what a hub and a worker tell Prometheus about a load that waits, runs and is done."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from dramatiq.errors import Retry
from sqlalchemy import Engine

from infra.embedded import find_free_ports
from infra.environment import make_environment
from loader.pipeline.batch import claim_batch, load_batch
from loader.pipeline.context import Context, make_context
from loader.pipeline.planning import plan_load
from loader.telemetry.backlog import BacklogCollector, BacklogReader
from loader.telemetry.exposition import serve_metrics
from loader.telemetry.worker_metrics import WorkerMetrics
from loader.worker.actors import declare_actors
from shared.events import publish_events
from shared.loads import enqueue_load, insert_load
from shared.platform.settings import Settings
from shared.services.database import connect_database, execute, transaction
from shared.services.objects import ObjectStore, StoredObject
from shared.services.queueing import PLAN_ACTOR, connect_broker
from shared.services.redis_client import connect_redis
from tests.hub import HubServer
from tests.hub_fixtures import hub_engine, hub_settings
from tests.loading import (
    BAD_ROW,
    HEADER,
    ROW,
    change,
    list_pending,
    make_trips,
    request_load,
    running_worker,
    wait_for_state,
    wait_until,
)
from tests.monitoring import list_expressions, list_matched_labels, read_samples

__all__ = ["hub_engine", "hub_settings"]

ROWS = 400
DATA = make_trips(ROWS)[0] + BAD_ROW
SCRAPED = ("instance", "job")


@pytest.fixture(scope="module")
def hub(hub_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """A hub whose log is for machines."""
    server = HubServer.start(hub_settings.model_copy(update={"log_format": "json"}), tmp_path_factory.mktemp("hub"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def loaded(hub: HubServer, hub_engine: Engine, hub_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A load that was requested, seen to wait and loaded; gives the worker's metrics."""
    store = ObjectStore(hub_settings)
    load_id = request_load(hub_engine, store, DATA)
    wait_until(lambda: read_hub(hub)["tripdeck_loads_queued"] == 1, what="for the load in the hub's metrics", interval_s=0.2)
    assert read_hub(hub)["tripdeck_work_pending"] == 1
    enqueue_load(connect_broker(hub_settings), load_id)
    ports = find_free_ports(2)
    folder: Path = tmp_path_factory.mktemp("worker")
    settings = {"worker_metrics_port": ports[0], "batch_bytes": 10_000, "worker_threads": 1}
    with running_worker(make_environment(hub_settings), folder / "worker.log", **settings):
        load = wait_for_state(hub_engine, load_id, "succeeded", "failed")
        assert load["rows_loaded"] == ROWS
        yield f"http://127.0.0.1:{ports[0]}/metrics"


def read_hub(hub: HubServer) -> dict[str, float]:
    return read_samples(hub.get("/metrics").data.decode())


def read_url(url: str) -> dict[str, float]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return read_samples(answer.read().decode())


def test_a_worker_counts_what_it_loads(loaded: str) -> None:
    seen = read_url(loaded)
    assert seen['tripdeck_worker_rows_total{outcome="loaded"}'] == ROWS
    assert seen['tripdeck_worker_rows_total{outcome="rejected"}'] == 1
    assert seen["tripdeck_worker_bytes_total"] == len(DATA)
    batches = seen['tripdeck_worker_batches_total{outcome="done"}']
    assert batches == seen["tripdeck_worker_batch_seconds_count"] > 1
    assert seen["tripdeck_worker_batches_at_hand"] == 0


def test_hub_and_worker_tell_the_same_backlog(loaded: str, hub: HubServer) -> None:
    wait_until(
        lambda: read_hub(hub)["tripdeck_event_oldest_unrelayed_seconds"] == 0, what="for events to be relayed", interval_s=0.5
    )
    for seen in (read_url(loaded), read_hub(hub)):
        assert (seen["tripdeck_work_pending"], seen["tripdeck_batch_oldest_waiting_seconds"]) == (0, 0)
        assert (seen["tripdeck_loads_uncompacted"], seen["tripdeck_trips_uncompacted"]) == (1, ROWS)
    wait_until(lambda: read_hub(hub)["tripdeck_hub_feed_lag_events"] == 0, what="for the feed", interval_s=0.2)


def test_a_question_that_is_asked_again_is_answered_from_the_block_cache(loaded: str, hub: HubServer) -> None:
    before = read_hub(hub)
    for _ in range(2):
        assert hub.get("/api/v1/weekly-average", bbox="7,44,7.66,45.07").status == 200
    after = read_hub(hub)
    lookups, hits = (
        after[f"tripdeck_hub_block_cache_{kind}_total"] - before[f"tripdeck_hub_block_cache_{kind}_total"]
        for kind in ("lookups", "hits")
    )
    assert lookups == 2 * hits > 0


def test_labels_that_dashboard_and_alerts_match_exist(loaded: str, hub: HubServer) -> None:
    seen = [*read_url(loaded), *read_hub(hub)]
    for metric, label in list_matched_labels(list_expressions()):
        if label in SCRAPED or metric == "tripdeck_worker_retries_total":  # a retry has both or there is none
            continue
        assert any(name.startswith(f"{metric}{{") and f'{label}="' in name for name in seen), (metric, label)


def test_a_hub_whose_log_is_for_machines_logs_the_backlog(hub: HubServer) -> None:
    lines = [json.loads(line) for line in hub.log().splitlines() if line.startswith("{")]
    found = next(line for line in lines if line["message"] == "backlog")
    parts = ("batches_waiting", "batches_running", "loads_queued", "loads_planning")
    assert found["work_pending"] == sum(found[name] for name in parts)
    assert {"oldest_waiting_s", "unrelayed_s", "trips_uncompacted"} <= set(found)


def test_a_load_that_is_planned_is_pending_work(settings: Settings, engine: Engine) -> None:
    load_id = insert_queued(engine)
    with transaction(engine) as connection:
        execute(connection, "claim_planning", load_id=load_id, lease_s=20.0).one()
    with connect_redis(settings) as client:
        found = BacklogReader(engine, client, lease_s=20).read()
    assert found is not None
    assert (found.loads_queued, found.loads_planning, found.work_pending) == (0, 1, 1)


def test_a_lease_that_ran_out_is_counted_and_one_that_was_released_is_not(context: Context) -> None:
    brief = change(context, batch_lease_s=0.05, batch_bytes=10_000)
    load_id = request_load(context.engine, context.store, DATA)
    plan_load(brief, load_id)
    claimed = [claim_batch(brief, load_id, batch_no) for batch_no in (0, 1)]
    assert all(claimed)
    with transaction(context.engine) as connection:
        given_back = claimed[1]
        assert given_back is not None
        execute(connection, "release_batch", **given_back.lease, is_failure=False, is_outage=False)

    def has_loaded() -> bool:
        for batch_no in list_pending(context.engine, load_id):
            load_batch(brief, load_id, batch_no)
        return not list_pending(context.engine, load_id)

    wait_until(has_loaded, what="for the lease to run out", interval_s=0.1)
    assert context.metrics.registry.get_sample_value("tripdeck_worker_leases_expired_total", {"kind": "batch"}) == 1


def test_a_retry_is_counted_by_its_error(settings: Settings) -> None:
    [port] = find_free_ports(1)
    away = settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{port}"})
    context = make_context(away, connect_broker(away))
    declare_actors(context)
    load_id = insert_queued(context.engine)
    with pytest.raises(Retry):
        context.broker.get_actor(PLAN_ACTOR)(load_id)
    labels = {"actor": PLAN_ACTOR, "error": "store_unavailable"}
    assert context.metrics.registry.get_sample_value("tripdeck_worker_retries_total", labels) == 1
    context.engine.dispose()
    context.broker.client.close()


def insert_queued(engine: Engine) -> int:
    with transaction(engine) as connection:
        return insert_load(connection, StoredObject("nowhere", "etag", 100), file_name="trips.csv", options={})


def test_each_process_of_a_worker_has_a_port_while_there_are_ports(caplog: pytest.LogCaptureFixture) -> None:
    port = find_free_ports(3)[0]
    settings = Settings(worker_metrics_port=port, worker_processes=2)
    registries = [WorkerMetrics().registry for _ in range(3)]
    closes = [serve_metrics(settings, registry) for registry in registries]
    assert [close is not None for close in closes] == [True, True, False]
    assert "no port for metrics is free" in caplog.text
    for number in range(2):
        assert "tripdeck_worker_bytes_total" in read_url(f"http://127.0.0.1:{port + number}/metrics")
    for close in filter(None, closes):
        close()
    assert serve_metrics(Settings(), registries[0]) is None


def test_without_a_database_the_backlog_is_left_out(settings: Settings) -> None:
    [port] = find_free_ports(1)
    away = connect_database(Settings(database_url=f"postgresql://tripdeck@127.0.0.1:{port}/none"))
    client = connect_redis(settings)
    reader = BacklogReader(away, client, lease_s=20)
    assert reader.read() is None
    assert list(BacklogCollector(reader.read).collect()) == []
    client.close()
    away.dispose()


def test_an_event_waits_until_it_is_in_the_stream(settings: Settings, engine: Engine, object_store: ObjectStore) -> None:
    client = connect_redis(settings)
    request_load(engine, object_store, HEADER + ROW)
    waiting = BacklogReader(engine, client, lease_s=20).read()
    assert waiting is not None
    assert waiting.unrelayed_s > 0
    publish_events(engine, client, history=1000)
    relayed = BacklogReader(engine, client, lease_s=20).read()
    assert relayed is not None
    assert (relayed.unrelayed_s, relayed.event_position) == (0, 1)
    client.flushdb()  # numbered, but lost
    lost = BacklogReader(engine, client, lease_s=20).read()
    assert lost is not None
    assert lost.unrelayed_s > 0
    client.close()
