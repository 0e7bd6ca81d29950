"""A run of a source: list what stands at its address, and read each version that was not read before.

1. Claim: take the lease, committed first. One worker works at a source, so that objects are read in the order they were found.
2. List: each version (key, ETag) is a row of the ledger, once. Dates play no part: an object may come late, or with an old date.
3. For each version to be read: count the start, committed first; copy exactly that version (If-Match) into the product's bucket
   under a key that the row holds; compare its header with those that the source has had.
4. One transaction: the lease is still ours, the row says loaded, the load is queued. Whatever dies before has requested nothing.

A version that was replaced or deleted meanwhile is marked as changed, and the source is listed again. Failures that pass by
themselves are tried again at the next run, a few times; others wait for a person.
"""

import io
import logging
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from loader.formats import SAMPLE_BYTES
from loader.pipeline.context import Context
from loader.pipeline.leases import STOPPING, Lease, LoadEndedError, Work
from loader.sources.readers import ChangedError, Reader, Version, make_reader
from loader.storage.object_ranges import ObjectRanges
from loader.storage.remembered_options import Beginning
from shared.loads import enqueue_load, insert_load
from shared.platform.errors import FileFormatError, TerminalError, TransientError
from shared.platform.source_address import SourceAddress, parse_address
from shared.services.database import execute, transaction
from shared.services.objects import StoredObject, make_object_key

LOG = logging.getLogger(__name__)

# A run makes way for others after so long; its source is due again at once.
_TURN_S: Final = 30.0
_READ_BYTES: Final = 2**20
# A listing that failed for good may be mended by whoever owns the address.
_RETRY_S: Final = 60.0

Row = dict[str, Any]


def run_source(context: Context, source_id: int, *, turn_s: float = _TURN_S) -> None:
    """List a source that is due and read what is new, unless another worker does. Raises: TransientError."""
    with transaction(context.engine) as connection:
        lease_s = context.settings.batch_lease_s
        row = execute(connection, "claim_source", source_id=source_id, lease_s=lease_s).mappings().one_or_none()
    if row is None:
        return
    key = {"source_id": source_id, "lease_token": row["lease_token"]}
    give_up = partial(_finish, context, key, pause_s=max(_RETRY_S, row["interval_s"]))
    work = Work(
        context, "Reading the source", kind="source", key=key, failures=row["failures"], give_up=give_up, is_of_load=False
    )
    try:
        with work.running() as lease:
            _Run(context, dict(row), lease).run(turn_s)
    except LoadEndedError:
        LOG.info("source was removed while it was read", extra={"source_id": source_id})


def _finish(
    context: Context, key: dict[str, Any], error: TerminalError | TransientError | None = None, *, pause_s: float
) -> None:
    with transaction(context.engine) as connection:
        execute(
            connection,
            "finish_source",
            **key,
            pause_s=pause_s,
            error_code=error.error_code if error else None,
            error_message=error.message if error else None,
            is_passing=isinstance(error, TransientError),
        )


