"""Uploads to a hub under test: what they leave in the database and the store, and uploads in parts."""

import time
from collections.abc import Callable
from typing import Final

import pytest
from sqlalchemy import Engine

from shared.platform.settings import Settings
from shared.services.database import transaction
from shared.services.objects import ObjectStore, StoredObject
from tests.services import S3Server

MIB: Final = 2**20
PART: Final = 16 * MIB


@pytest.fixture(scope="module")
def store(hub_settings: Settings) -> ObjectStore:
    return ObjectStore(hub_settings)


def wait_until(condition: Callable[[], bool], what: str, *, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)


def find_object(engine: Engine, load_id: int) -> StoredObject:
    with transaction(engine) as connection:
        row = connection.exec_driver_sql(
            "select object_key, object_etag, bytes_total from load where load_id = %(id)s", {"id": load_id}
        ).one()
    return StoredObject(*row)


def read_stored(store: ObjectStore, engine: Engine, load_id: int) -> bytes:
    return b"".join(store.read(find_object(engine, load_id)))


def count_rows(engine: Engine, table: str) -> int:
    with transaction(engine) as connection:
        return int(connection.exec_driver_sql(f"select count(*) from {table}").scalar_one())


def count_unfinished(server: S3Server, settings: Settings) -> int:
    return len(server.connect()._list_multipart_uploads(settings.s3_bucket).uploads)
