"""Programs as child processes: start, wait until they answer, stop; none outlives the launcher.

Each child leads a session of its own, so Ctrl-C in the terminal reaches the launcher only, and the launcher stops its children
in order. On Linux the kernel sends a child its stop signal when the launcher dies, even by SIGKILL (PR_SET_PDEATHSIG). The
kernel means the launcher's thread: start programs from the main thread. Elsewhere the next start ends what was left over.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from infra.embedded.account import Account
from shared.platform.errors import TerminalError

_PR_SET_PDEATHSIG: Final = 1
_CHECK_INTERVAL_S: Final = 0.03
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ServerError(TerminalError):
    """A program of the local stack does not run; the message names it, its log and its last line."""

    code = "server_failed"


@dataclass(frozen=True)
class Program:
    """A command, the account it runs as, how to see that it answers, and how it is stopped."""

    name: str
    command: tuple[str, ...]
    folder: Path
    log_file: Path
    # Returns when the program answers in its own protocol; raises anything of check_errors until then.
    check: Callable[[], object]
    check_errors: tuple[type[Exception], ...] = (OSError,)
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 20.0
    is_restarted: bool = True  # by a supervisor, when it ends by itself
    niceness: int = 0  # of its processes: how far they let others go first, up to 19


@dataclass
class Process:
    """A running program."""

    program: Program
    popen: "subprocess.Popen[bytes]"
    started_at: float

    @property
    def pid(self) -> int:
        """Process id; also the id of its process group."""
        return self.popen.pid

    def is_running(self) -> bool:
        """Say whether the program still runs."""
        return self.popen.poll() is None

    def is_ready(self) -> bool:
        """Ask the program once."""
        try:
            self.program.check()
        except self.program.check_errors:
            return False
        return True


def start_program(program: Program) -> Process:
    """Start a program; its output is appended to its log file.

    Raises: ServerError when the command can't be run.
    """
    program.log_file.parent.mkdir(parents=True, exist_ok=True)
    account = program.account
    try:
        with program.log_file.open("ab") as log:
            popen = subprocess.Popen(
                program.command,
                cwd=program.folder,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_make_preparation(program),  # noqa: PLW1509 - it makes a few system calls, takes no lock
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=None if account is None else (),
            )
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerError(f"{program.name} can't be started: {error}.") from error
    return Process(program, popen, time.monotonic())


def wait_until_ready(process: Process, *, timeout_s: float = 60.0) -> None:
    """Wait until the program answers.

    Raises: ServerError when it ends or does not answer in time.
    """
    deadline = time.monotonic() + timeout_s
    while not process.is_ready():
        if time.monotonic() > deadline:
            raise ServerError(f"{process.program.name} does not answer after {timeout_s:.0f} s. {describe_log(process.program)}")
        try:
            status = process.popen.wait(_CHECK_INTERVAL_S)
        except subprocess.TimeoutExpired:
            continue
        raise ServerError(f"{process.program.name} ended with status {status}. {describe_log(process.program)}")


def stop_process(process: Process) -> None:
    """Stop a program with its signal, then kill what is left of its group after its time is up."""
    if process.is_running():
        process.popen.send_signal(process.program.stop_signal)
        try:
            process.popen.wait(process.program.stop_timeout_s)
        except subprocess.TimeoutExpired:
            process.popen.kill()
            process.popen.wait()
    kill_group(process.pid)


def kill_group(pid: int) -> None:
    """Kill whatever is left of a child's process group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def describe_log(program: Program) -> str:
    """Name the log and quote its last line."""
    try:
        lines = program.log_file.read_bytes()[-4096:].decode(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    last = lines[-1].strip() if lines else "(empty)"
    return f"Last line of {program.log_file}: {last}"


def _make_preparation(program: Program) -> Callable[[], None]:
    """Make the preexec_fn of a program: tied to the launcher, and as nice as it shall be."""
    tie = make_tie(program.stop_signal)

    def prepare() -> None:  # runs in the child, which leads its session already
        if tie is not None:
            tie()
        if program.niceness:
            os.nice(program.niceness)
            # Where the kernel shares the processor out among sessions first, niceness counts within one only.
            with contextlib.suppress(OSError), Path("/proc/self/autogroup").open("w", encoding="ascii") as file:
                file.write(str(program.niceness))

    return prepare


def make_tie(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Make the preexec_fn that has the kernel send a child this signal when the thread that starts it dies; Linux only."""
    if _LIBC is None:
        return None
    libc, launcher = _LIBC, os.getpid()

    def tie_to_launcher() -> None:  # runs in the child, after it took its account
        libc.prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != launcher:  # died in between
            os._exit(1)

    return tie_to_launcher
