"""Idempotency keys: a file sent again with its key gives the load of the first request, also across restarts.

The key is written in the load's transaction, together with what makes the request: the file's name, the options, and a hash of
its bytes. So two requests at once make one load, and another file under the same key is an error rather than another file's load.
An upload in parts is begun once under a key: the key gives its id.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine

from loader.hub.support.errors import KeyReusedError, KeyTakenError
from loader.hub.uploads.uploads import Upload, Uploads
from shared.platform.errors import RequestError
from shared.services.database import execute, transaction

KEY_HEADER: Final = "Idempotency-Key"
_UPLOADS: Final = UUID("b6b3c0de-5a0f-5c43-9d0e-7a3f6f0f2f11")
_KEY: Final = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class RequestKey:
    """The key of a request, and a hash of its name and options."""

    text: str
    request_hash: str

    @property
    def upload_id(self) -> UUID:
        """Id of the upload in parts that is begun with the key."""
        return uuid5(_UPLOADS, self.text)

    def record(self, connection: Connection, load_id: int, *, content_hash: str, retention_s: float) -> None:
        """Write the key in a load's transaction. Raises: KeyTakenError, KeyReusedError: the transaction must be rolled back."""
        execute(connection, "delete_old_keys", retention_s=retention_s)
        facts = {"request_hash": self.request_hash, "content_hash": content_hash, "load_id": load_id}
        if execute(connection, "insert_key", key=self.text, **facts).first() is None:
            made = _fetch(connection, self)
            if made is not None:
                made.check(content_hash)
                raise KeyTakenError(made.load_id)


@dataclass(frozen=True, slots=True)
class KeyedLoad:
    """The load that an earlier request with the key has made."""

    load_id: int
    content_hash: str

    def check(self, content_hash: str) -> None:
        """Check that the content is the same. Raises: KeyReusedError."""
        if content_hash != self.content_hash:
            raise _refuse("another file")


class RepeatedFile:
    """The body of a repeated request: its bytes are hashed and compared, not stored."""

    def __init__(self, made: KeyedLoad) -> None:
        self._made = made
        self._hash = hashlib.sha256()

    async def write(self, chunk: bytes) -> None:
        """Hash some bytes."""
        self._hash.update(chunk)

    async def abort(self) -> None:
        """Do nothing: no bytes are stored."""

    def check(self) -> int:
        """Return the load of the first request. Raises: KeyReusedError when the content differs."""
        self._made.check(self._hash.hexdigest())
        return self._made.load_id


def make_key(header: str | None, facts: tuple[str, dict[str, Any]]) -> RequestKey | None:
    """Return the request's key; None without one. facts: file name and options. Raises: RequestError."""
    if header is None:
        return None
    if not _KEY.fullmatch(header):
        raise RequestError(f"{KEY_HEADER} is 1 to 255 visible characters of ASCII.", parameter=KEY_HEADER)
    return RequestKey(header, hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest())


def fetch_keyed(engine: Engine, key: RequestKey, *, retention_s: float) -> KeyedLoad | None:
    """Return the load of an earlier request with the key; None without one. Raises: KeyReusedError for another request."""
    with transaction(engine) as connection:
        execute(connection, "delete_old_keys", retention_s=retention_s)
        if execute(connection, "fetch_upload", upload_id=key.upload_id).first() is not None:
            raise _refuse("an upload in parts")
        return _fetch(connection, key)


def begin_keyed(uploads: Uploads, key: RequestKey, file_name: str, *, announced_bytes: int) -> tuple[Upload, bool]:
    """Return the upload of the key, and whether it is new. Raises: KeyReusedError for another request."""
    with transaction(uploads.engine) as connection:
        if _fetch(connection, key):
            raise _refuse("a file in one request")
    upload, is_new = uploads.begin_once(key.upload_id, file_name, announced_bytes=announced_bytes)
    if (upload.file_name, upload.bytes) != (file_name, announced_bytes):
        raise _refuse("another name or size")
    return upload, is_new


def _fetch(connection: Connection, key: RequestKey) -> KeyedLoad | None:
    row = execute(connection, "fetch_key", key=key.text).one_or_none()
    if row is None:
        return None
    if row.request_hash != key.request_hash:
        raise _refuse("another name or other options")
    return KeyedLoad(row.load_id, row.content_hash)


def _refuse(what: str) -> KeyReusedError:
    return KeyReusedError(f"The {KEY_HEADER} was sent before with {what}; draw a new one for each request.", parameter=KEY_HEADER)
