"""Publication: write a load's folder, or remove it once the load is undone.

1. Claim: count the start and take the lease, committed first.
2. Read the trips by start time and write files of about TRIPDECK_PUBLISH_FILE_MIB, each complete or not there.
3. Remove what else lies in the folder, and write the manifest, which makes the folder visible.
4. One transaction: the load has still succeeded, the publication is published, its event, the handover to the engine.

Files have fixed names and, for a load, always the same bytes: a start that ended early is repeated over what it left. Whoever
undoes a load takes the lease away in the same transaction; the publisher notices before each part, and the folder is removed.
Lock order: load, then publication.
"""

import io
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from loader.pipeline.context import Context
from loader.pipeline.leases import STOPPING, Lease, LoadEndedError, Work
from loader.publishing.file_writer import FileWriter, PublishedFile
from loader.publishing.geoparquet import Names, make_batch
from loader.publishing.manifest import MANIFEST_NAME, encode_manifest, make_manifest
from loader.publishing.trip_stream import TripRows, stream_trips
from shared.events import record_event
from shared.loads import enqueue_load
from shared.platform.errors import TerminalError, TransientError
from shared.publications import name_folder
from shared.services.database import execute, transaction
from shared.services.queueing import HANDOVER_ACTOR, PUBLISH_ACTOR

LOG = logging.getLogger(__name__)

# Rows of a row group, and of what is read and encoded at once: some 60 MB with its copies.
CHUNK_ROWS: Final = 250_000


def publish_load(context: Context, load_id: int, *, chunk_rows: int = CHUNK_ROWS) -> None:
    """Write or remove a load's publication, whichever is due, unless another worker does.

    Raises: TransientError when it should be tried again.
    """
    with transaction(context.engine) as connection:
        lease_s = context.settings.batch_lease_s
        row = execute(connection, "claim_publication", load_id=load_id, lease_s=lease_s).mappings().one_or_none()
    if row is None:
        LOG.debug("publication can't be claimed", extra={"load_id": load_id})
        return
    key = {"load_id": load_id, "lease_token": row["lease_token"]}
    give_up = partial(_fail, context, key)
    if row["state"] == "publishing" and row["attempts"] > context.settings.batch_kills:
        give_up(TerminalError(f"Publishing ended its worker {row['attempts'] - 1} times.", code="publishing_failed"))
        return
    work = Work(context, "Publishing", kind="publication", key=key, failures=row["failures"], give_up=give_up, is_of_load=False)
    try:
        with work.running() as lease:
            if row["state"] == "withdrawing":
                _withdraw(context, key)
            else:
                _publish(context, key, lease, chunk_rows=chunk_rows)
    except LoadEndedError:
        LOG.info("publication was withdrawn while it was written", extra={"load_id": load_id})
        _repeat_withdrawal(context, load_id)


def _publish(context: Context, key: Mapping[str, Any], lease: Lease, *, chunk_rows: int) -> None:
    load_id = key["load_id"]
    folder = name_folder(load_id, context.settings)
    files = _Files(context, key, folder=folder, lease=lease)
    try:
        with transaction(context.engine) as connection:
            load = execute(connection, "fetch_load", load_id=load_id).mappings().one()
            names = _fetch_names(connection)
            execute(connection, "begin_publishing")
            for rows in stream_trips(connection, load_id, chunk_rows=chunk_rows):
                files.write(rows, names)
        files.close()
    finally:
        files.drop()
    manifest = make_manifest(load_id, files.finished)
    _check_rows(context, load_id, found=manifest["rows"], expected=load["rows_loaded"])
    _remove_others(context, folder, {file.name for file in files.finished})
    files.may_go_on()
    data = encode_manifest(manifest)
    context.store.put(folder + MANIFEST_NAME, io.BytesIO(data), length=len(data))
    _finish(context, key, manifest)


def _fetch_names(connection: Connection) -> Names:
    names: dict[str, dict[int, str]] = {"region": {}, "datasource": {}}
    for row in execute(connection, "list_names"):
        names[row.kind][row.id] = row.name
    return names


def _check_rows(context: Context, load_id: int, *, found: int, expected: int) -> None:
    """Raises: LoadEndedError when the load was undone; TransientError when trips are missing though it was not."""
    if found == expected:
        return
    with transaction(context.engine) as connection:
        load = execute(connection, "fetch_load", load_id=load_id).mappings().one()
    if load["state"] != "succeeded":
        raise LoadEndedError("The load was undone.")
    # A node of Citus died between the two phases of a batch's commit: the rest comes to light when it is back.
    raise TransientError(f"Of {expected:,} trips to publish {found:,} are there.", code="trips_missing", load_id=load_id)


