"""Handover: a published load on its way into an engine, a short step a message, and out of it again once the load is undone.

queued → running → succeeded, and undo_queued → undoing → undone. A task has an id of ours and is stored before it is sent: after
a lost answer the engine is asked for that id, and gets the same task again only if it has never heard of it. The engine's count
of the load's rows must equal what was loaded. While a task runs, no thread waits for it: the reconciler sends the next message.
Lock order: load, then handover.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from loader.pipeline.context import Context
from loader.pipeline.leases import LoadEndedError, Work
from loader.publishing.engines.clickhouse import ClickHouseEngine
from loader.publishing.engines.druid import DruidEngine, DruidSqlEngine
from loader.publishing.engines.engine import Engine, PublishedLoad, Task
from shared.events import record_event
from shared.platform.errors import TerminalError, TransientError
from shared.platform.settings import Settings
from shared.services.database import execute, transaction

LOG = logging.getLogger(__name__)

# Between two questions for a running task.
POLL_S: Final = 5.0

Row = Mapping[str, Any]


def make_engine(settings: Settings) -> Engine:
    """Make the adapter of the settings' engine. Raises: TerminalError when none is set."""
    if settings.publish_engine == "none":
        raise TerminalError("No engine is set: TRIPDECK_PUBLISH_ENGINE is none.", code="no_engine")
    classes: dict[str, Callable[[Settings], Engine]] = {
        "druid": DruidEngine,
        "druid_sql": DruidSqlEngine,
        "clickhouse": ClickHouseEngine,
    }
    return classes[settings.publish_engine](settings)


def hand_over(context: Context, load_id: int, *, engine: Engine | None = None) -> None:
    """Take the next step of a load's handovers that are due. engine: in place of the settings'.

    Raises: TransientError when it should be tried again.
    """
    with transaction(context.engine) as connection:
        names = [row.engine for row in execute(connection, "list_handovers", load_id=load_id)]
    for name in names:
        _step(context, load_id, name, engine=engine)


def _step(context: Context, load_id: int, name: str, *, engine: Engine | None) -> None:
    with transaction(context.engine) as connection:
        lease_s = context.settings.batch_lease_s
        found = execute(connection, "claim_handover", load_id=load_id, engine=name, lease_s=lease_s).mappings().one_or_none()
    if found is None:
        return
    row: Row = dict(found)
    key = {"load_id": load_id, "engine": name, "lease_token": row["lease_token"]}
    give_up = partial(_fail, context, key)
    if row["attempts"] > context.settings.batch_kills:
        give_up(TerminalError(f"Handing over ended its worker {row['attempts'] - 1} times.", code="handover_failed"))
        return
    work = Work(context, "Handing over", kind="handover", key=key, failures=row["failures"], give_up=give_up, is_of_load=False)
    try:
        with work.running():
            _Step(context, row, key, engine=engine or _find_engine(context.settings, name)).run()
    except LoadEndedError:
        LOG.info("load was undone while it was handed over", extra={"load_id": load_id, "engine": name})
        with transaction(context.engine) as connection:
            # This worker may have sent its task after the engine was found empty.
            execute(connection, "repeat_handover_undo", load_id=load_id, engine=name)


def _find_engine(settings: Settings, name: str) -> Engine:
    if settings.publish_engine != name:
        raise TerminalError(f"The engine {name} is not set any more: TRIPDECK_PUBLISH_ENGINE is {settings.publish_engine}.")
    return make_engine(settings)


