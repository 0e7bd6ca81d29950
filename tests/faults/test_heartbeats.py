"""Heartbeats of a worker: they go on while Redis is away, and end with a process that hangs."""

import signal
import time
from pathlib import Path

import psutil

from infra.environment import make_environment
from infra.probe import UnwellError, check_heartbeats
from shared.platform.settings import Settings
from tests.loading import running_worker, wait_until
from tests.services import ValkeyServer


def is_well(settings: Settings, *, since: float) -> bool:
    try:
        check_heartbeats(str(settings.data_dir), since=since)
    except UnwellError:
        return False
    return True


def test_a_worker_is_well_without_redis_and_unwell_when_it_hangs(
    settings: Settings, own_valkey: ValkeyServer, tmp_path: Path
) -> None:
    settings = settings.model_copy(update={"redis_url": Settings(redis_url=own_valkey.url()).redis_url})
    with running_worker(make_environment(settings), tmp_path / "worker.log") as worker:
        wait_until(lambda: is_well(settings, since=0), what="for heartbeats")
        own_valkey.kill()
        lost_at = time.time()
        wait_until(lambda: is_well(settings, since=lost_at + 1), what="for heartbeats without Redis")
        child = worker.child()
        child.send_signal(signal.SIGSTOP)
        wait_until(lambda: child.status() == psutil.STATUS_STOPPED, what="for the pause")
        stopped_at = time.time()
        assert not is_well(settings, since=stopped_at)
        child.send_signal(signal.SIGCONT)
        wait_until(lambda: is_well(settings, since=stopped_at), what="for heartbeats after the pause")
    wait_until(lambda: not is_well(settings, since=0), what="for the process to be gone")
