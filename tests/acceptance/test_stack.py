"""The local stack as a person meets it: `tripdeck up`, a second one, deaths of its processes, the ways to stop it.

Everything runs in a folder that only its owner may enter; as root, PostgreSQL has to work from there all the same.
"""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.embedded import find_free_ports, is_port_taken
from infra.embedded.postgres import remove_data
from infra.embedded.program import make_tie
from infra.state import read_running
from tests.services import PostgresServer

TRIPDECK = Path(sysconfig.get_path("scripts")) / "tripdeck"
READY_S = 20
SERVERS = {"postgres", "valkey", "seaweedfs"}
APPLICATIONS = {"worker", "hub", "ui"}


def wait_for(is_true: Callable[[], bool], what: str, *, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < deadline, f"no {what} within {timeout_s} s"
        time.sleep(0.05)


@dataclass
class LocalStack:
    """A `tripdeck up` in a folder of its own."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    launcher: "subprocess.Popen[str] | None" = None
    output: str = ""

    def __post_init__(self) -> None:
        hub_port, ui_port = find_free_ports(2)
        self.folder.mkdir(mode=0o700)
        self.settings = {
            "TRIPDECK_DATA_DIR": str(self.folder / "data"),
            "TRIPDECK_HUB_PORT": str(hub_port),
            "TRIPDECK_UI_PORT": str(ui_port),
            "XDG_STATE_HOME": str(self.folder / "state"),
        } | self.settings

    def call(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.run(*arguments, env=os.environ | self.settings, cwd=self.folder)

    def call_from_elsewhere(self, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Call a command that isn't told where the stack's data lie."""
        return self.run(*arguments, env={**os.environ, "XDG_STATE_HOME": self.settings["XDG_STATE_HOME"]}, cwd=folder)

    def run(self, *arguments: str, **place: Any) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([TRIPDECK, *arguments], capture_output=True, text=True, check=False, **place)

    def start(self) -> float:
        began = time.monotonic()
        self.launcher = subprocess.Popen(
            [TRIPDECK, "up"],
            env=os.environ | self.settings,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=make_tie(signal.SIGTERM),  # noqa: PLW1509 - a killed test run leaves no stack
        )
        assert self.launcher.stdout is not None
        for line in self.launcher.stdout:
            self.output += line
            if line.startswith("Ctrl-C"):
                return time.monotonic() - began
        pytest.fail(f"tripdeck up ended: {self.output}")

    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.call("status", "--json").stdout)
        return document

    def list_family(self) -> list[psutil.Process]:
        assert self.launcher is not None
        return psutil.Process(self.launcher.pid).children(recursive=True)

    def find_pid(self, name: str) -> int:
        """The process that runs a program now, or the dead one whose successor isn't there yet."""
        state = read_running(self.folder / "data")
        assert state is not None
        return next((found.pid for found in state.processes if found.name == name), 0)

    def count_restarts(self, name: str) -> int:
        """How often a program was started again."""
        state = read_running(self.folder / "data")
        assert state is not None
        return next(found.restarts for found in state.processes if found.name == name)

    def count_ready_workers(self) -> int:
        """How many worker processes have said that they are ready."""
        return (self.folder / "data/logs/worker.log").read_text(encoding="utf-8").count("process is ready for action")

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.settings['TRIPDECK_HUB_PORT']}{path}", timeout=10) as answer:
            return json.load(answer)

    def signal(self, number: signal.Signals) -> int:
        assert self.launcher is not None
        self.launcher.send_signal(number)
        self.output += self.launcher.communicate(timeout=60)[0]
        return self.launcher.returncode

    def clean(self) -> None:
        if self.launcher is not None:
            if self.launcher.poll() is None:
                self.signal(signal.SIGTERM)
            if self.launcher.stdout is not None:
                self.launcher.stdout.close()
        remove_data(self.folder / "data" / "postgres")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that tests may look at and wound, not stop."""
    # Short leases: what a killed worker held is taken up soon.
    quick = {"TRIPDECK_BATCH_LEASE_S": "5", "TRIPDECK_RECONCILE_INTERVAL_S": "1"}
    stack = LocalStack(tmp_path_factory.mktemp("stack") / "private", quick)
    try:
        stack.start()
        yield stack
    finally:
        stack.clean()


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[LocalStack]:
    stack = LocalStack(tmp_path / "private")
    yield stack
    stack.clean()


def test_everything_runs_and_its_addresses_are_printed(stack: LocalStack) -> None:
    status = stack.status()
    assert status["is_ready"] is True
    assert {found["name"] for found in status["processes"]} >= SERVERS | APPLICATIONS
    assert f"http://127.0.0.1:{stack.settings['TRIPDECK_UI_PORT']}" in stack.output
    assert f"http://127.0.0.1:{stack.settings['TRIPDECK_HUB_PORT']}/docs" in stack.output


def test_the_first_start_loads_a_sample(stack: LocalStack) -> None:
    def list_states() -> list[str]:
        return [load["state"] for load in stack.get("/api/v1/loads")["loads"]]

    wait_for(lambda: list_states() == ["succeeded"], "sample")
    assert len(stack.get("/api/v1/regions")["regions"]) == 3


def test_the_running_stack_checks_itself(stack: LocalStack) -> None:
    checked = stack.call("check", "--json")
    assert (checked.returncode, json.loads(checked.stdout)["is_right"]) == (0, True), checked


def test_a_second_up_says_what_runs_and_succeeds(stack: LocalStack) -> None:
    second = stack.call("up")
    assert second.returncode == 0
    assert "already runs" in second.stdout
    assert f"http://127.0.0.1:{stack.settings['TRIPDECK_UI_PORT']}" in second.stdout


def test_what_holds_secrets_is_its_owners_only(stack: LocalStack) -> None:
    data_dir = Path(stack.settings["TRIPDECK_DATA_DIR"])
    for name in ("installation.json", "stack.json", "s3/s3.json", "valkey/valkey.conf"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o600, name
    secrets = json.loads((data_dir / "installation.json").read_text())
    shown = stack.call("status", "--json").stdout + stack.call("status").stdout + stack.output
    assert not any(secrets[name] in shown for name in ("database_password", "redis_password", "s3_secret_key"))


def test_everything_listens_on_loopback_only(stack: LocalStack) -> None:
    listeners = {
        found.laddr.ip
        for process in stack.list_family()
        for found in process.net_connections()
        if found.status == psutil.CONN_LISTEN
    }
    assert listeners == {"127.0.0.1"}


@pytest.mark.parametrize("name", ["worker", "hub", "ui", "valkey", "postgres", "seaweedfs"])
def test_what_dies_is_started_again(stack: LocalStack, name: str) -> None:
    before = psutil.Process(stack.find_pid(name))
    before.kill()
    wait_for(lambda: stack.find_pid(name) not in (before.pid, 0), f"new {name}")
    wait_for(lambda: is_ready(stack), "readiness")


def test_a_worker_child_that_dies_costs_its_master_and_both_come_back(stack: LocalStack) -> None:
    def list_children() -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(stack.find_pid("worker")).children()
        return []

    # A child that dies while it says that it is ready leaves a master that waits for ever.
    wait_for(lambda: stack.count_ready_workers() > stack.count_restarts("worker"), "worker that is ready")
    wait_for(lambda: bool(list_children()), "worker of a master and its children")
    master, children = stack.find_pid("worker"), list_children()
    children[0].kill()
    wait_for(lambda: stack.find_pid("worker") not in (master, 0), "new worker")
    assert psutil.wait_procs(children, timeout=30)[1] == []
    wait_for(lambda: bool(list_children()), "children of the new worker")


def test_the_benchmark_loads_checks_and_asks(stack: LocalStack) -> None:
    done = stack.call("bench", "scale", "--rows", "20000", "--repeats", "2", "--json")
    assert done.returncode == 0, done
    found = json.loads(done.stdout)
    assert (found["rows"], found["is_right"], found["differences"], found["missing_samples"]) == (20_000, True, [], [])
    assert found["rows_per_s"] > 0
    assert all(timing["p95_ms"] > 0 for timing in found["questions"])


def test_a_soak_kills_and_loses_nothing(stack: LocalStack) -> None:
    done = stack.call("bench", "soak", "--minutes", "0.3", "--json")
    assert done.returncode == 0, done
    found = json.loads(done.stdout)
    assert found["problems"] == []
    assert (sum(found["kills"].values()) > 0, found["ends"]["succeeded"] > 0) == (True, True)


def test_stop_signals_end_everything_and_the_data_stays(own_stack: LocalStack) -> None:
    own_stack.start()
    wait_for(lambda: own_stack.get("/api/v1/loads")["loads"] != [], "sample")
    assert_ends(own_stack, signal.SIGTERM)
    assert own_stack.call("status").returncode == 1
    # Twenty seconds are promised on a machine that has no more to do than this.
    assert own_stack.start() < READY_S or os.getloadavg()[0] > 2 * (os.cpu_count() or 1)
    assert len(own_stack.get("/api/v1/loads")["loads"]) == 1
    assert_ends(own_stack, signal.SIGINT)


def assert_ends(stack: LocalStack, number: signal.Signals) -> None:
    family = stack.list_family()
    assert stack.signal(number) == 0
    assert psutil.wait_procs(family, timeout=1)[1] == []
    assert not (stack.folder / "data" / "stack.json").exists()


def test_down_ends_everything_from_any_folder(own_stack: LocalStack, tmp_path: Path) -> None:
    own_stack.start()
    family = own_stack.list_family()
    assert own_stack.settings["TRIPDECK_HUB_PORT"] in own_stack.call_from_elsewhere(tmp_path, "status").stdout
    assert own_stack.call_from_elsewhere(tmp_path, "loads").returncode == 0
    done = own_stack.call_from_elsewhere(tmp_path, "down")
    assert (done.returncode, done.stdout) == (0, "Stopped.\n")
    assert psutil.wait_procs(family, timeout=1)[1] == []
    assert own_stack.call("down").stdout == "Nothing runs.\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ties children to their launcher on Linux only")
def test_nothing_outlives_a_launcher_that_is_killed(own_stack: LocalStack) -> None:
    own_stack.start()
    family = own_stack.list_family()
    own_stack.signal(signal.SIGKILL)
    assert psutil.wait_procs(family, timeout=30)[1] == []
    own_stack.start()


def test_a_taken_port_is_named_with_its_setting(own_stack: LocalStack) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        own_stack.settings["TRIPDECK_HUB_PORT"] = str(port)
        done = own_stack.call("up")
    assert done.returncode != 0
    assert (done.stdout + done.stderr).count("\n") == 1
    assert f"Port {port}" in done.stderr
    assert "TRIPDECK_HUB_PORT" in done.stderr


def test_a_database_of_ones_own_is_used_and_none_is_started(own_stack: LocalStack, postgres_server: PostgresServer) -> None:
    own_stack.settings["TRIPDECK_DATABASE_URL"] = postgres_server.make_empty()
    own_stack.start()
    assert "postgres" not in {found["name"] for found in own_stack.status()["processes"]}
    assert is_ready(own_stack)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("TRIPDECK_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:{port}/nothing"),
        ("TRIPDECK_REDIS_URL", "redis://127.0.0.1:{port}/0"),
        ("TRIPDECK_S3_ENDPOINT", "http://127.0.0.1:{port}"),
    ],
)
def test_a_server_of_ones_own_that_is_away_gives_one_line(own_stack: LocalStack, name: str, url: str) -> None:
    [port] = find_free_ports(1)
    own_stack.settings[name] = url.format(port=port)
    done = own_stack.call("up")
    assert done.returncode == 1
    assert "can't be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert not is_port_taken(int(own_stack.settings["TRIPDECK_HUB_PORT"]))


def is_ready(stack: LocalStack) -> bool:
    try:
        stack.get("/readyz")
    except OSError:
        return False
    return True
