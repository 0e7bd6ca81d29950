"""A million rows go through a real worker in bounded memory, once its kernels have been compiled on the machine."""

import re
import sys
from pathlib import Path

import pytest

from loader.checks.consistency import find_problems
from loader.formats import warm_up
from loader.pipeline.context import Context
from shared.loads import enqueue_load
from shared.warm_up import compile_kernels
from tests.loading import make_trips, request_load, running_worker, wait_for_state

LIMIT_BYTES = 512 * 2**20


def fetch_peak_bytes(pid: int) -> int:
    """Most memory that a process ever had resident."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_a_million_rows_stay_within_half_a_gigabyte(environment: dict[str, str], context: Context, tmp_path: Path) -> None:
    warm_up()
    compile_kernels()  # by a worker that is new on a machine: 80 MiB more, once
    data, tally = make_trips(1_000_000)
    load_id = request_load(context.engine, context.store, data)
    with running_worker(environment, tmp_path / "worker.log") as worker:
        enqueue_load(context.broker, load_id)
        load = wait_for_state(context.engine, load_id, "succeeded", "failed", timeout_s=240)
        peak_bytes = fetch_peak_bytes(worker.child().pid)
    assert (load["state"], load["rows_loaded"]) == ("succeeded", tally.rows)
    assert load["batches_total"] > 5, "more than one batch, or the test proves nothing"
    assert 50 * 2**20 < peak_bytes < LIMIT_BYTES
    assert find_problems(context.engine, load_id) == []
