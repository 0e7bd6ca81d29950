"""Reading ahead: every byte in order, errors where they belong, and no thread left behind."""

import io
import os
import threading
from dataclasses import replace

import pytest

from loader.pipeline.context import Context
from loader.pipeline.read_ahead import read_ahead
from shared.platform.errors import FileFormatError
from shared.services.objects import ObjectStore, StoredObject, make_object_key

BLOCK_BYTES = 1_000


@pytest.fixture
def data() -> bytes:
    return os.urandom(7 * BLOCK_BYTES + 1)


@pytest.fixture
def store(context: Context) -> ObjectStore:
    return context.store


@pytest.fixture
def stored(store: ObjectStore, data: bytes) -> StoredObject:
    return store.put(make_object_key(), io.BytesIO(data), length=len(data))


def names() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("read ahead")]


def test_every_byte_comes_in_order(store: ObjectStore, stored: StoredObject, data: bytes) -> None:
    blocks = list(read_ahead(store, stored, block_bytes=BLOCK_BYTES))
    assert ([len(block) for block in blocks], b"".join(blocks)) == ([BLOCK_BYTES] * 7 + [1], data)
    assert names() == []


def test_an_empty_object_has_no_blocks(store: ObjectStore) -> None:
    assert list(read_ahead(store, store.put(make_object_key(), io.BytesIO(b""), length=0))) == []


def test_another_version_is_refused(store: ObjectStore, stored: StoredObject) -> None:
    with pytest.raises(FileFormatError):
        list(read_ahead(store, replace(stored, etag="0" * 32), block_bytes=BLOCK_BYTES))
    assert names() == []


def test_a_reader_that_stops_leaves_no_thread(store: ObjectStore, stored: StoredObject, data: bytes) -> None:
    blocks = read_ahead(store, stored, block_bytes=BLOCK_BYTES)
    assert next(blocks) == data[:BLOCK_BYTES]
    blocks.close()
    assert names() == []
