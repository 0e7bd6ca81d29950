"""A small supervisor: starts programs in groups, starts again what dies, stops the groups in reverse order.

    supervisor = Supervisor(report=print)
    with supervisor.handle_signals():
        supervisor.start(servers)
        supervisor.run(migration)
        supervisor.start(applications)
        supervisor.watch()            # until SIGINT, SIGTERM or SIGHUP
    supervisor.stop()

One thread and one loop: signals wake it through a pipe, so nothing is polled while all is well.
"""

import contextlib
import os
import select
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from infra.embedded.program import Process, Program, ServerError, describe_log, kill_group, start_program, stop_process

_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CHECK_INTERVAL_S: Final = 0.1
_HOUSEKEEPING_S: Final = 10.0
# Takes 10 s where nothing else runs; a busy machine is no reason to give up.
_START_TIMEOUT_S: Final = 240.0
# A program that ran for a minute is well again: its next death is answered quickly.
_FIRST_DELAY_S: Final = 0.5
# What was killed ten times in a minute works again soon after the last time.
_LONGEST_DELAY_S: Final = 10.0
_WELL_AFTER_S: Final = 60.0
_LOG_BYTES: Final = 10 * 2**20
_LOGS_KEPT: Final = 3


class StopRequestedError(Exception):
    """A signal asked us to stop while something was being started."""


@dataclass
class Supervised:
    """A program under supervision."""

    process: Process
    restarts: int = 0
    delay_s: float = _FIRST_DELAY_S
    restart_at: float | None = None
    is_ready: bool = True
    """Whether it has answered since it was started; start() waits for the first time."""


