"""The programs of the local stack: the servers we own, and the same console scripts that compose starts."""

import shutil
import sys
import sysconfig
import time
from collections.abc import Callable, Set
from pathlib import Path
from typing import Final

from infra.embedded import Program, ServerError, prepare_postgres, prepare_seaweed, prepare_valkey
from infra.environment import make_environment
from infra.installation import ACCESS_KEY, Installation
from infra.probe import check_heartbeats, fetch, find_local_host
from shared.platform.settings import Settings

# Questions take precedence over loads: for 16 concurrent clients the p95 of boxes during a load is 2.2 times that when idle,
# instead of 3.7 times. The load keeps the same 0.65 to 0.68 of its rate.
_WORKER_NICENESS: Final = 5
# A worker that is asked to stop finishes the batch it is in.
_WORKER_STOP_S: Final = 30.0


def prepare_servers(settings: Settings, installation: Installation, owned: Set[str]) -> list[Program]:
    """PostgreSQL, Valkey and SeaweedFS, as far as they are ours to run.

    Raises: ServerError, AccountError.
    """
    data_dir, ports = settings.data_dir, installation.ports
    prepared: dict[str, Callable[[], Program]] = {
        "postgres": lambda: prepare_postgres(
            data_dir / "postgres", port=ports["postgres"], password=installation.database_password
        ),
        "valkey": lambda: prepare_valkey(data_dir / "valkey", port=ports["valkey"], password=installation.redis_password),
        "s3": lambda: prepare_seaweed(
            data_dir / "s3",
            port=ports["s3"],
            access_key=ACCESS_KEY,
            secret_key=installation.s3_secret_key,
            bucket=settings.s3_bucket,
            origins=settings.allowed_origins,
        ),
    }
    return [prepare() for name, prepare in prepared.items() if name in owned]


def make_migration(settings: Settings) -> Program:
    """Bring the schema up to date; ends by itself."""
    return _make_program(settings, "migrate", check=_ask_nothing)


def make_applications(settings: Settings) -> list[Program]:
    """Worker, hub and web app."""
    since = time.time()
    return [
        _make_program(
            settings,
            "worker",
            check=lambda: check_heartbeats(str(settings.data_dir), since=since),
            stop_timeout_s=_WORKER_STOP_S,
            niceness=_WORKER_NICENESS,
        ),
        _make_program(settings, "hub", check=lambda: fetch(find_local_host(settings.hub_host), settings.hub_port, "/readyz")),
        _make_program(
            settings, "ui", check=lambda: fetch(find_local_host(settings.ui_host), settings.ui_port, "/_stcore/health")
        ),
    ]


def make_sample(settings: Settings) -> Program:
    """Load a generated sample when nothing was ever loaded; ends by itself."""
    command = (sys.executable, "-m", "infra.sample")
    return _make_program(settings, "sample", check=_ask_nothing, command=command, is_restarted=False)


def _make_program(
    settings: Settings,
    name: str,
    *,
    check: Callable[[], object],
    command: tuple[str, ...] | None = None,
    stop_timeout_s: float = 10.0,
    is_restarted: bool = True,
    niceness: int = 0,
) -> Program:
    return Program(
        name=name,
        command=command or (_find_script(f"tripdeck-{name}"),),
        folder=Path.cwd(),
        log_file=settings.data_dir / "logs" / f"{name}.log",
        check=check,
        check_errors=(OSError,),
        environment=make_environment(settings),
        stop_timeout_s=stop_timeout_s,
        is_restarted=is_restarted,
        niceness=niceness,
    )


def _ask_nothing() -> None:
    return


def _find_script(name: str) -> str:
    beside = Path(sysconfig.get_path("scripts")) / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise ServerError(f"{name} is not installed in {sys.prefix}; run `make up` again to install it.")
    return found
