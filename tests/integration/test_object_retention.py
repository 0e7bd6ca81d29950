"""What lies in the object store although nobody needs it: uploads that were left, files of loads that are no more."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from minio.error import S3Error

from loader.hub.uploads.uploads import Upload, Uploads
from loader.pipeline.context import Context
from loader.pipeline.object_retention import drop_expired_objects, drop_stale_uploads
from shared.loads import cancel_load, retry_load, undo_load
from shared.platform.errors import ConflictError, NotFoundError, TripdeckError
from shared.services.database import transaction
from tests.conftest import S3Server
from tests.faults.test_store_lost import behind
from tests.loading import BAD_ROW, HEADER, ROW, change, load_bytes, request_load, run_load
from tests.proxy import running_proxy

DATA = os.urandom(1_000)


@pytest.fixture
def uploads(context: Context) -> Iterator[Uploads]:
    """Nothing is left on its way: other tests count what is in the same bucket."""
    uploads = Uploads(context.engine, context.store, context.broker)
    yield uploads
    with transaction(context.engine) as connection:
        left = connection.exec_driver_sql("select object_key, s3_upload_id from upload where load_id is null").all()
    for upload in left:
        context.store.abort_upload(upload.object_key, upload.s3_upload_id)


def begin(context: Context, uploads: Uploads, *, has_part: bool = True) -> Upload:
    upload = uploads.begin("trips.csv", announced_bytes=len(DATA))
    if has_part:
        context.store.put_part(upload.object_key, upload.s3_upload_id, part_number=1, data=DATA)
    return upload


def age(context: Context, table: str, column: str, by: timedelta) -> None:
    with transaction(context.engine) as connection:
        connection.exec_driver_sql(f"update {table} set {column} = {column} - %s", (by,))


def is_known(uploads: Uploads, upload_id: UUID) -> bool:
    try:
        uploads.fetch(upload_id)
    except NotFoundError:
        return False
    return True


def list_objects(context: Context) -> list[str]:
    found = context.store._client.list_objects(bucket_name=context.store.bucket, recursive=True)
    return [str(item.object_name) for item in found]


def test_upload_without_a_part_is_dropped_when_it_is_old(context: Context, uploads: Uploads) -> None:
    upload = begin(context, uploads, has_part=False)
    assert drop_stale_uploads(context) == 0
    age(context, "upload", "active_at", timedelta(hours=25))
    assert drop_stale_uploads(context) == 1
    assert not is_known(uploads, upload.upload_id)
    with pytest.raises(NotFoundError):
        context.store.list_parts(upload.object_key, upload.s3_upload_id)


def test_age_counts_from_the_last_part(context: Context, uploads: Uploads) -> None:
    upload = begin(context, uploads)
    age(context, "upload", "active_at", timedelta(hours=25))  # signed a day ago; the part has just come
    assert drop_stale_uploads(context) == 0
    assert drop_stale_uploads(context) == 0, "it is not looked at again for a day"
    assert uploads.complete(upload.upload_id, {})[1]


def test_old_part_makes_no_upload_young(context: Context, uploads: Uploads) -> None:
    begin(context, uploads)
    age(context, "upload", "active_at", timedelta(hours=1))
    assert drop_stale_uploads(change(context, upload_max_age_s=0.001)) == 1


def test_signing_is_a_sign_of_life(context: Context, uploads: Uploads) -> None:
    upload = begin(context, uploads, has_part=False)
    age(context, "upload", "active_at", timedelta(hours=25))
    uploads.sign(upload, [1])
    assert drop_stale_uploads(context) == 0


def test_joined_upload_that_became_no_load_leaves_no_object(context: Context, uploads: Uploads) -> None:
    upload = begin(context, uploads)
    parts = context.store.list_parts(upload.object_key, upload.s3_upload_id)
    context.store.complete_upload(upload.object_key, upload.s3_upload_id, parts=parts)  # its caller dies here
    assert list_objects(context) == [upload.object_key]
    age(context, "upload", "active_at", timedelta(hours=25))
    assert drop_stale_uploads(context) == 1
    assert list_objects(context) == []
    assert not is_known(uploads, upload.upload_id)


def test_upload_that_is_being_joined_is_left_alone(context: Context, uploads: Uploads) -> None:
    begin(context, uploads, has_part=False)
    age(context, "upload", "active_at", timedelta(hours=25))
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("update upload set joining_at = clock_timestamp()")
    assert drop_stale_uploads(context) == 0
    age(context, "upload", "joining_at", timedelta(minutes=3))
    assert drop_stale_uploads(context) == 1


def test_load_that_cant_be_written_can_be_asked_for_again(context: Context, uploads: Uploads) -> None:
    upload = begin(context, uploads)
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("alter table load add constraint refused check (file_name <> 'trips.csv')")
    with pytest.raises(TripdeckError, match="refused"):
        uploads.complete(upload.upload_id, {})
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("alter table load drop constraint refused")
    assert uploads.complete(upload.upload_id, {})[1], "the parts are joined already"
    assert uploads.complete(upload.upload_id, {})[1] is False


def test_upload_that_was_dropped_while_its_parts_were_joined_leaves_no_object(
    context: Context, uploads: Uploads, s3_server: S3Server
) -> None:
    upload = begin(context, uploads)
    with running_proxy(s3_server.port) as proxy, ThreadPoolExecutor(1) as pool:
        proxy.trigger = b"<CompleteMultipartUpload"
        slow = Uploads(context.engine, behind(context, proxy).store, context.broker)
        joining = pool.submit(slow.complete, upload.upload_id, {})
        assert proxy.is_triggered.wait(30)
        assert count_idle(context) == 0, "no transaction waits for the store"
        with transaction(context.engine) as connection:
            connection.exec_driver_sql("delete from upload")
        proxy.trigger = None
        proxy.is_held.clear()
        with pytest.raises(NotFoundError):
            joining.result(timeout=60)
    assert list_objects(context) == []


def count_idle(context: Context) -> Any:
    with context.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return connection.exec_driver_sql(
            "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%%'"
        ).scalar_one()


@pytest.mark.parametrize("kind", ["undone", "cancelled", "duplicate"])
def test_files_of_former_loads_go_after_the_retention(context: Context, kind: str) -> None:
    kept = load_bytes(context, HEADER + ROW + BAD_ROW)
    before = set(list_objects(context))
    load_id = make_former(context, kind)
    assert len(list_objects(context)) == len(before) + 1
    assert drop_expired_objects(context) == 0
    age(context, "load", "finished_at", timedelta(days=6))
    assert drop_expired_objects(context) == 0, "a week is the default"
    age(context, "load", "finished_at", timedelta(days=2))
    assert drop_expired_objects(context) == 1
    assert set(list_objects(context)) == before, "the load that stands keeps its file and its rejects"
    assert drop_expired_objects(context) == 0
    with pytest.raises(ConflictError, match="has been deleted since; upload it again"):
        retry_load(context.engine, context.broker, load_id)
    assert kept["state"] == "succeeded"


def make_former(context: Context, kind: str) -> int:
    """A load that is no more; returns its id."""
    if kind == "duplicate":
        return int(load_bytes(context, HEADER + ROW + BAD_ROW)["load_id"])
    load_id = request_load(context.engine, context.store, HEADER + ROW * 3)
    if kind == "undone":
        run_load(context, load_id)
        undo_load(context.engine, context.broker, load_id)
    else:
        cancel_load(context.engine, context.broker, load_id)
    run_load(context, load_id)
    return load_id


def test_object_that_a_dead_process_was_dropping_goes_too(context: Context) -> None:
    load_id = make_former(context, "undone")
    age(context, "load", "finished_at", timedelta(days=8))
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("update load set object_state = 'dropping'")
    assert drop_expired_objects(context) == 1
    assert list_objects(context) == []
    assert fetch_state(context, load_id) == "gone"


def fetch_state(context: Context, load_id: int) -> Any:
    with transaction(context.engine) as connection:
        return connection.exec_driver_sql("select object_state from load where load_id = %s", (load_id,)).scalar_one()


def test_bucket_drops_parts_that_nobody_joins(context: Context) -> None:
    context.store.ensure_bucket()
    context.store.ensure_bucket()
    try:
        found = context.store._client.get_bucket_lifecycle(bucket_name=context.store.bucket)
    except S3Error as error:
        pytest.skip(f"this store knows no lifecycle rules: {error.code}")
    rules = [rule for rule in (found.rules if found else []) if rule.rule_id == "tripdeck-loose-parts"]
    if found is None:
        pytest.skip("this store keeps no lifecycle rules for parts")
    assert len(rules) == 1
