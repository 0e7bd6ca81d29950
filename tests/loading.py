"""Loads for tests: put bytes into the store, request a load, run it here without a queue, or in a worker process."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Engine

from loader.pipeline.batch import load_batch
from loader.pipeline.context import Context
from loader.pipeline.finishing import clean_load
from loader.pipeline.planning import plan_load
from loader.sample.generate import Tally, write_trips
from shared.loads import fetch_load, insert_load
from shared.services.database import execute, transaction
from shared.services.objects import ObjectStore, make_object_key
from shared.services.queueing import NotifyingBroker

ROOT = Path(__file__).resolve().parent.parent
HEADER = b"region,origin_coord,destination_coord,datetime,datasource\n"
ROW = b"Turin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-21 02:54:04,baba_car\n"
BAD_ROW = b"Turin,POINT (7.6 95.0),POINT (7.7 45.1),2018-05-21 02:54:04,baba_car\n"


@contextmanager
def listening(broker: NotifyingBroker) -> Iterator[None]:
    """Have a broker receive notifications of other processes, as a worker's does."""
    is_over = threading.Event()
    thread = threading.Thread(target=broker.listen, args=(is_over,))
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def change(context: Context, **settings: Any) -> Context:
    """The same context with other settings."""
    return replace(context, settings=context.settings.model_copy(update=settings))


def make_trips(rows: int, **choices: Any) -> tuple[bytes, Tally]:
    """A generated file and what it holds."""
    stream = io.BytesIO()
    tally = write_trips(stream, rows=rows, **choices)
    return stream.getvalue(), tally


def request_load(engine: Engine, store: ObjectStore, data: bytes, *, file_name: str = "trips.csv", **options: Any) -> int:
    """Store a file and write its queued load; nobody is told."""
    stored = store.put(make_object_key(), io.BytesIO(data), length=len(data))
    with transaction(engine) as connection:
        return insert_load(connection, stored, file_name=file_name, options=options)


def run_load(context: Context, load_id: int) -> dict[str, Any]:
    """Plan a load, run its batches one after the other, clean it; returns the load."""
    plan_load(context, load_id)
    for batch_no in list_pending(context.engine, load_id):
        load_batch(context, load_id, batch_no)
    clean_load(context, load_id)
    return fetch_load(context.engine, load_id)


def load_bytes(context: Context, data: bytes, **options: Any) -> dict[str, Any]:
    """Store, request and run a load."""
    return run_load(context, request_load(context.engine, context.store, data, **options))


def list_pending(engine: Engine, load_id: int) -> list[int]:
    with transaction(engine) as connection:
        rows = execute(connection, "list_batches", load_id=load_id).all()
    return [row.batch_no for row in rows if row.state == "pending"]


def wait_until(condition: Callable[[], Any], *, timeout_s: float = 60.0, what: str = "", interval_s: float = 0.02) -> Any:
    """Wait until the condition gives something true; returns it."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(interval_s)
    raise AssertionError(f"waited {timeout_s} s in vain {what}")


def wait_for_state(engine: Engine, load_id: int, *states: str, timeout_s: float = 60.0) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        load = fetch_load(engine, load_id)
        return load if load["state"] in states and not load["needs_cleaning"] else None

    found: dict[str, Any] = wait_until(look, timeout_s=timeout_s, what=f"for load {load_id} to be {states}")
    return found


class WorkerProcess:
    """A real worker: Dramatiq's master and its children."""

    def __init__(self, environment: dict[str, str], log_file: Path) -> None:
        self._log = log_file.open("ab")
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "loader.worker.main"],
            cwd=ROOT,
            env=environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def child(self) -> psutil.Process:
        """The process that runs the batches."""
        found: psutil.Process = wait_until(self._find_child, what="for the worker's child")
        return found

    def _find_child(self) -> psutil.Process | None:
        children = psutil.Process(self.popen.pid).children()
        return next((child for child in children if "resource_tracker" not in " ".join(child.cmdline())), None)

    def kill(self) -> None:
        """SIGKILL the whole family at once."""
        os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def stop(self) -> int:
        """SIGTERM, and wait for the end."""
        self.popen.terminate()
        return self.popen.wait(timeout=40)

    def close(self) -> None:
        if self.popen.poll() is None:
            self.kill()
        self._log.close()


@contextmanager
def running_worker(environment: dict[str, str], log_file: Path, **settings: object) -> Iterator[WorkerProcess]:
    """A worker process for the length of a block; settings override the environment's."""
    extra = {f"TRIPDECK_{name.upper()}": str(value) for name, value in settings.items()}
    worker = WorkerProcess(environment | extra, log_file)
    try:
        yield worker
    finally:
        worker.close()