class _Run:
    """One run, by whoever has the lease."""

    def __init__(self, context: Context, source: Row, lease: Lease) -> None:
        self._context = context
        self._source = source
        self._key = {name: source[name] for name in ("source_id", "lease_token")}
        self._lease = lease
        self._address: SourceAddress = parse_address(source["address"])

    def run(self, turn_s: float) -> None:
        """List, read, and end the lease. Raises: TransientError when the worker is to stop, LoadEndedError."""
        ends_at = time.monotonic() + turn_s
        reader = make_reader(self._address, self._context.settings, is_watched=self._source["is_watched"])
        pause_s: float = self._source["interval_s"]
        try:
            if self._source["is_watched"] or self._source["listed_at"] is None:
                self._list(reader)
        except TransientError as error:
            if error.error_code == STOPPING:
                raise
            _finish(self._context, self._key, error, pause_s=pause_s)  # nothing can be read, and no object is to blame for it
            return
        after = 0
        while (found := self._begin(after)) is not None:
            after = found["source_object_id"]
            if not self._read(reader, found):
                pause_s = 0.0
            if time.monotonic() > ends_at:
                pause_s = 0.0
                break
        _finish(self._context, self._key, pause_s=pause_s)

    def _list(self, reader: Reader) -> None:
        for page in reader.list_pages():
            with transaction(self._context.engine) as connection:
                self._hold(connection)
                columns = {
                    "keys": [one.key for one in page],
                    "etags": [one.etag for one in page],
                    "bytes": [one.bytes for one in page],
                }
                execute(connection, "add_source_objects", source_id=self._key["source_id"], **columns)
            self._go_on()
        with transaction(self._context.engine) as connection:
            execute(connection, "note_listed", **self._key)

    def _begin(self, after: int) -> Row | None:
        with transaction(self._context.engine) as connection:
            row = execute(connection, "begin_source_object", **self._key, after=after, object_key=make_object_key())
            found = row.mappings().one_or_none()
        return dict(found) if found else None

    def _read(self, reader: Reader, found: Row) -> bool:
        """Make a load of a version; returns whether the source need not be listed again at once."""
        if found["attempts"] > self._context.settings.batch_kills:
            self._end(
                found,
                "failed",
                TerminalError(f"Reading it ended its worker {found['attempts'] - 1} times.", code="source_failed"),
            )
            return True
        try:
            self._load(reader, found)
        except ChangedError as error:
            self._end(found, "changed", error)
            return not self._source["is_watched"]
        except TransientError as error:
            if error.error_code == STOPPING:
                raise
            self._note(found, error)
        except LoadEndedError:
            raise
        except TerminalError as error:
            self._end(found, "failed", error)
        return True

    def _load(self, reader: Reader, found: Row) -> None:
        version = Version(found["key"], found["etag"], found["bytes"])
        if (version.bytes or 0) > self._context.settings.upload_limit_bytes:
            raise FileFormatError("The object is larger than TRIPDECK_UPLOAD_LIMIT_BYTES.", code="too_large")
        with reader.open(version) as chunks:
            length = -1 if version.bytes is None else version.bytes
            stored = self._context.store.put(
                found["object_key"], io.BufferedReader(_Chunks(self._watch(chunks)), _READ_BYTES), length=length
            )
        headers = self._read_headers(stored, self._name(found))
        if self._may_load(headers, found):
            self._request(found, stored, headers)

    def _may_load(self, headers: list[str], found: Row) -> bool:
        """Return whether a version with these headers is to be loaded; else say why not."""
        with transaction(self._context.engine) as connection:
            drift = execute(connection, "fetch_header_drift", source_id=self._key["source_id"], headers=headers)
            found["has_drifted"] = bool(headers) and drift.scalar_one()
        policy = self._source["on_drift"]
        if not found["has_drifted"] or found["is_accepted"] or policy == "load":
            return True
        state, hint = ("waiting", "retry it to load it") if policy == "ask" else ("refused", "the source refuses such files")
        error = FileFormatError(f"Its columns are not those that this source has had; {hint}.", code="header_changed")
        self._context.store.remove(found["object_key"])
        self._end(found, state, error, headers=headers)
        return False

    def _request(self, found: Row, stored: StoredObject, headers: list[str]) -> None:
        with transaction(self._context.engine) as connection:
            self._hold(connection)
            load_id = insert_load(connection, stored, file_name=self._name(found), options=self._source["options"])
            self._finish_object(connection, found, "loaded", headers=headers, load_id=load_id)
        self._context.metrics.source_objects.labels("loaded").inc()
        self._context.notify()
        enqueue_load(self._context.broker, load_id)

    def _read_headers(self, stored: StoredObject, name: str) -> list[str]:
        """Return the hashes of the header, one a delimiter; none of a file that can't be read: its load says why."""
        beginning = self._context.store.read_range(stored, 0, min(stored.bytes, SAMPLE_BYTES)) if stored.bytes else b""
        ranges = ObjectRanges(self._context.store, stored, beginning)
        begun = Beginning(beginning, name, is_whole=len(beginning) == stored.bytes, ranges=ranges)
        try:
            return sorted(set(begun.headers.values()))
        except FileFormatError:
            return []

    def _name(self, found: Row) -> str:
        if self._address.scheme == "https":
            return self._address.file_name
        return SourceAddress("s3", self._address.place, found["key"]).file_name

    def _watch(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._go_on()
            yield chunk

    def _go_on(self) -> None:
        """Note progress. Raises: TransientError when the worker is to stop."""
        if self._context.stopping.is_set():
            raise TransientError("The worker is to stop.", code=STOPPING)
        self._lease.note_progress()

    def _hold(self, connection: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        """Raises: LoadEndedError when the source was removed or another worker has it."""
        if execute(connection, "lock_source_lease", **self._key).first() is None:
            raise LoadEndedError("The source was removed.")

    def _note(self, found: Row, error: TransientError) -> None:
        """Leave a version to the next run, unless that was its last try."""
        if found["attempts"] >= self._context.settings.batch_attempts:
            self._end(found, "failed", error)
            return
        LOG.warning("an object waits", extra={"key": found["key"], "reason": error.message})
        with transaction(self._context.engine) as connection:
            facts = {"error_code": error.error_code, "error_message": error.message}
            execute(connection, "note_source_error", source_object_id=found["source_object_id"], **facts)

    def _end(self, found: Row, state: str, error: TerminalError | TransientError, *, headers: list[str] | None = None) -> None:
        with transaction(self._context.engine) as connection:
            self._hold(connection)
            self._finish_object(connection, found, state, headers=headers or [], error=error)
        self._context.metrics.source_objects.labels(state).inc()

    def _finish_object(
        self,
        connection: Any,  # noqa: ANN401 - SQLAlchemy's
        found: Row,
        state: str,
        *,
        headers: list[str],
        load_id: int | None = None,
        error: TerminalError | TransientError | None = None,
    ) -> None:
        facts = {
            "error_code": error.error_code if error else None,
            "error_message": error.message if error else None,
            "has_drifted": bool(found.get("has_drifted")),
        }
        key = {"source_object_id": found["source_object_id"], "state": state, "headers": headers, "load_id": load_id}
        if execute(connection, "finish_source_object", **key, **facts).first() is None:
            raise LoadEndedError("The object was dealt with by somebody else.")


class _Chunks(io.RawIOBase):
    """Chunks as a file that is read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - whatever has a buffer
        """Fill a buffer with what there is of a chunk; 0 at the end."""
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
