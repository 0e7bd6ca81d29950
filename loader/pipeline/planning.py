"""Planning: read a file once, from one pinned version; detect its format and cut it into batches.

A small file's batches are enqueued once the whole file is read. Those of a large one are enqueued while it is read, where nothing
later in it can change how they are parsed; their bytes stay in memory for this process's threads, and when those have enough to
do, the planner loads a batch itself. So the planner stays just ahead of the loaders, and the object is read once.
"""

import json
import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, Final, Self

import xxhash

from loader.formats import (
    SAMPLE_BYTES,
    BatchSplitter,
    FilePlan,
    LoadOptions,
    PlaceLookup,
    join_workbook,
    list_plan_notes,
    needs_whole,
)
from loader.pipeline.batch import load_batch
from loader.pipeline.batch_objects import PartWriter, remove_parts
from loader.pipeline.context import Context
from loader.pipeline.finishing import dispatch_batches, end_load, enqueue_batches
from loader.pipeline.leases import POSSIBLE_DUPLICATE, STOPPING, Lease, LoadEndedError, Work
from loader.pipeline.ledger import Ledger
from loader.pipeline.read_ahead import read_ahead
from loader.storage.object_ends import find_sample, list_members
from loader.storage.object_ranges import ObjectRanges
from loader.storage.place_lookups import match_places, offer_places
from loader.storage.remembered_options import Beginning, pick_reading_options, recall_options
from shared.domain.load_states import TERMINAL_STATES
from shared.events import record_event
from shared.loads import enqueue_load
from shared.platform.errors import ConflictError, FileFormatError, TerminalError, TransientError
from shared.services.database import execute, transaction
from shared.services.objects import StoredObject
from shared.services.queueing import CLEAN_ACTOR

LOG = logging.getLogger(__name__)

_PROGRESS_S: Final = 1.0

# Options that change nothing about how the bytes are read.
_NOT_COUNTING: Final = ("as_last_time", "max_rejects", "max_reject_share")

# What a stored plan says besides how the file is read.
_FACTS: Final = ("header_hash", "given_options", "as_last_time")

Load = dict[str, Any]


@dataclass(frozen=True)
class Draft:
    """The plan of a file so far. facts: what the load's row stores beside the plan; options: given and remembered ones.

    places: the set in which ends are looked up, while a file's end may still change its plan.
    """

    plan: FilePlan
    facts: dict[str, Any]
    options: dict[str, Any]
    places: PlaceLookup | None = None

    @classmethod
    def from_load(cls, load: Load) -> Self:
        """Take up the plan of a load that began early."""
        return cls(FilePlan.from_json(load["plan"]), {name: load["plan"][name] for name in _FACTS}, load["options"])

    def to_json(self, plan: FilePlan) -> dict[str, Any]:
        """Return what the load's row keeps, with the plan as it is by now."""
        return {**plan.to_json(), **self.facts, "notes": list(dict.fromkeys(self._list_notes(plan)))}

    def _list_notes(self, plan: FilePlan) -> Iterator[str]:
        yield from list_plan_notes(plan, LoadOptions.from_json(self.options))
        if remembered := self.facts["as_last_time"]:
            given = ", ".join(f"{name} {value}" for name, value in remembered["options"].items())
            yield f"Read as load {remembered['load_id']}, a file of the same kind, was: {given}."


def plan_load(context: Context, load_id: int) -> None:
    """Plan a queued load; enqueue the batches of one that is planned.

    Raises: TransientError when it should be tried again.
    """
    with transaction(context.engine) as connection:
        lease_s = context.settings.batch_lease_s
        load = execute(connection, "claim_planning", load_id=load_id, lease_s=lease_s).mappings().one_or_none()
    if load is None:
        enqueue_batches(context, load_id)
        return
    if load["attempts"] > 1:
        context.metrics.leases_expired.labels("planning").inc()
    give_up = partial(end_load, context, load_id)
    if load["attempts"] > context.settings.batch_kills:
        give_up(TerminalError(f"Planning ended its worker {load['attempts'] - 1} times.", code="planning_failed"))
        return
    key = {"load_id": load_id, "lease_token": load["lease_token"]}
    work = Work(context, "Planning", kind="planning", key=key, failures=load["failures"], give_up=give_up)
    try:
        with work.running() as lease:
            _plan(context, dict(load), lease)
    except LoadEndedError:
        LOG.info("load ended while it was planned", extra={"load_id": load_id})
        _return_attempt(context, load_id)
        _drop_parts(context, load_id)
        context.batch_cache.drop(load_id)


