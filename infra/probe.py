"""Health checks of containers: exit status 0 when the process of this container is well, else 1 with one line that says why.

python -m infra.probe hub | ui | worker

Standard library only, and little of it: a check runs every 10 s beside the process that it asks. With urllib and the settings it
took 0.5 s of processor time, now 0.03 s.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

# Below the 15 s after which containers give a check up; on a machine at a load of 20 an answer took more than 5 s.
TIMEOUT_S: Final = 12
HUB_PORT: Final = 8600
UI_PORT: Final = 8501
DATA_DIR: Final = ".tripdeck"
HEARTBEATS: Final = "workers"
# A worker asks each of its queues twice a second. While Redis is away it tries again every 3 s, and each try may take 10 s.
HEARTBEAT_AGE_S: Final = 30.0


class UnwellError(OSError):
    """The process answers with an error, or has left no sign of life for too long."""


def check_hub(environment: Mapping[str, str] = os.environ) -> None:
    """Raise OSError unless the hub is ready: database, Redis and object store answer it."""
    fetch(*_find_address(environment, "HUB", HUB_PORT), "/readyz")


def check_ui(environment: Mapping[str, str] = os.environ) -> None:
    """Raise OSError unless the web app serves."""
    fetch(*_find_address(environment, "UI", UI_PORT), "/_stcore/health")


def check_worker(environment: Mapping[str, str] = os.environ) -> None:
    """Raise OSError unless every worker process over this data folder asks all its queues for work."""
    check_heartbeats(environment.get("TRIPDECK_DATA_DIR") or DATA_DIR, since=time.time() - HEARTBEAT_AGE_S)


def check_heartbeats(data_dir: str, *, since: float) -> None:
    """Raise UnwellError unless there are worker processes over this folder and all have asked for work since then (Unix time)."""
    folder = os.path.join(data_dir, HEARTBEATS)  # noqa: PTH118 - pathlib takes as long to import as all the rest
    names = os.listdir(folder) if os.path.isdir(folder) else []  # noqa: PTH208, PTH112
    alive = [name for name in names if is_running(name)]
    if not alive:
        raise UnwellError("No worker process asks for work.")
    for name in alive:
        age_s = since - os.stat(os.path.join(folder, name)).st_mtime  # noqa: PTH116, PTH118
        if age_s > 0:
            raise UnwellError(
                f"Process {name.replace('-', ', queue ')}, last asked for work {age_s:.0f} s before it should have."
            )


def is_running(name: str) -> bool:
    """Say whether the process of a heartbeat file (PID-QUEUE) lives. A zombie, which its parent has not waited for, does not."""
    pid = name.partition("-")[0]
    try:
        os.kill(int(pid), 0)
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - see above
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except (ProcessLookupError, ValueError):
        return False
    except OSError:  # it is another user's, or the system has no /proc
        return True


def make_local_url(host: str, port: int) -> str:
    """URL of one of our processes from this machine."""
    return f"http://{find_local_host(host)}:{port}"


def find_local_host(host: str) -> str:
    """Where a process that listens on this address is reached from this machine."""
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - compared with


def fetch(host: str, port: int, path: str) -> None:
    """Raise OSError unless a GET is answered with status 200."""
    with socket.create_connection((host, port), timeout=TIMEOUT_S) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            status = answer.readline(1_024).decode("latin-1").strip()
            rest = answer.read(16_384)
    if status.split(" ")[1:2] != ["200"]:
        body = rest.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")
        raise UnwellError(f"{status}: {body[:500]}")


def _find_address(environment: Mapping[str, str], name: str, port: int) -> tuple[str, int]:
    host = environment.get(f"TRIPDECK_{name}_HOST") or "127.0.0.1"
    return find_local_host(host), int(environment.get(f"TRIPDECK_{name}_PORT") or port)


CHECKS: Final[Mapping[str, Callable[[], None]]] = {"hub": check_hub, "ui": check_ui, "worker": check_worker}


def main() -> None:
    """Check the process that is named on the command line."""
    if len(sys.argv) != 2 or sys.argv[1] not in CHECKS:
        sys.exit(f"usage: python -m infra.probe {' | '.join(CHECKS)}")
    try:
        CHECKS[sys.argv[1]]()
    except (OSError, ValueError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")


if __name__ == "__main__":
    main()