def _remove_others(context: Context, folder: str, names: set[str]) -> None:
    for key in context.store.list_keys(folder):
        if key.removeprefix(folder) not in names:
            context.store.remove(key)


def _finish(context: Context, key: Mapping[str, Any], manifest: dict[str, Any]) -> None:
    load_id = key["load_id"]
    with transaction(context.engine) as connection:
        load = execute(connection, "lock_load", load_id=load_id).mappings().one()
        published = {**key, "manifest": manifest, "rows": manifest["rows"]}
        if load["state"] != "succeeded" or execute(connection, "finish_publication", **published).first() is None:
            raise LoadEndedError("The load was undone, or another worker publishes it.")
        has_engine = context.settings.publish_engine != "none"
        if has_engine:
            execute(connection, "request_handover", load_id=load_id, engine=context.settings.publish_engine)
        record_event(connection, load_id, "published")
    context.notify()
    if has_engine:
        enqueue_load(context.broker, load_id, actor=HANDOVER_ACTOR)
    LOG.info("load was published", extra={"load_id": load_id, "rows": manifest["rows"], "files": len(manifest["files"])})


def _fail(context: Context, key: Mapping[str, Any], error: TerminalError) -> None:
    """End a publication that can't be written. One that can't be removed stays as it is: the reconciler tries again."""
    LOG.error("publication is given up", extra={"load_id": key["load_id"], "reason": error.message})
    with transaction(context.engine) as connection:
        execute(connection, "lock_load", load_id=key["load_id"])
        facts = {"error_code": error.error_code, "error_message": error.message}
        if execute(connection, "fail_publication", **key, **facts).first() is not None:
            record_event(connection, key["load_id"], "publishing_failed")
    context.notify()


def _withdraw(context: Context, key: Mapping[str, Any]) -> None:
    load_id = key["load_id"]
    folder = name_folder(load_id, context.settings)
    # The manifest first: nobody begins to read what is being removed.
    context.store.remove(folder + MANIFEST_NAME)
    context.store.remove_under(folder)
    with transaction(context.engine) as connection:
        execute(connection, "lock_load", load_id=load_id)
        if execute(connection, "finish_withdrawal", **key).first() is None:
            raise LoadEndedError("Another worker removes the publication.")
        record_event(connection, load_id, "withdrawn")
    context.notify()
    LOG.info("publication was removed", extra={"load_id": load_id})


def _repeat_withdrawal(context: Context, load_id: int) -> None:
    """Have a withdrawn folder removed once more: this worker may have stored an object after it was emptied."""
    with transaction(context.engine) as connection:
        is_due = execute(connection, "repeat_withdrawal", load_id=load_id).first() is not None
    if is_due:
        enqueue_load(context.broker, load_id, actor=PUBLISH_ACTOR)


class _Files:
    """The files of a folder, one after the other: a file ends with the chunk that brings it to its size."""

    def __init__(self, context: Context, key: Mapping[str, Any], *, folder: str, lease: Lease) -> None:
        self.finished: list[PublishedFile] = []
        self._context = context
        self._key = key
        self._folder = folder
        self._lease = lease
        self._rows = 0
        self._file: FileWriter | None = None

    def write(self, rows: TripRows, names: Names) -> None:
        """Add a chunk."""
        if self._file is None:
            name = f"part-{len(self.finished):05}.parquet"
            self._file = FileWriter.open(self._context.store, self._folder, name, may_go_on=self.may_go_on)
        self._file.write(make_batch(rows, self._key["load_id"], names))
        self._rows += rows.size
        self._lease.note_progress()
        if self._file.bytes_written >= self._context.settings.publish_file_mib * 2**20:
            self.close()

    def close(self) -> None:
        """Finish the file at hand."""
        if self._file is not None:
            self.finished.append(self._file.finish())
            self._file.drop()
            self._file = None

    def drop(self) -> None:
        """Give up the file at hand, where there is one."""
        if self._file is not None:
            self._file.drop()

    def may_go_on(self) -> None:
        """Raise LoadEndedError when the lease is lost, TransientError when the worker is to stop."""
        if self._context.stopping.is_set():
            raise TransientError("The worker is to stop.", code=STOPPING)
        with transaction(self._context.engine) as connection:
            if execute(connection, "show_publication", **self._key, rows=self._rows).first() is None:
                raise LoadEndedError("The load was undone, or another worker publishes it.")