def _plan(context: Context, load: Load, lease: Lease) -> None:
    context.batch_cache.drop(load["load_id"])  # of a former try
    _wait_for_possible_duplicate(context, load["load_id"])
    stored = StoredObject(load["object_key"], load["object_etag"], load["bytes_total"])
    with PartWriter(context.store, stored.key) as writer:
        ledger = Ledger(context, load, parts=writer)
        reader = _Reader(context, ledger, stored, lease=lease)
        draft, chunks = _begin(context, load, reader=reader, ledger=ledger)
        plan = _cut(context, draft, chunks, reader=reader, ledger=ledger)
        if ledger.batches == 0:
            raise FileFormatError(f"{load['file_name']} holds no rows.", code="empty_file")
        content_hash = _hash_content(reader, draft.options)
        try:
            has_ended = ledger.close(draft.to_json(plan), draft.options, content_hash=content_hash)
        except ConflictError as error:
            _end_duplicate(context, ledger.load_id, content_hash=content_hash, error=error)
            return
    if has_ended:
        enqueue_load(context.broker, ledger.load_id, actor=CLEAN_ACTOR)
    elif ledger.batches == 1:
        _load_here(context, ledger.load_id, 0)  # a small file is done at once, without waiting for its turn in the queue
    else:
        enqueue_batches(context, ledger.load_id)


def _wait_for_possible_duplicate(context: Context, load_id: int) -> None:
    """Let a load of as many bytes be read first: its content hash tells whether it is the same file, before rows load twice.

    Raises: TransientError while there is one.
    """
    with transaction(context.engine) as connection:
        other = execute(connection, "find_possible_duplicate", load_id=load_id).first()
    if other is not None:
        raise TransientError(f"Load {other.load_id} has as many bytes and is still being read.", code=POSSIBLE_DUPLICATE)


def _begin(context: Context, load: Load, *, reader: "_Reader", ledger: Ledger) -> tuple[Draft, Iterable[bytes]]:
    """Find out how a file is read, and begin early where that is possible."""
    chunks = iter(reader)
    if ledger.is_early:
        return Draft.from_load(load), chunks
    beginning = _read_beginning(chunks)
    if needs_whole(beginning):
        sample = beginning = join_workbook(chain([beginning], chunks))
    else:
        sample = find_sample(context.store, reader.stored, beginning[:SAMPLE_BYTES], member=load["options"].get("member"))
    draft = _detect(context, load, sample, ranges=ObjectRanges(context.store, reader.stored, beginning))
    is_large = load["bytes_total"] >= context.settings.early_bytes
    if is_large and draft.plan.kind != "parquet" and BatchSplitter(draft.plan).settled_plan:
        ledger.begin_early(draft.to_json(draft.plan), draft.options)
    return draft, chain([beginning], chunks)


def _detect(context: Context, load: Load, sample: bytes, *, ranges: ObjectRanges) -> Draft:
    given = replace(LoadOptions.from_json(load["options"]), record_limit_bytes=context.settings.record_limit_bytes)
    begun = Beginning(sample, load["file_name"], is_whole=len(sample) == load["bytes_total"], ranges=ranges)
    try:
        options, remembered = recall_options(context.engine, begun, given)
        plan = begun.detect(options)
    except FileFormatError as error:
        raise offer_places(error, partial(match_places, context.engine)) from error
    facts = {
        "header_hash": begun.headers.get(plan.dialect.delimiter),
        "given_options": pick_reading_options(options) if pick_reading_options(given) else {},
        "as_last_time": remembered.to_json() if remembered else None,
    }
    applied = remembered.applied if remembered else {}
    named = {"places": options.places} if options.places else {}  # by its id, whatever it is called later
    return Draft(plan, facts, {**load["options"], **applied, **named}, options.place_lookup)


