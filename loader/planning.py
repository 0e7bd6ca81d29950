"""Planning: read a file once, from one pinned version; detect its format and cut it into batches.

The ledger rows of all batches, the plan and the state `loading` are written in one transaction before any batch is called, so
boundaries are never computed twice. A planner that dies leaves nothing behind; the next one begins anew.
"""

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final

import xxhash

from loader.ahead import read_ahead
from loader.batch import load_batch
from loader.context import Context
from loader.finishing import end_load, enqueue_batches
from loader.formats import SAMPLE_BYTES, BatchScanner, BatchSlice, LoadOptions
from loader.parts import PartWriter, remove_parts
from loader.readings import Beginning, pick_reading_options, recall_reading
from shared.database import execute, transaction
from shared.errors import ConflictError, FileFormatError, TerminalError, TransientError
from shared.events import TERMINAL_STATES, record_event
from shared.loads import ring_for_load
from shared.objects import StoredObject
from shared.queueing import CLEAN_ACTOR

LOG = logging.getLogger(__name__)

_PROGRESS_S: Final = 1.0
_OUTAGE_LIMIT_S: Final = 3_600

# Options that change nothing about how the bytes are read.
_NOT_COUNTING: Final = ("as_last_time", "max_rejects", "max_reject_share")

Load = dict[str, Any]


@dataclass(frozen=True)
class Draft:
    """A plan that is not written yet. entries: one ledger row each; options: those asked for and those of last time."""

    plan: dict[str, Any]
    options: dict[str, Any]
    entries: list[dict[str, Any]]
    content_hash: str


class _LoadEndedError(TerminalError):
    """The load was cancelled, or another planner was quicker."""


def plan_load(context: Context, load_id: int) -> None:
    """Plan a queued load; call the batches of one that is planned.

    Raises: TransientError when it should be tried again.
    """
    with transaction(context.engine) as connection:
        lease_s = context.settings.batch_lease_s
        load = execute(connection, "claim_planning", load_id=load_id, lease_s=lease_s).mappings().one_or_none()
    if load is None:
        enqueue_batches(context, load_id)
        return
    if load["attempts"] > context.settings.batch_attempts:
        end_load(
            context, load_id, TerminalError(f"Planning ended its worker {load['attempts'] - 1} times.", code="planning_failed")
        )
        return
    try:
        draft = _draft(context, dict(load))
        _start(context, load_id, draft)
    except _LoadEndedError:
        LOG.info("load ended while it was planned", extra={"load_id": load_id})
        _drop_parts(context, load_id)
    except ConflictError as error:
        _end_duplicate(context, load_id, content_hash=draft.content_hash, error=error)
    except TransientError as error:
        _release(context, load_id, error)
        raise
    except TerminalError as error:
        end_load(context, load_id, error)
    except Exception as error:  # noqa: BLE001 - a process border: whatever a library raises, the load must end
        _count_failure(context, load_id, attempts=load["attempts"], error=error)
    else:
        _call_batches(context, load_id, batches=len(draft.entries))


def _drop_parts(context: Context, load_id: int) -> None:
    """Remove what was written after the load's cleaning, unless another planner's batches need it."""
    with transaction(context.engine) as connection:
        load = execute(connection, "fetch_load", load_id=load_id).mappings().one()
    if load["state"] in TERMINAL_STATES:
        remove_parts(context.store, load["object_key"])


def _draft(context: Context, load: Load) -> Draft:
    stored = StoredObject(load["object_key"], load["object_etag"], load["bytes_total"])
    asked = replace(LoadOptions.from_json(load["options"]), record_limit_bytes=context.settings.record_limit_bytes)
    reader = _Reader(context, load["load_id"], stored)
    chunks = iter(reader)
    sample = _take_sample(chunks)
    begun = Beginning(sample, load["file_name"], is_whole=len(sample) == stored.bytes)
    options, reading = recall_reading(context.engine, begun, asked)
    plan = begun.detect(options)
    scanner = BatchScanner(plan, batch_bytes=context.settings.batch_bytes)
    with PartWriter(context.store, stored.key) as writer:
        pieces = _scan(scanner, chain([sample], chunks), reader=reader, writer=writer)
        parts = writer.finish()
    if not pieces:
        raise FileFormatError(f"{load['file_name']} holds no rows.", code="empty_file")
    entries = _make_entries(pieces, parts, bytes_total=stored.bytes)
    said = pick_reading_options(options) if pick_reading_options(asked) else {}
    facts = {"header_hash": begun.headers.get(scanner.plan.dialect.delimiter), "said": said}
    last_time = reading.to_json() if reading else None
    effective = {**load["options"], **(reading.applied if reading else {})}
    draft_plan = {**scanner.plan.to_json(), **facts, "as_last_time": last_time}
    return Draft(draft_plan, effective, entries, _hash_content(reader, effective))


