"""Ledger: a planner's rows in the database: the state of the load, its plan, and one row per batch.

Usually all rows are written at once when the whole file is read, with the state `loading` and the plan. A large file whose plan
nothing later in it can change begins early instead: it is `loading` while it is still being read, its rows follow piece by
piece, and its number of batches and its content hash come last. Boundaries are never computed twice either way: a planner that
takes over finds the rows that are there and adds only those that are not.

One planner at a time: each write asks for the lease's token, and whoever has lost it to another planner is told.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loader.formats import BatchSlice
from loader.pipeline.batch_objects import PartWriter
from loader.pipeline.context import Context
from loader.pipeline.finishing import dispatch_batches, finish_load, mark_enqueued
from loader.pipeline.leases import LoadEndedError
from shared.events import record_event
from shared.platform.errors import TerminalError
from shared.services.database import execute, transaction

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stock:
    """Pending batches of a load: the newest one's number, how many have no runner, how many are running."""

    newest: int
    waiting: int
    running: int


class Ledger:
    """The planner's writes to the ledger. Each raises LoadEndedError when the load has ended or another planner has its lease."""

    def __init__(self, context: Context, load: dict[str, Any], *, parts: PartWriter) -> None:
        self.load_id: int = load["load_id"]
        self.is_early = load["state"] == "loading"
        self.batches = 0
        self._context = context
        self._bytes_total: int = load["bytes_total"]
        self._lease = {"load_id": load["load_id"], "lease_token": load["lease_token"]}
        self._parts = parts
        self._reached = 0
        self._entries: list[Entry] = []
        self._written = self._list_written() if self.is_early else {}

    def add(self, piece: BatchSlice, *, reached: int, unpacked: Sequence[memoryview] | None) -> bool:
        """Take the next batch. reached: how far into the object it reaches; unpacked: bytes that only a part can give again.

        Returns whether it is new. Raises: TransientError when an earlier part can't be stored.
        """
        self.batches += 1
        written = self._written.get(piece.batch_no)
        if written is not None:
            if written["piece"] != piece.to_json():
                raise TerminalError(f"Batch {piece.batch_no} was cut differently before.", code="planning_failed")
            self._reached = reached
            return False
        if unpacked is not None:
            self._parts.add(piece, b"".join(unpacked))
        self._entries.append(
            {
                "batch_no": piece.batch_no,
                "slice": {"piece": piece.to_json(), "part": None},
                "bytes": reached - self._reached,
                "lines_before": piece.lines_before,
                "records_before": piece.records_before,
                "has_part": unpacked is not None,
            }
        )
        self._reached = reached
        return True

    def show(self, *, bytes_read: int) -> None:
        """Show how far the file is read."""
        with transaction(self._context.engine) as connection:
            if execute(connection, "show_planning", **self._lease, bytes_read=bytes_read).first() is None:
                raise _lost()
            if not self.is_early:
                record_event(connection, self.load_id, "planning")
        self._context.notify()

    def begin_early(self, plan: dict[str, Any], options: dict[str, Any]) -> bool:
        """Begin to load; False when another load may be of the same file: that is known when the whole is read."""
        with transaction(self._context.engine) as connection:
            if execute(connection, "begin_loading", **self._lease, plan=plan, options=options).first() is None:
                return False
            record_event(connection, self.load_id, "planning")
        self._context.notify()
        self.is_early = True
        return True

    def write(self, plan: dict[str, Any] | None) -> Stock | None:
        """Insert the rows of batches that can be loaded now and dispatch them; None when there are none.

        plan: the load's new plan, None where it has not changed.
        """
        ready = self._take_ready()
        if not ready:
            return None
        settings = self._context.settings
        with transaction(self._context.engine) as connection:
            if execute(connection, "extend_loading", **self._lease, plan=plan).first() is None:
                raise _lost()
            execute(connection, "insert_batches", load_id=self.load_id, batches=json.dumps(ready))
            picked = mark_enqueued(connection, self.load_id, settings)
            stock = execute(connection, "count_stock", load_id=self.load_id, lease_s=settings.batch_lease_s).one()
        dispatch_batches(self._context, self.load_id, picked)
        return Stock(ready[-1]["batch_no"], stock.waiting, stock.running)

    def close(self, plan: dict[str, Any], options: dict[str, Any], *, content_hash: str) -> bool:
        """Write the rest: the file is read. Returns whether the load has ended by that, its batches being done.

        Raises: ConflictError when another load has the same content.
        """
        entries = self._take_rest()
        facts = {"plan": plan, "options": options, "content_hash": content_hash, "batches_total": self.batches}
        with transaction(self._context.engine) as connection:
            if execute(connection, "finish_planning", **self._lease, **facts).first() is None:
                raise _lost()
            execute(connection, "insert_batches", load_id=self.load_id, batches=json.dumps(entries))
            record_event(connection, self.load_id, "planned")
            has_ended = self.is_early and finish_load(connection, self.load_id, self._context.settings)
        self._context.notify()
        return has_ended

    def _list_written(self) -> dict[int, dict[str, Any]]:
        with transaction(self._context.engine) as connection:
            return {row.batch_no: row.slice for row in execute(connection, "list_batches", load_id=self.load_id)}

    def _take_ready(self) -> list[Entry]:
        # The last of an unpacked file is kept back: only the end tells how much of the object is left for it.
        ready = []
        while self._entries and self._is_ready(self._entries[0]):
            ready.append(self._seal(self._entries.pop(0)))
        return ready

    def _is_ready(self, entry: Entry) -> bool:
        return not entry["has_part"] or (len(self._entries) > 1 and entry["batch_no"] in self._parts.stored)

    def _take_rest(self) -> list[Entry]:
        self._parts.finish()
        if self._entries:
            self._entries[-1]["bytes"] += self._bytes_total - self._reached
        rest, self._entries = [self._seal(entry) for entry in self._entries], []
        return rest

    def _seal(self, entry: Entry) -> Entry:
        if entry.pop("has_part"):
            part = self._parts.stored[entry["batch_no"]]
            entry["slice"]["part"] = {"key": part.key, "etag": part.etag, "bytes": part.bytes}
        return entry


def _lost() -> LoadEndedError:
    return LoadEndedError("The load has ended, or another planner has it.")