class _Step:
    """One step of one handover."""

    def __init__(self, context: Context, row: Row, key: dict[str, Any], *, engine: Engine) -> None:
        self._context = context
        self._row = row
        self._key = key
        self._engine = engine

    def run(self) -> None:
        """Take the step that the state asks for."""
        steps = {"queued": self._begin, "running": self._follow, "undo_queued": self._begin_undo, "undoing": self._follow_undo}
        steps[self._row["state"]]()

    @property
    def _load(self) -> PublishedLoad:
        return PublishedLoad(**self._row["specification"]["load"])

    @property
    def _task(self) -> Task:
        return Task(self._row["task_id"], self._row["specification"]["task"])

    def _name_task(self) -> str:
        return f"tripdeck-{self._context.settings.engine_table}-load-{self._row['load_id']}-{self._row['task_no'] + 1}"

    def _begin(self) -> None:
        with transaction(self._context.engine) as connection:
            publication = execute(connection, "fetch_publication", load_id=self._row["load_id"]).mappings().one()
        if publication["state"] != "published":
            raise LoadEndedError("The load was undone.")
        load = PublishedLoad.from_manifest(publication["manifest"], self._context.settings)
        self._send(load, self._engine.specify(load, self._name_task()), state="running")

    def _follow(self) -> None:
        status = self._engine.fetch_status(self._task)
        if status.state == "unknown":
            self._engine.submit(self._task)
        elif status.state == "failed":
            self._engine.cancel(self._task)  # what it left goes
            raise TerminalError(f"The engine's task {self._task.task_id} failed: {status.message}", code="engine_task_failed")
        if status.state != "succeeded":
            self._postpone("running")
            return
        rows, expected = self._engine.count_rows(self._load.load_id), self._load.rows
        if rows < expected:  # segments that no server has yet
            raise TransientError(f"The engine counts {rows:,} of {expected:,} rows.", code="rows_missing")
        if rows > expected:
            raise TerminalError(f"The engine counts {rows:,} rows, and {expected:,} were sent.", code="rows_differ")
        self._finish("succeeded", "handed_over", rows)

    def _begin_undo(self) -> None:
        status = self._engine.fetch_status(self._task)
        if status.state == "running":
            self._engine.cancel(self._task)
            self._postpone("undo_queued")
            return
        if self._engine.count_rows(self._load.load_id) == 0:
            self._finish("undone", "handed_back", 0)
            return
        self._send(self._load, self._engine.specify_undo(self._load, self._name_task()), state="undoing")

    def _follow_undo(self) -> None:
        status = self._engine.fetch_status(self._task)
        if status.state == "unknown":
            self._engine.submit(self._task)
        elif status.state == "failed":
            if self._row["failures"] + 1 >= self._context.settings.batch_attempts:
                raise TerminalError(f"The engine could not remove the load: {status.message}", code="engine_task_failed")
            self._postpone("undo_queued", is_failure=True)
            return
        if status.state != "succeeded":
            self._postpone("undoing")
            return
        if rows := self._engine.count_rows(self._load.load_id):
            raise TransientError(f"The engine still counts {rows:,} rows of the load.", code="rows_left")
        self._finish("undone", "handed_back", 0)

    def _send(self, load: PublishedLoad, task: Task, *, state: str) -> None:
        stored = {"task_id": task.task_id, "specification": {"load": load.to_json(), "task": task.specification}}
        with transaction(self._context.engine) as connection:
            if execute(connection, "store_task", **self._key, state=state, **stored).first() is None:
                raise LoadEndedError("The load was undone, or another worker hands it over.")
        self._engine.submit(task)
        self._postpone(state)

    def _postpone(self, state: str, *, is_failure: bool = False) -> None:
        with transaction(self._context.engine) as connection:
            facts = {"state": state, "pause_s": POLL_S, "is_failure": is_failure}
            if execute(connection, "postpone_handover", **self._key, **facts).first() is None:
                raise LoadEndedError("The load was undone, or another worker hands it over.")

    def _finish(self, state: str, kind: str, rows: int) -> None:
        _end(self._context, self._key, kind, state=state, rows=rows, error_code=None, error_message=None)


def _fail(context: Context, key: dict[str, Any], error: TerminalError) -> None:
    LOG.error("handover is given up", extra={"load_id": key["load_id"], "reason": error.message})
    facts = {"error_code": error.error_code, "error_message": error.message}
    _end(context, key, "handover_failed", state="failed", rows=None, **facts)


def _end(context: Context, key: dict[str, Any], kind: str, /, **facts: object) -> None:
    with transaction(context.engine) as connection:
        execute(connection, "lock_load", load_id=key["load_id"])
        if execute(connection, "finish_handover", **key, **facts).first() is None:
            raise LoadEndedError("The load was undone, or another worker hands it over.")
        record_event(connection, key["load_id"], kind)
    context.notify()