def _cut(context: Context, draft: Draft, chunks: Iterable[bytes], *, reader: "_Reader", ledger: Ledger) -> FilePlan:
    """Cut the file into batches; of a load that began early, dispatch those that are ready. Returns the final plan."""
    is_seekable = draft.plan.is_seekable
    written = draft.plan
    splitter = BatchSplitter(
        draft.plan, batch_bytes=context.settings.batch_bytes, gives_data=ledger.is_early, places=draft.places
    )
    members = list_members(context.store, reader.stored) if draft.plan.compression == "zip" else None
    for piece, data in splitter.split(chunks, members=members):
        reached = piece.offset + piece.bytes if is_seekable else reader.bytes_read
        is_new = ledger.add(piece, reached=reached, unpacked=None if is_seekable else data)
        if not ledger.is_early:
            continue
        if is_new and data is not None:
            context.batch_cache.put(ledger.load_id, piece.batch_no, data)
        if plan := splitter.settled_plan:
            _dispatch_ready(context, ledger, None if plan == written else draft.to_json(plan))
            written = plan
    return splitter.plan


def _dispatch_ready(context: Context, ledger: Ledger, plan: dict[str, Any] | None) -> None:
    """Dispatch the batches that are ready, and load the newest one here while other threads have enough to do."""
    stock = ledger.write(plan)
    if stock is None or stock.waiting <= max(stock.running, 1):
        return  # one for each who will be ready before us
    _load_here(context, ledger.load_id, stock.newest)


def _load_here(context: Context, load_id: int, batch_no: int) -> None:
    """Load a batch that no message was sent for; one that can't be loaded now gets its message."""
    try:
        load_batch(context, load_id, batch_no)
    except TransientError as error:
        LOG.warning("batch waits", extra={"load_id": load_id, "batch_no": batch_no, "reason": error.message})
        dispatch_batches(context, load_id, [batch_no])


def _drop_parts(context: Context, load_id: int) -> None:
    """Remove what was written after the load's cleaning, unless another planner's batches need it."""
    with transaction(context.engine) as connection:
        load = execute(connection, "fetch_load", load_id=load_id).mappings().one()
    if load["state"] in TERMINAL_STATES:
        remove_parts(context.store, load["object_key"])


class _Reader:
    """Bytes of the object on their way to the splitter: hashed, counted, with progress shown."""

    def __init__(self, context: Context, ledger: Ledger, stored: StoredObject, *, lease: Lease) -> None:
        # Hashing takes 0.03 s/GB so; BLAKE2 and SHA-256 take 1 to 2 s, for a strength that nobody needs against their own files.
        self.hash = xxhash.xxh3_128()
        self.bytes_read = 0
        self._context = context
        self._ledger = ledger
        self._lease = lease
        self.stored = stored
        self._shown_at = time.monotonic()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in read_ahead(self._context.store, self.stored):
            self.hash.update(chunk)
            self.bytes_read += len(chunk)
            if time.monotonic() - self._shown_at > _PROGRESS_S:
                self._show()
            yield chunk

    def _show(self) -> None:
        if self._context.stopping.is_set():
            raise TransientError("The worker is to stop.", code=STOPPING)
        self._ledger.show(bytes_read=self.bytes_read)
        self._lease.note_progress()
        self._shown_at = time.monotonic()


def _read_beginning(chunks: Iterator[bytes]) -> bytes:
    """Read at least as much as a sample needs, or all there is."""
    taken = bytearray()
    for chunk in chunks:
        taken += chunk
        if len(taken) >= SAMPLE_BYTES:
            break
    return bytes(taken)


def _hash_content(reader: _Reader, options: dict[str, Any]) -> str:
    """The bytes and how they are read: the same file under another mapping is another load."""
    counting = {name: value for name, value in options.items() if value and name not in _NOT_COUNTING}
    reader.hash.update(json.dumps(counting, sort_keys=True).encode())
    return reader.hash.hexdigest()


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
    context.notify()
    enqueue_load(context.broker, load_id, actor=CLEAN_ACTOR)


def _return_attempt(context: Context, load_id: int) -> None:
    with transaction(context.engine) as connection:
        execute(connection, "return_planning_attempt", load_id=load_id)