class _Reader:
    """Bytes of the object on their way to the scanner: hashed, counted, with the lease renewed and progress shown."""

    def __init__(self, context: Context, load_id: int, stored: StoredObject) -> None:
        # Hashing takes 0.03 s/GB so; BLAKE2 and SHA-256 take 1 to 2 s, for a strength that nobody needs against their own files.
        self.hash = xxhash.xxh3_128()
        self.bytes_read = 0
        self._context = context
        self._load_id = load_id
        self._stored = stored
        self._shown_at = time.monotonic()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in read_ahead(self._context.store, self._stored):
            self.hash.update(chunk)
            self.bytes_read += len(chunk)
            if time.monotonic() - self._shown_at > _PROGRESS_S:
                self._show()
            yield chunk

    def _show(self) -> None:
        if self._context.stopping.is_set():
            raise TransientError("The worker is to stop.", code="stopping")
        with transaction(self._context.engine) as connection:
            if execute(connection, "renew_planning", load_id=self._load_id, bytes_read=self.bytes_read).first() is None:
                raise _LoadEndedError("The load has ended.")
            record_event(connection, self._load_id, "planning")
        self._context.bell.set()
        self._shown_at = time.monotonic()


def _take_sample(chunks: Iterator[bytes]) -> bytes:
    taken = bytearray()
    for chunk in chunks:
        taken += chunk
        if len(taken) >= SAMPLE_BYTES:
            break
    return bytes(taken)


def _scan(scanner: BatchScanner, chunks: Iterator[bytes], *, reader: _Reader, writer: PartWriter) -> list[tuple[BatchSlice, int]]:
    """Every slice, and how far into the object it reaches."""
    pieces = []
    for piece, data in scanner.scan(chunks):
        if data is not None:
            writer.add(piece, data)
        pieces.append((piece, piece.offset + piece.bytes if scanner.plan.is_seekable else reader.bytes_read))
    return pieces


def _make_entries(pieces: list[tuple[BatchSlice, int]], parts: list[StoredObject], *, bytes_total: int) -> list[dict[str, Any]]:
    """Ledger rows; their bytes add up to the object's, so that progress ends at 100 %."""
    ends = [end for _, end in pieces[:-1]] + [bytes_total]
    begins = [0, *ends[:-1]]
    return [
        {
            "batch_no": piece.batch_no,
            "slice": {"piece": piece.to_json(), "part": _part_json(parts[piece.batch_no]) if parts else None},
            "bytes": end - begin,
            "lines_before": piece.lines_before,
            "records_before": piece.records_before,
        }
        for (piece, _), begin, end in zip(pieces, begins, ends, strict=True)
    ]


def _part_json(part: StoredObject) -> dict[str, Any]:
    return {"key": part.key, "etag": part.etag, "bytes": part.bytes}


def _hash_content(reader: _Reader, options: dict[str, Any]) -> str:
    """The bytes and how they are read: the same file under another mapping is another load."""
    counting = {name: value for name, value in options.items() if value and name not in _NOT_COUNTING}
    reader.hash.update(json.dumps(counting, sort_keys=True).encode())
    return reader.hash.hexdigest()


def _start(context: Context, load_id: int, draft: Draft) -> None:
    with transaction(context.engine) as connection:
        started = execute(
            connection,
            "start_loading",
            load_id=load_id,
            plan=draft.plan,
            options=draft.options,
            content_hash=draft.content_hash,
            batches_total=len(draft.entries),
        ).first()
        if started is None:
            raise _LoadEndedError("The load has ended.")
        execute(connection, "insert_batches", load_id=load_id, batches=json.dumps(draft.entries))
        record_event(connection, load_id, "planned")
    context.bell.set()


def _call_batches(context: Context, load_id: int, *, batches: int) -> None:
    if batches == 1:
        load_batch(context, load_id, 0)  # a small file is done at once, without waiting for its turn in the queue
    else:
        enqueue_batches(context, load_id)


def _end_duplicate(context: Context, load_id: int, *, content_hash: str, error: ConflictError) -> None:
    with transaction(context.engine) as connection:
        other = execute(connection, "fetch_load_by_content", content_hash=content_hash).mappings().one_or_none()
        if other is None:
            raise TransientError("The same file was being loaded and failed just now.", code="duplicate_gone") from error
        facts = {
            "error_code": "already_loaded",
            "error_message": f"Already loaded as load {other['load_id']}.",
            "duplicate_of": other["load_id"],
        }
        if execute(connection, "end_load", load_id=load_id, state="cancelled", **facts).first() is not None:
            record_event(connection, load_id, "cancelled")
    context.bell.set()
    ring_for_load(context.broker, load_id, actor=CLEAN_ACTOR)


def _release(context: Context, load_id: int, error: TransientError) -> None:
    with transaction(context.engine) as connection:
        failing_s = execute(connection, "release_planning", load_id=load_id, is_transient=True).scalar_one_or_none()
    if failing_s is not None and failing_s > _OUTAGE_LIMIT_S:
        end_load(context, load_id, TerminalError(f"Planning failed for an hour: {error.message}", code=error.error_code))


def _count_failure(context: Context, load_id: int, *, attempts: int, error: Exception) -> None:
    LOG.exception("planning failed", extra={"load_id": load_id})
    reason = f"{type(error).__name__}: {error}"
    if attempts >= context.settings.batch_attempts:
        end_load(context, load_id, TerminalError(f"Planning failed {attempts} times: {reason}", code="planning_failed"))
        return
    with transaction(context.engine) as connection:
        execute(connection, "release_planning", load_id=load_id, is_transient=False)
    raise TransientError(f"Planning failed: {reason}") from error