@dataclass
class Supervisor:
    """Keeps programs running; report gets a line about each event, on_change is called when process ids changed.

    silence_s: a program that was started again and does not answer for so long is killed, and started once more.
    """

    report: Callable[[str], None]
    on_change: Callable[[], None] = lambda: None
    silence_s: float = _START_TIMEOUT_S
    housekeeping_s: float = _HOUSEKEEPING_S
    groups: list[list[Supervised]] = field(default_factory=list)
    is_stopping: bool = False
    _pipe: tuple[int, int] | None = None

    @contextlib.contextmanager
    def handle_signals(self) -> Iterator[None]:
        """Take the stop signals and the deaths of children for the time of the block; main thread only."""
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        os.set_blocking(read_end, False)
        self._pipe = (read_end, write_end)
        before = {number: signal.signal(number, self._ask_to_stop) for number in _STOP_SIGNALS}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        wakeup_before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup_before)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._pipe = None
            os.close(read_end)
            os.close(write_end)

    def start(self, programs: Sequence[Program], *, timeout_s: float = _START_TIMEOUT_S) -> None:
        """Start a group and wait until all of it answers.

        Raises: ServerError when one ends or stays silent, StopRequestedError on a stop signal.
        """
        group: list[Supervised] = []
        self.groups.append(group)
        for program in programs:
            group.append(Supervised(start_program(program)))
        self.on_change()
        deadline = time.monotonic() + timeout_s
        waiting = [supervised.process for supervised in group]
        while waiting:
            for process in waiting:
                self._require_running(process, deadline=deadline, timeout_s=timeout_s)
            waiting = [process for process in waiting if not process.is_ready()]
            self._wait(_CHECK_INTERVAL_S if waiting else 0)

    def run(self, program: Program) -> None:
        """Run a program to its end.

        Raises: ServerError when it fails, StopRequestedError on a stop signal.
        """
        process = start_program(program)
        try:
            while process.is_running():
                self._wait(_CHECK_INTERVAL_S)
        finally:
            stop_process(process)
        if process.popen.returncode:
            raise ServerError(f"{program.name} failed. {describe_log(program)}")

    def watch(self) -> None:
        """Start again whatever dies, with growing delays, until a signal asks to stop."""
        next_housekeeping = time.monotonic() + self.housekeeping_s
        with contextlib.suppress(StopRequestedError):
            while True:
                now = time.monotonic()
                for supervised in self.list_processes():
                    self._look_after(supervised, now)
                self._forget_finished()
                if now >= next_housekeeping:
                    self._rotate_logs()
                    self._kill_silent(now)
                    next_housekeeping = now + self.housekeeping_s
                due = [supervised.restart_at for supervised in self._all() if supervised.restart_at is not None]
                self._wait(max(0.0, min([next_housekeeping, *due]) - time.monotonic()))

    def stop(self) -> None:
        """Stop the groups in reverse order; a group's members stop at the same time."""
        for group in reversed(self.groups):
            for supervised in group:
                if supervised.process.is_running():
                    supervised.process.popen.send_signal(supervised.process.program.stop_signal)
            for supervised in group:
                stop_process(supervised.process)
        self.groups.clear()

    def list_processes(self) -> list[Supervised]:
        """Everything supervised, in the order it was started."""
        return list(self._all())

    def _all(self) -> Iterator[Supervised]:
        for group in self.groups:
            yield from group

    def _look_after(self, supervised: Supervised, now: float) -> None:
        process = supervised.process
        if supervised.restart_at is None:
            if process.is_running():
                return
            kill_group(process.pid)  # children of a dead leader
            if process.program.is_restarted:
                if now - process.started_at > _WELL_AFTER_S:
                    supervised.delay_s = _FIRST_DELAY_S
                self._put_off(supervised, f"{process.program.name} ended ({_describe_status(process.popen.returncode)})", now)
        elif now >= supervised.restart_at:
            self._restart(supervised, now)

    def _forget_finished(self) -> None:
        for group in self.groups:
            finished = [one for one in group if not (one.process.program.is_restarted or one.process.is_running())]
            for supervised in finished:
                group.remove(supervised)
            if finished:
                self.on_change()

    def _restart(self, supervised: Supervised, now: float) -> None:
        try:
            supervised.process = start_program(supervised.process.program)
        except ServerError as error:
            self._put_off(supervised, error.message.rstrip("."), now)
            return
        supervised.restart_at = None
        supervised.is_ready = False
        supervised.restarts += 1
        self.on_change()

    def _kill_silent(self, now: float) -> None:
        """Kill what does not come up: a leader may wait for ever for a child that died while it started."""
        for supervised in self._all():
            process = supervised.process
            if supervised.is_ready or supervised.restart_at is not None:
                continue
            supervised.is_ready = process.is_ready()
            if not supervised.is_ready and now - process.started_at > self.silence_s:
                self.report(f"{process.program.name} does not answer {self.silence_s:.0f} s after its start; it is killed.")
                kill_group(process.pid)

    def _put_off(self, supervised: Supervised, reason: str, now: float) -> None:
        self.report(f"{reason}; it starts again in {supervised.delay_s:g} s.")
        supervised.restart_at = now + supervised.delay_s
        supervised.delay_s = min(_LONGEST_DELAY_S, supervised.delay_s * 2)

    def _require_running(self, process: Process, *, deadline: float, timeout_s: float) -> None:
        program = process.program
        if not process.is_running():
            raise ServerError(f"{program.name} ended ({_describe_status(process.popen.returncode)}). {describe_log(program)}")
        if time.monotonic() > deadline:
            raise ServerError(f"{program.name} does not answer after {timeout_s:.0f} s. {describe_log(program)}")

    def _rotate_logs(self) -> None:
        for program in [supervised.process.program for supervised in self._all()]:
            with contextlib.suppress(OSError):
                if program.log_file.stat().st_size > _LOG_BYTES:
                    rotate_log(program)

    def _wait(self, timeout_s: float) -> None:
        if self._pipe is not None:
            ready, _, _ = select.select([self._pipe[0]], [], [], timeout_s)
            if ready:
                os.read(self._pipe[0], 4096)
        if self.is_stopping:
            raise StopRequestedError

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.is_stopping = True


def rotate_log(program: Program) -> None:
    """Copy the log aside and empty it: its writer appends, so it goes on at the start. Lines of that moment may be lost."""
    for number in range(_LOGS_KEPT - 1, 0, -1):
        older = program.log_file.with_suffix(f".log.{number}")
        if older.exists():
            older.replace(program.log_file.with_suffix(f".log.{number + 1}"))
    shutil.copyfile(program.log_file, program.log_file.with_suffix(".log.1"))
    os.truncate(program.log_file, 0)


def _describe_status(status: int | None) -> str:
    if status is None or status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
