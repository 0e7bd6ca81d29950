"""The worker: console script tripdeck-worker. Processes and threads of Dramatiq; process.py has what runs in each.

The script turns into Dramatiq's own command (exec), which starts the processes, forwards signals and stops all when one dies;
whoever supervises it starts it again. SIGTERM lets the batches at hand end; what can't wait that long is left to another worker.
"""

import os
import sys
from typing import Final

from shared.platform.errors import SettingsError
from shared.platform.settings import load_settings
from shared.platform.tracing import make_tracing

# Longer than the longest batch (about 1 s, and 10 s on a bad day); supervisors kill after 30 s.
_SHUTDOWN_TIMEOUT_MS: Final = 20_000
# How often a consumer polls its queue without a notification (shared/services/queueing.py); stopping and retries wait as long.
_LOOK_MS: Final = 500
# Arrays of megabytes come and go with every batch. By default glibc gives their memory back each time and takes it again, page
# by page: a sixth of a batch's processor time. One arena for all threads, which keeps up to 256 MiB, ends that; the peak stays.
_ALLOCATOR: Final = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20),
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
}


def main() -> None:
    """Run the worker until it is told to stop."""
    try:
        settings = load_settings()
        make_tracing("tripdeck-worker", os.environ).close()  # what is wrong with it is said once, here
    except SettingsError as error:
        sys.exit(f"tripdeck-worker: {error.message}")
    # One message per thread: a worker that fetches more keeps them from the others.
    environment = {
        **_ALLOCATOR,
        **os.environ,
        "dramatiq_queue_prefetch": str(settings.worker_threads),
        "dramatiq_worker_timeout": str(_LOOK_MS),
    }
    command = [sys.executable, "-m", "dramatiq", "loader.worker.process:setup_worker", "--skip-logging"]
    command += ["--processes", str(settings.worker_processes), "--threads", str(settings.worker_threads)]
    command += ["--worker-shutdown-timeout", str(_SHUTDOWN_TIMEOUT_MS)]
    os.execve(sys.executable, command, environment)  # noqa: S606 - nothing of it comes from outside


if __name__ == "__main__":
    main()
