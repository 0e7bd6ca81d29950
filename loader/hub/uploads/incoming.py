"""A file in a request's body, on its way into the object store: part by part, two in memory at most.

Nothing is begun before its first bytes have come, so that a silent connection takes nobody's place.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from loader.hub.services import Services
from loader.hub.support.errors import TooLargeError
from loader.hub.support.executors import BoundedExecutor
from loader.hub.support.pace import Pace
from loader.hub.uploads.idempotency import RequestKey
from loader.hub.uploads.uploads import Upload, Uploads, check_size
from shared.platform.errors import TripdeckError
from shared.services.objects import ObjectStore, UploadedPart

LOG = logging.getLogger(__name__)

# A file of unknown size starts with the smallest parts. S3 takes 10,000: growing every 800 parts reaches 1 TiB.
_GROWTH_PARTS: Final = 800


class IncomingFile:
    """The body of one upload request."""

    def __init__(
        self,
        services: Services,
        file_name: str,
        *,
        announced_bytes: int,
        pace: Pace,
        give_up: Callable[[], None],
        key: RequestKey | None = None,
    ) -> None:
        self.upload: Upload | None = None
        self.bytes = 0
        self.pace = pace
        self.give_up = give_up
        self._file_name = file_name
        self._key = key
        self._hash = hashlib.sha256()
        self._announced_bytes = announced_bytes
        self._services = services
        self._uploads = make_uploads(services)
        self._store: ObjectStore = services.store
        self._executor: BoundedExecutor = services.executors.transfers
        self._buffer = bytearray()
        self._sending: asyncio.Task[UploadedPart] | None = None
        self._parts: list[UploadedPart] = []
        self._parts_begun = 0
        self._is_closed = False

    @property
    def part_bytes(self) -> int:
        """Size of the part that is being filled. Units: bytes."""
        upload = self._begun
        return upload.part_bytes * (1 if upload.bytes else 1 + self._parts_begun // _GROWTH_PARTS)

    @property
    def _begun(self) -> Upload:
        assert self.upload is not None  # noqa: S101 - for the type checker: begun with the first bytes
        return self.upload

    async def write(self, chunk: bytes) -> None:
        """Take some bytes; waits while a part is on its way and the next is full. Raises: TooLargeError, TransientError."""
        if self._is_closed:
            return
        self.bytes += len(chunk)
        self._services.metrics.received_bytes.inc(len(chunk))
        check_limit(self.bytes, self._services.settings.upload_limit_bytes)
        if self.upload is None:
            await self._begin()
            if self._is_closed:
                return
        self._buffer += chunk
        if self._key:
            self._hash.update(chunk)
        if len(self._buffer) >= self.part_bytes:
            await self._send()

    async def finish(self, options: dict[str, object]) -> int:
        """Store the last part and request the load; returns its id. Raises: FileFormatError, TransientError."""
        try:
            check_size(self.bytes)
            if self._buffer:
                await self._send()
            await self._wait()
        except TripdeckError:
            await self.abort()
            raise
        self._close()
        try:
            return await self._executor.run(self._uploads.finish, self._begun, self._parts, options, record=self._record)
        except TripdeckError:
            await self._drop()
            raise

    def _record(self, connection: Connection, load_id: int) -> None:
        if self._key:
            retention_s = self._services.settings.idempotency_retention_s
            self._key.record(connection, load_id, content_hash=self._hash.hexdigest(), retention_s=retention_s)

    async def abort(self) -> None:
        """Abort the upload, unless all bytes have been received and its load is being requested."""
        if self._is_closed:
            return
        self._close()
        if self._sending:
            await asyncio.gather(self._sending, return_exceptions=True)
        await self._drop()

    async def _begin(self) -> None:
        await self._services.upload_gate.enter(self)
        if self._is_closed:  # the client went away meanwhile
            self._services.upload_gate.leave(self)
            return
        try:
            self.upload = await self._executor.run(self._uploads.begin, self._file_name, announced_bytes=self._announced_bytes)
        except BaseException:
            self._close()
            raise
        if self._is_closed:
            await self._drop()

    async def _drop(self) -> None:
        if self.upload is None:
            return
        try:
            await self._executor.run(self._uploads.drop, self.upload.upload_id)
        except TripdeckError as error:
            # The reconciler drops what has been left for a day.
            LOG.warning("a broken upload stays for now", extra={"upload_id": self.upload.upload_id, "reason": error.message})

    async def _send(self) -> None:
        await self._wait()
        data, self._buffer = bytes(self._buffer), bytearray()
        self._parts_begun += 1
        self._sending = asyncio.ensure_future(
            self._executor.run(
                self._store.put_part,
                self._begun.object_key,
                self._begun.s3_upload_id,
                part_number=self._parts_begun,
                data=data,
            )
        )

    async def _wait(self) -> None:
        if self._sending:
            self._parts.append(await self._sending)
            self._sending = None

    def _close(self) -> None:
        self._is_closed = True
        self._buffer = bytearray()
        self._services.upload_gate.leave(self)


def make_uploads(services: Services) -> Uploads:
    """Return the uploads over the process's connections."""
    return Uploads(services.engine, services.store, services.broker)


def check_limit(size: int, limit: int) -> None:
    """Check that a file is within the upload limit. Raises: TooLargeError."""
    if size > limit:
        raise TooLargeError(f"A file may have at most {limit} bytes here.")
