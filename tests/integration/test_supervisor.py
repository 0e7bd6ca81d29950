"""The supervisor, over small programs of its own."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from infra.embedded import Program, ServerError
from infra.embedded.program import describe_log
from infra.supervisor import StopRequestedError, Supervised, Supervisor, rotate_log

NICE = """
import os, pathlib, time
group = pathlib.Path("/proc/self/autogroup")
print(os.nice(0), group.read_text().split()[-1] if group.exists() else "none", flush=True)
time.sleep(600)
"""
SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


SHY = """
import os, pathlib, time
run = len(list(pathlib.Path().glob("run-*"))) + 1
pathlib.Path(f"run-{run}").touch()
if run != 2:
    print(f"up {os.getpid()}.", flush=True)
time.sleep(600)
"""


def make_program(folder: Path, name: str, code: str = SLEEPER) -> Program:
    log_file = folder / f"{name}.log"

    def check() -> None:
        if not log_file.exists() or not log_file.read_text().strip():
            raise OSError("silent")

    return Program(
        name=name, command=(sys.executable, "-c", code), folder=folder, log_file=log_file, check=check, stop_timeout_s=5
    )


@contextmanager
def when(is_true: Callable[[], bool], then: Callable[[], object]) -> Iterator[None]:
    """Do something from another thread as soon as something is true, as a person at another terminal would."""

    def wait() -> None:
        deadline = time.monotonic() + 20
        while not is_true() and time.monotonic() < deadline:
            time.sleep(0.01)
        then()

    thread = threading.Thread(target=wait)
    thread.start()
    yield
    thread.join()


def ask_to_stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def supervisor(lines: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(report=lines.append)
    with supervisor.handle_signals():
        yield supervisor
        supervisor.stop()


def test_a_program_that_dies_is_started_again(supervisor: Supervisor, lines: list[str], tmp_path: Path) -> None:
    supervisor.start([make_program(tmp_path, "one"), make_program(tmp_path, "two")])
    [one, two] = supervisor.list_processes()
    first_pids = one.process.pid, two.process.pid
    one.process.popen.send_signal(signal.SIGKILL)
    with when(lambda: one.process.pid != first_pids[0] and one.process.is_running(), ask_to_stop):
        supervisor.watch()
    assert (one.restarts, two.restarts) == (1, 0)
    assert two.process.pid == first_pids[1]
    assert lines == ["one ended (SIGKILL); it starts again in 0.5 s."]


def test_a_program_that_does_not_answer_after_its_restart_is_killed(
    supervisor: Supervisor, lines: list[str], tmp_path: Path
) -> None:
    # The first run answers, the second is silent, the third answers again.
    program = make_program(tmp_path, "shy", SHY)
    log = program.log_file

    def count_answers() -> int:
        return log.read_text().count("up") if log.exists() else 0

    def check() -> None:
        if f"up {supervisor.list_processes()[0].process.pid}." not in log.read_text():
            raise OSError("silent")

    supervisor.silence_s, supervisor.housekeeping_s = 3, 0.1
    supervisor.start([replace(program, check=check)])
    first = supervisor.list_processes()[0].process.pid
    with (
        when(lambda: count_answers() == 1, lambda: os.kill(first, signal.SIGKILL)),
        when(lambda: count_answers() == 2, ask_to_stop),
    ):
        supervisor.watch()
    assert lines == [
        "shy ended (SIGKILL); it starts again in 0.5 s.",
        "shy does not answer 3 s after its start; it is killed.",
        "shy ended (SIGKILL); it starts again in 1 s.",
    ]
    assert supervisor.list_processes()[0].restarts == 2


def test_delays_grow_while_a_program_keeps_dying(supervisor: Supervisor, lines: list[str], tmp_path: Path) -> None:
    supervisor.start([make_program(tmp_path, "flaky", "print('up', flush=True); import time; time.sleep(0.2)")])
    with when(lambda: len(lines) >= 3, ask_to_stop):
        supervisor.watch()
    assert [line.split(" again in ")[1] for line in lines[:3]] == ["0.5 s.", "1 s.", "2 s."]


def test_a_program_that_may_end_is_left_alone(supervisor: Supervisor, lines: list[str], tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    code = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists():\n    time.sleep(0.01)"
    once = replace(make_program(tmp_path, "once", code), is_restarted=False, check=lambda: None)
    supervisor.start([once])
    [found] = supervisor.list_processes()
    gate.touch()
    with when(lambda: supervisor.list_processes() == [], ask_to_stop):
        supervisor.watch()
    assert found.restarts == 0
    assert lines == []


def test_children_of_a_dead_leader_are_killed(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start([make_program(tmp_path, "parent", PARENT)])
    [parent] = supervisor.list_processes()
    child = psutil.Process(int((tmp_path / "parent.log").read_text().split()[0]))
    parent.process.popen.send_signal(signal.SIGKILL)
    with when(lambda: parent.restarts == 1, ask_to_stop):
        supervisor.watch()
    _, alive = psutil.wait_procs([child], timeout=5)
    assert alive == []


def test_groups_stop_in_reverse_order_and_leave_nothing(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = f"""
import signal, sys, time
def stop(*_):
    open({str(order)!r}, "a").write(sys.argv[1] + "\\n"); sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("up", flush=True)
time.sleep(600)
"""
    for name in ("first", "second"):
        program = make_program(tmp_path, name, code)
        supervisor.start([replace(program, command=(*program.command, name))])
    processes: list[Supervised] = supervisor.list_processes()
    supervisor.stop()
    assert order.read_text().split() == ["second", "first"]
    assert not any(found.process.is_running() for found in processes)


def test_a_program_that_ends_at_once_is_named_with_its_last_line(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"broken ended \(status 3\).*no such luck"):
        supervisor.start([make_program(tmp_path, "broken", "import sys; sys.stderr.write('no such luck'); sys.exit(3)")])


def test_a_program_that_stays_silent_is_named(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="silent does not answer"):
        supervisor.start([make_program(tmp_path, "silent", "import time; time.sleep(600)")], timeout_s=0.3)


def test_a_command_that_is_not_there_is_named(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="ghost can't be started"):
        supervisor.start([replace(make_program(tmp_path, "ghost"), command=(str(tmp_path / "nothing"),))])


def test_a_stop_signal_interrupts_the_start(supervisor: Supervisor, tmp_path: Path) -> None:
    with when(lambda: bool(supervisor.list_processes()), ask_to_stop), pytest.raises(StopRequestedError):
        supervisor.start([make_program(tmp_path, "slow", "import time; time.sleep(600)")])


def test_a_log_is_put_aside_and_written_on(supervisor: Supervisor, tmp_path: Path) -> None:
    program = make_program(tmp_path, "writer", "print('up', flush=True); input()")
    program.log_file.write_text("old line\n")
    rotate_log(program)
    rotate_log(program)
    assert program.log_file.read_text() == ""
    assert (tmp_path / "writer.log.2").read_text() == "old line\n"
    assert "(empty)" in describe_log(program)


def test_a_nice_program_lets_others_go_first(tmp_path: Path) -> None:
    polite = replace(make_program(tmp_path, "polite", NICE), niceness=5)
    usual = make_program(tmp_path, "usual", NICE)
    supervisor = Supervisor(report=lambda _line: None)
    try:
        supervisor.start([polite, usual])
        for program in (polite, usual):
            own, session = program.log_file.read_text().split()
            assert own == str(os.nice(0) + program.niceness)
            assert session in {str(program.niceness), "none"}
    finally:
        supervisor.stop()
