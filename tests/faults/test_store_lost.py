"""The object store fails, or the file is not what was planned: no short batch is taken for a whole one."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from loader.checks.consistency import find_problems
from loader.pipeline.batch import load_batch
from loader.pipeline.context import Context
from loader.pipeline.finishing import clean_load
from loader.pipeline.planning import plan_load
from shared.loads import cancel_load, fetch_load
from shared.platform.errors import TransientError
from shared.services.database import transaction
from shared.services.objects import ObjectStore
from tests.conftest import S3Server
from tests.loading import change, list_pending, make_trips, request_load, run_load, wait_until
from tests.proxy import Proxy, running_proxy

pytestmark = pytest.mark.faults


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[Proxy]:
    with running_proxy(s3_server.port) as proxy:
        yield proxy


def behind(context: Context, proxy: Proxy) -> Context:
    """The same context, reaching the store through the proxy."""
    settings = context.settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{proxy.port}", "batch_bytes": 200_000})
    return replace(context, settings=settings, store=ObjectStore(settings))


def fetch_attempts(context: Context) -> list[int]:
    with transaction(context.engine) as connection:
        return list(connection.exec_driver_sql("select attempts from load_batch order by batch_no").scalars())


@pytest.mark.parametrize("limit_bytes", [0, 1_000, 150_000])
def test_body_cut_short_is_read_again(context: Context, proxy: Proxy, limit_bytes: int) -> None:
    context = behind(context, proxy)
    data, tally = make_trips(4_000)
    load_id = request_load(context.engine, context.store, data)
    plan_load(context, load_id)
    proxy.limit_bytes = limit_bytes
    try:
        load_batch(context, load_id, 0)
    except TransientError:
        assert fetch_attempts(context)[0] == 0, "a failure that passes by itself is no attempt"
    assert proxy.cuts == 1
    load = run_load(context, load_id)
    assert (load["state"], load["rows_loaded"]) == ("succeeded", tally.rows)
    assert find_problems(context.engine) == []


def test_store_lost_while_planning_is_tried_again(context: Context, proxy: Proxy) -> None:
    context = behind(context, proxy)
    data, tally = make_trips(20_000)
    load_id = request_load(context.engine, context.store, data)
    proxy.limit_bytes = 1_500_000
    with pytest.raises(TransientError):
        plan_load(context, load_id)
    assert fetch_load(context.engine, load_id)["state"] == "planning"
    assert run_load(context, load_id)["rows_loaded"] == tally.rows
    assert find_problems(context.engine) == []


def test_file_changed_after_planning_fails_the_load(context: Context) -> None:
    context = change(context, batch_bytes=50_000)
    data, _ = make_trips(1_500)
    load_id = request_load(context.engine, context.store, data)
    plan_load(context, load_id)
    load_batch(context, load_id, 0)
    other, _ = make_trips(1_500, seed=2)
    with transaction(context.engine) as connection:
        key = connection.exec_driver_sql("select object_key from load").scalar_one()
    context.store.put(key, io.BytesIO(other), length=len(other))
    load = run_load(context, load_id)
    assert (load["state"], load["error_code"], load["rows_loaded"]) == ("failed", "file_changed", 0)
    assert find_problems(context.engine) == []


@pytest.mark.parametrize("is_planned", [False, True])
def test_file_deleted_fails_the_load(context: Context, is_planned: bool) -> None:
    context = change(context, batch_bytes=50_000)
    data, _ = make_trips(1_500)
    load_id = request_load(context.engine, context.store, data)
    if is_planned:
        plan_load(context, load_id)
        load_batch(context, load_id, 0)
    with transaction(context.engine) as connection:
        context.store.remove(connection.exec_driver_sql("select object_key from load").scalar_one())
    load = run_load(context, load_id)
    assert (load["state"], load["rows_loaded"]) == ("failed", 0)
    assert load["error_code"] in ("file_missing", "not_found")
    assert find_problems(context.engine) == []


def test_part_of_a_packed_file_lost_fails_the_load(context: Context) -> None:
    context = change(context, batch_bytes=50_000)
    data, _ = make_trips(1_500)
    load_id = request_load(context.engine, context.store, data.decode().encode("utf-16"))
    plan_load(context, load_id)
    with transaction(context.engine) as connection:
        key = connection.exec_driver_sql("select slice -> 'part' ->> 'key' from load_batch where batch_no = 1").scalar_one()
    context.store.remove(key)
    assert len(list_pending(context.engine, load_id)) > 1
    assert run_load(context, load_id)["state"] == "failed"
    assert find_problems(context.engine) == []


def test_load_cancelled_while_it_is_planned_leaves_no_parts(context: Context, proxy: Proxy) -> None:
    slow = behind(context, proxy)
    data, _ = make_trips(6_000)
    load_id = request_load(context.engine, context.store, data.decode().encode("utf-16"))
    proxy.is_held.set()
    with ThreadPoolExecutor(1) as pool:
        planning = pool.submit(plan_load, slow, load_id)
        wait_until(lambda: fetch_load(context.engine, load_id)["state"] == "planning")
        cancel_load(context.engine, context.broker, load_id)
        clean_load(context, load_id)
        proxy.is_held.clear()
        planning.result(timeout=60)
    assert fetch_load(context.engine, load_id)["state"] == "cancelled"
    assert list(context.store._client.list_objects(context.store.bucket, prefix="files/", recursive=True))
    assert not [
        o for o in context.store._client.list_objects(context.store.bucket, recursive=True) if ".parts/" in str(o.object_name)
    ]
    assert find_problems(context.engine) == []
