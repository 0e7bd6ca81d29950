"""Ask one of the processes whether it is well; exit status 0 or 1 for a container's health check.

python -m infra.probe hub | ui | worker
"""

import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Final

from shared.platform.errors import TransientError, TripdeckError
from shared.platform.settings import Settings, load_settings

# Below the 15 s after which containers give a check up; on a machine at a load of 20 an answer took more than 5 s.
TIMEOUT_S: Final = 12
_HEARTBEATS: Final = "dramatiq:__heartbeats__"
# Workers leave a heartbeat each time they ask for work, at least once a second.
_HEARTBEAT_AGE_S: Final = 15


def check_hub(settings: Settings) -> None:
    """Raise unless the hub is ready: database, Redis and object store answer it."""
    _fetch(f"{make_local_url(settings.hub_host, settings.hub_port)}/readyz")


def check_ui(settings: Settings) -> None:
    """Raise unless the web app serves."""
    _fetch(f"{make_local_url(settings.ui_host, settings.ui_port)}/_stcore/health")


def check_worker(settings: Settings, *, since: float | None = None) -> None:
    """Raise unless some worker asked for work since then, or of late. The queue can't tell workers of several machines apart."""
    from shared.services.redis_client import connect_redis, redis_errors

    oldest_ms = (time.time() - _HEARTBEAT_AGE_S if since is None else since) * 1000
    with redis_errors(), connect_redis(settings) as client:
        found = client.zcount(_HEARTBEATS, oldest_ms, "+inf")
        if not found:
            raise TransientError("No worker asks for work.")


def make_local_url(host: str, port: int) -> str:
    """URL of one of our processes from this machine."""
    return f"http://{'127.0.0.1' if host in ('0.0.0.0', '::', '') else host}:{port}"  # noqa: S104 - compared with


CHECKS: Final[Mapping[str, Callable[[Settings], None]]] = {"hub": check_hub, "ui": check_ui, "worker": check_worker}


def main() -> None:
    """Check the process that is named on the command line."""
    if len(sys.argv) != 2 or sys.argv[1] not in CHECKS:
        sys.exit(f"usage: python -m infra.probe {' | '.join(CHECKS)}")
    try:
        CHECKS[sys.argv[1]](load_settings())
    except (TripdeckError, OSError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")


def _fetch(url: str) -> None:
    with urllib.request.urlopen(url, timeout=TIMEOUT_S):  # noqa: S310 - our own URL; a bad status raises an OSError
        pass


if __name__ == "__main__":
    main()
