"""The running stack as others see it: stack.json (addresses, process ids; its owner's only) and the lock of its launcher."""

import contextlib
import fcntl
import json
import os
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from infra.installation import write_private
from shared.platform.errors import TerminalError
from shared.platform.local_stacks import STACK_FILE, list_stacks, remove_stack
from shared.platform.settings import Settings


@dataclass
class ProcessState:
    """One process; a pid with the instant it began, as pids are used again."""

    name: str
    pid: int
    created: float
    restarts: int = 0

    @classmethod
    def of(cls, name: str, pid: int, *, restarts: int = 0) -> "ProcessState | None":
        """Describe a process that lives."""
        try:
            return cls(name, pid, psutil.Process(pid).create_time(), restarts)
        except psutil.NoSuchProcess:
            return None

    def find(self) -> psutil.Process | None:
        """The process itself, while it lives."""
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.created) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if is_same else None


@dataclass
class StackState:
    """The running stack: its launcher, addresses and processes."""

    launcher: ProcessState
    is_ready: bool
    api_url: str
    ui_url: str
    log_dir: str
    environment: dict[str, str]  # the settings of its processes, secrets included
    processes: list[ProcessState] = field(default_factory=list)


def read_state(data_dir: Path) -> StackState | None:
    """Read the state that a running, or killed, stack has left."""
    try:
        document: dict[str, Any] = json.loads((data_dir / STACK_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    launcher = ProcessState(**document.pop("launcher"))
    processes = [ProcessState(**found) for found in document.pop("processes")]
    return StackState(launcher=launcher, processes=processes, **document)


def read_running(data_dir: Path) -> StackState | None:
    """Read the state when its launcher lives."""
    state = read_state(data_dir)
    return state if state and state.launcher.find() else None


def find_running(settings: Settings) -> StackState | None:
    """The stack that a command is about: that of the data folder that was set or lies here, else the only one that runs.

    Raises: TerminalError when several run elsewhere.
    """
    state = read_running(settings.data_dir.resolve())
    if state or "data_dir" in settings.model_fields_set:
        return state
    found = {folder: running for folder in list_stacks() if (running := read_running(folder))}
    if len(found) > 1:
        folders = ", ".join(f"TRIPDECK_DATA_DIR={shlex.quote(str(folder))}" for folder in found)
        raise TerminalError(f"{len(found)} stacks run, none in this folder; say which: {folders}.", code="several_stacks")
    return next(iter(found.values()), None)


def write_state(data_dir: Path, state: StackState) -> None:
    """Write the state; readers see the old one or the new one."""
    write_private(data_dir / STACK_FILE, asdict(state))


def remove_state(data_dir: Path) -> None:
    """Forget the state after a clean stop."""
    (data_dir / STACK_FILE).unlink(missing_ok=True)
    remove_stack(data_dir)


@contextmanager
def hold_lock(data_dir: Path) -> Iterator[bool]:
    """Take the lock for the time of the block; yields False when another process has it. The kernel frees it at our death."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / "lock").open("a", encoding="utf-8") as held:  # Python closes it in children
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def end_leftovers(data_dir: Path, report: Callable[[str], None]) -> None:
    """End what a killed launcher left running, where the kernel did not do it; the caller holds the lock."""
    state = read_state(data_dir)
    left = [found for process in state.processes if (found := process.find())] if state else []
    family = left + [child for process in left for child in process.children(recursive=True)]
    for process in family:
        report(f"Ending process {process.pid}, left by a start that was killed.")
        process.terminate()
    _, alive = psutil.wait_procs(family, timeout=10)
    for process in alive:
        process.kill()
    remove_state(data_dir)


def stop_launcher(state: StackState, *, timeout_s: float = 90.0) -> bool:
    """Ask the launcher to stop everything and wait for its end; says whether it ended."""
    launcher = state.launcher.find()
    if launcher is None or launcher.pid == os.getpid():
        return True
    launcher.terminate()
    deadline = time.monotonic() + timeout_s
    while state.launcher.find():  # not launcher.wait alone: that takes a process its parent hasn't asked for yet as running
        if time.monotonic() > deadline:
            return False
        with contextlib.suppress(psutil.TimeoutExpired):
            launcher.wait(0.1)
    return True
