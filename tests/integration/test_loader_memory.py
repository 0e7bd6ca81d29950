"""A worker's memory is bounded by its batches, not by the file."""

import threading
from pathlib import Path

import psutil

from loader.checking import find_problems
from loader.context import Context
from loader.generate import generate_trips
from shared.database import transaction
from shared.loads import fetch_load, insert_load, ring_for_load
from shared.objects import make_object_key
from tests.loading import WorkerProcess, running_worker, wait_for_state

ROWS = 1_000_000
LIMIT_BYTES = 512 * 2**20


def test_a_million_rows_pass_through_a_worker_of_512_mb(context: Context, environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "trips.csv"
    tally = generate_trips(path, rows=ROWS)
    with path.open("rb") as stream:
        stored = context.store.put(make_object_key(), stream, length=tally.bytes)
    with transaction(context.engine) as connection:
        load_id = insert_load(connection, stored, file_name="trips.csv", options={})
    is_over = threading.Event()
    peaks = [0]
    with running_worker(environment, tmp_path / "worker.log") as worker:
        watcher = threading.Thread(target=_watch_memory, args=(worker, peaks, is_over))
        watcher.start()
        ring_for_load(context.broker, load_id)
        try:
            wait_for_state(context.engine, load_id, "succeeded", timeout_s=240)
        finally:
            is_over.set()
            watcher.join()
    load = fetch_load(context.engine, load_id)
    assert (load["rows_read"], load["rows_loaded"], load["rows_rejected"]) == (ROWS, ROWS, 0)
    assert load["batches_total"] > 1
    assert find_problems(context.engine, load_id) == []
    assert 0 < peaks[0] <= LIMIT_BYTES


def _watch_memory(worker: WorkerProcess, peaks: list[int], is_over: threading.Event) -> None:
    """Keep the largest resident size of any of the worker's processes."""
    while not is_over.wait(0.05):
        family = [psutil.Process(worker.popen.pid), *psutil.Process(worker.popen.pid).children(recursive=True)]
        for process in family:
            try:
                peaks[0] = max(peaks[0], process.memory_info().rss)
            except psutil.NoSuchProcess:
                continue
