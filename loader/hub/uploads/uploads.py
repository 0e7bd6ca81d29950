"""Uploads: files on their way into the object store, and how they become loads. Blocking; the hub runs it in threads.

An upload is a row from its first byte, so that whatever is left of it after a crash can be found and dropped.
"""

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID, uuid4

import dramatiq
from sqlalchemy import Connection, Engine

from shared.loads import enqueue_load, insert_load
from shared.platform.errors import ConflictError, FileFormatError, NotFoundError, TransientError, TripdeckError
from shared.services.database import execute, transaction
from shared.services.objects import ObjectStore, StoredObject, UploadedPart, choose_part_bytes, make_object_key

LOG = logging.getLogger(__name__)

Record = Callable[[Connection, int], None]

# Joining takes the store some 0.1 s, and 90 s before it is given up.
_JOIN_WAIT_S: Final = 100.0
_JOIN_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload in parts. bytes is 0 where the size is not known."""

    upload_id: UUID
    object_key: str
    s3_upload_id: str
    file_name: str
    bytes: int
    part_bytes: int
    load_id: int | None
    created_at: datetime

    @classmethod
    def fetch(cls, connection: Connection, upload_id: UUID, *, is_locked: bool = False) -> Self:
        """Fetch an upload. Raises: NotFoundError."""
        name = "lock_upload" if is_locked else "fetch_upload"
        row = execute(connection, name, upload_id=upload_id).mappings().one_or_none()
        if row is None:
            raise NotFoundError("There is no such upload; it may have been dropped because it was too old. Start again.")
        return cls(**row)

    @property
    def part_count(self) -> int:
        """The number of parts of the file."""
        return -(-self.bytes // self.part_bytes)

    def to_json(self, parts: list[UploadedPart]) -> dict[str, Any]:
        """Return the upload as JSON of the API."""
        return {
            "upload_id": str(self.upload_id),
            "file_name": self.file_name,
            "bytes": self.bytes,
            "part_bytes": self.part_bytes,
            "part_count": self.part_count,
            "parts_done": [{"part_number": part.part_number, "bytes": part.bytes} for part in parts],
            "load_id": self.load_id,
            "created_at": self.created_at.isoformat(),
        }


class Uploads:
    """Begins, completes and aborts uploads."""

    def __init__(self, engine: Engine, store: ObjectStore, broker: dramatiq.Broker) -> None:
        self.engine = engine
        self._store = store
        self._broker = broker

    def begin(self, file_name: str, *, announced_bytes: int = 0) -> Upload:
        """Begin a multipart upload under a random id."""
        return self.begin_once(uuid4(), file_name, announced_bytes=announced_bytes)[0]

    def begin_once(self, upload_id: UUID, file_name: str, *, announced_bytes: int) -> tuple[Upload, bool]:
        """Begin a multipart upload, unless there is one of that id; returns it, and whether it is new."""
        with contextlib.suppress(NotFoundError):
            return self.fetch(upload_id), False
        key = make_object_key()
        s3_upload_id = self._store.create_upload(key)
        try:
            with transaction(self.engine) as connection:
                execute(
                    connection,
                    "insert_upload",
                    upload_id=upload_id,
                    object_key=key,
                    s3_upload_id=s3_upload_id,
                    file_name=file_name,
                    bytes=announced_bytes,
                    part_bytes=choose_part_bytes(announced_bytes),
                )
                upload = Upload.fetch(connection, upload_id)
        except TripdeckError:
            self._abort(key, s3_upload_id)
            raise
        is_new = upload.s3_upload_id == s3_upload_id
        if not is_new:  # the same request was quicker
            self._abort(key, s3_upload_id)
        return upload, is_new

    def fetch(self, upload_id: UUID) -> Upload:
        """Fetch an upload. Raises: NotFoundError."""
        with transaction(self.engine) as connection:
            return Upload.fetch(connection, upload_id)

    def list_parts(self, upload: Upload) -> list[UploadedPart]:
        """Return the parts that the store has; none once the upload is a load."""
        return self._store.list_parts(upload.object_key, upload.s3_upload_id) if upload.load_id is None else []

    def sign(self, upload: Upload, part_numbers: list[int]) -> list[dict[str, Any]]:
        """Return presigned URLs of parts, valid for an hour."""
        with transaction(self.engine) as connection:
            execute(connection, "touch_upload", upload_id=upload.upload_id)
        return [
            {"part_number": n, "url": self._store.sign_part(upload.object_key, upload.s3_upload_id, part_number=n)}
            for n in part_numbers
        ]

    def complete(self, upload_id: UUID, options: dict[str, Any]) -> tuple[int, bool]:
        """Join what the store has of an upload and ask for its load; returns the load, and whether it is new.

        Raises: ConflictError when bytes are missing, NotFoundError when the upload is gone.
        """
        upload = self._claim(upload_id)
        if upload.load_id is not None:
            return upload.load_id, False
        try:
            stored = self._join(upload)  # a network call: outside a transaction
            with transaction(self.engine) as connection:
                upload = Upload.fetch(connection, upload_id, is_locked=True)
                if upload.load_id is not None:  # the claim had run out
                    return upload.load_id, False
                load_id = _insert_load(connection, upload, stored, options=options)
        except TripdeckError as error:
            self._give_up(upload, error)
            raise
        self._ring(load_id)
        return load_id, True

    def finish(self, upload: Upload, parts: list[UploadedPart], options: dict[str, Any], *, record: Record) -> int:
        """Join the parts of a file that came through the hub and ask for its load; returns the load.

        record writes more in the load's transaction, or refuses it.
        """
        stored = self._store.complete_upload(upload.object_key, upload.s3_upload_id, parts=parts)
        with transaction(self.engine) as connection:
            load_id = _insert_load(connection, upload, stored, options=options)
            record(connection, load_id)
        self._ring(load_id)
        return load_id

    def drop(self, upload_id: UUID) -> None:
        """Abort an upload and delete its parts. Raises: NotFoundError, ConflictError when it is a load already."""
        with transaction(self.engine) as connection:
            upload = Upload.fetch(connection, upload_id, is_locked=True)
            if upload.load_id is not None:
                raise ConflictError(f"The upload is load {upload.load_id} by now; cancel or undo that.", load_id=upload.load_id)
            execute(connection, "delete_upload", upload_id=upload_id)
        self._store.abort_upload(upload.object_key, upload.s3_upload_id)
        self._store.remove(upload.object_key)

    def _abort(self, key: str, s3_upload_id: str) -> None:
        with contextlib.suppress(TripdeckError):
            self._store.abort_upload(key, s3_upload_id)

    def _claim(self, upload_id: UUID) -> Upload:
        """Fetch an upload when nobody else joins its parts: another call would see parts that are just being taken away.

        Raises: NotFoundError, TransientError when somebody does so for long.
        """
        deadline = time.monotonic() + _JOIN_WAIT_S
        while time.monotonic() < deadline:
            with transaction(self.engine) as connection:
                is_ours = execute(connection, "claim_upload", upload_id=upload_id).first() is not None
                upload = Upload.fetch(connection, upload_id)
            if is_ours or upload.load_id is not None:
                return upload
            time.sleep(_JOIN_POLL_S)
        raise TransientError("Another call is completing this upload; ask again in a moment.", code="busy")

    def _give_up(self, upload: Upload, error: TripdeckError) -> None:
        with contextlib.suppress(TripdeckError):
            if isinstance(error, NotFoundError):  # dropped meanwhile: so must be what has just been joined
                self._store.remove(upload.object_key)
            with transaction(self.engine) as connection:
                execute(connection, "release_upload", upload_id=upload.upload_id)

    def _join(self, upload: Upload) -> StoredObject:
        try:
            parts = self._store.list_parts(upload.object_key, upload.s3_upload_id)
        except NotFoundError:
            # Joined before, by a call that died.
            stored = self._store.stat(upload.object_key)
        else:
            _check_bytes(upload, sum(part.bytes for part in parts))
            stored = self._store.complete_upload(upload.object_key, upload.s3_upload_id, parts=parts)
        _check_bytes(upload, stored.bytes)
        return stored

    def _ring(self, load_id: int) -> None:
        enqueue_load(self._broker, load_id)
        LOG.info("load requested", extra={"load_id": load_id})


def check_size(announced_bytes: int) -> None:
    """Check that a file is not empty. Raises: FileFormatError."""
    if announced_bytes == 0:
        raise FileFormatError("The file is empty.", code="empty_file")


def _insert_load(connection: Connection, upload: Upload, stored: StoredObject, *, options: dict[str, Any]) -> int:
    load_id = insert_load(connection, stored, file_name=upload.file_name, options=options)
    execute(connection, "complete_upload", upload_id=upload.upload_id, load_id=load_id, bytes=stored.bytes)
    return load_id


def _check_bytes(upload: Upload, stored_bytes: int) -> None:
    if stored_bytes != upload.bytes:
        raise ConflictError(
            f"The object store has {stored_bytes} of {upload.bytes} bytes; send the parts that are missing, then complete again.",
            code="upload_incomplete",
        )
