"""The local stack: PostgreSQL, Valkey and SeaweedFS, then migration, worker, hub and web app, in the order of their needs.

A server whose URL is set (TRIPDECK_DATABASE_URL, TRIPDECK_REDIS_URL, TRIPDECK_S3_ENDPOINT) is used as it is and not started.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as replace_fields
from pathlib import Path

from infra.embedded import Program
from infra.embedded.postgres import ensure_analyst, ensure_database
from infra.environment import make_environment
from infra.installation import (
    DATABASE,
    Installation,
    complete_settings,
    find_owned_servers,
    load_installation,
    require_free_ports,
)
from infra.probe import make_local_url
from infra.programs import make_applications, make_migration, make_sample, prepare_servers
from infra.state import ProcessState, StackState, end_leftovers, remove_state, write_state
from infra.supervisor import StopRequestedError, Supervisor
from shared.platform.local_stacks import add_stack
from shared.platform.settings import PREFIX, Settings
from shared.services.objects import ObjectStore
from shared.services.redis_client import connect_redis, redis_errors


@dataclass
class Stack:
    """Everything `tripdeck up` runs over one data folder, whose lock the caller holds.

    Raises: SettingsError when a port is taken.
    """

    settings: Settings
    report: Callable[[str], None]
    installation: Installation = field(init=False)
    supervisor: Supervisor = field(init=False)
    owned: set[str] = field(init=False)
    is_ready: bool = False

    def __post_init__(self) -> None:
        end_leftovers(self.settings.data_dir.resolve(), self.report)
        require_free_ports(self.settings)
        self.owned = find_owned_servers(self.settings)
        self.installation = load_installation(
            self.settings.data_dir.resolve(), avoid={self.settings.hub_port, self.settings.ui_port}
        )
        self.settings = complete_settings(self.settings, self.installation, self.owned)
        self.supervisor = Supervisor(report=self.report, on_change=self._write_state)

    def run(self) -> None:
        """Start everything, keep it running until a stop signal, then stop it.

        Raises: ServerError, AccountError, TransientError when something does not start.
        """
        with self.supervisor.handle_signals():
            try:
                self._write_state()
                add_stack(self.settings.data_dir)
                self._start()
                self.supervisor.watch()
                self.report("Stopping …")
            except StopRequestedError:
                self.report("Stopping before everything was up …")
            finally:
                self.supervisor.stop()
                remove_state(self.settings.data_dir)

    def _start(self) -> None:
        began = time.monotonic()
        self.supervisor.start([self._with_log(program) for program in self._prepare_servers()])
        self._complete_servers()
        self.supervisor.run(make_migration(self.settings))
        self.supervisor.start(make_applications(self.settings))
        self.is_ready = True
        self.supervisor.start([make_sample(self.settings)])
        self._describe(time.monotonic() - began)

    def _prepare_servers(self) -> list[Program]:
        return prepare_servers(self.settings, self.installation, self.owned)

    def _with_log(self, program: Program) -> Program:
        return replace_fields(program, log_file=self._log_dir / f"{program.name}.log")

    def _complete_servers(self) -> None:
        """Make database and bucket; where a server isn't ours, this is where it is found missing."""
        if "postgres" in self.owned:
            port, password = self.installation.ports["postgres"], self.installation.database_password
            ensure_database(DATABASE, port=port, password=password)
            ensure_analyst(port=port, password=password, analyst_password=self.installation.analyst_password)
        with redis_errors():
            connect_redis(self.settings).ping()
        ObjectStore(self.settings).ensure_bucket()

    def _describe(self, seconds: float) -> None:
        self.report(f"Tripdeck is ready after {seconds:.1f} s.")
        self.report(f"  Web app  {self._ui_url}")
        self.report(f"  API      {self.settings.api_url}/docs")
        self.report(f"  Logs     {self._log_dir}")
        self.report("Ctrl-C stops it.")

    def _write_state(self) -> None:
        launcher = ProcessState.of("launcher", os.getpid())
        assert launcher is not None  # noqa: S101 - it is this process
        environment = make_environment(self.settings, base={})
        processes = [
            process
            for found in self.supervisor.list_processes()
            if (process := ProcessState.of(found.process.program.name, found.process.pid, restarts=found.restarts))
        ]
        state = StackState(
            launcher=launcher,
            is_ready=self.is_ready,
            api_url=self.settings.api_url,
            ui_url=self._ui_url,
            log_dir=str(self._log_dir),
            environment={name: value for name, value in environment.items() if name.startswith(PREFIX)},
            processes=processes,
        )
        write_state(self.settings.data_dir, state)

    @property
    def _log_dir(self) -> Path:
        return self.settings.data_dir / "logs"

    @property
    def _ui_url(self) -> str:
        return make_local_url(self.settings.ui_host, self.settings.ui_port)
