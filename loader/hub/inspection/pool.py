"""Inspections: a few warm processes that look at files, and what happens to those that hang or break.

A library that hangs, panics or takes all memory over a file ends its process, not the hub; the next one starts at once.
"""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final, Literal

from loader.hub.inspection.time_limits import GDAL_S
from loader.hub.support.executors import BoundedExecutor
from shared.platform.errors import FileFormatError, RequestError, TransientError
from shared.platform.settings import Settings

LOG = logging.getLogger(__name__)

_QUEUE: Final = 20
"""Inspections that wait, each with at most 8 MiB of its file."""
_START_S: Final = 300.0
"""Kernels are compiled where they couldn't be kept, which takes 10 s of a processor, and minutes of a busy machine."""
_END_S: Final = 2.0
_ANSWER_BYTES: Final = 64 * 2**20
"""A million vertices as WKB take 16 MB, and 22 as Base64."""
_THREADS: Final = "2"
_WHAT_TO_DO: Final = "It is damaged, or made to be so: write it again, as CSV or as a plain Parquet file."

LookUp = Callable[[Mapping[str, Any]], Any]
"""Answers what an inspection asks of the database: a JSON object with `ask`, and what it needs for that."""


@dataclass(frozen=True, slots=True)
class InspectRequest:
    """A request to inspect a sample. parts: offset and bytes of each part of the sample; bytes: the file's size then.

    kind: what the file holds. wants_places: whether the answer has all places of it, for them to be stored.
    """

    file_name: str
    options: Mapping[str, Any]
    is_whole: bool
    parts: Sequence[tuple[int, int]] = ()
    bytes: int | None = None
    kind: Literal["trips", "places"] = "trips"
    wants_places: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the request as JSON."""
        names = ("file_name", "options", "is_whole", "parts", "bytes", "kind", "wants_places")
        return {name: getattr(self, name) for name in names}


class GoneError(Exception):
    """The process was killed from outside, for example for lack of memory; the file need not be the cause."""


class InspectionProcess:
    """One process, for one inspection at a time."""

    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.inspect_timeout_s
        ours, theirs = socket.socketpair()
        with theirs:
            limits = [str(theirs.fileno()), str(self._timeout_s), str(settings.inspect_memory_mib * 2**20)]
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "loader.hub.inspection.process", *limits],
                pass_fds=[theirs.fileno()],
                env=_make_environment(),
                stdin=subprocess.DEVNULL,
            )
        self._connection = Connection(ours.detach())
        self._is_ready = False

    def wait_ready(self) -> None:
        """Wait until it has warmed up. Raises: TransientError."""
        if not self._is_ready:
            try:
                self._receive(time.monotonic() + _START_S)
            except (EOFError, OSError, TimeoutError) as error:
                raise TransientError("Files can't be inspected right now; the hub's log says why.", code="busy") from error
            self._is_ready = True

    def inspect(self, request: InspectRequest, sample: bytes, look_up: LookUp) -> dict[str, Any]:
        """Inspect a file.

        Raises: GoneError when the process wasn't there, EOFError, OSError when it broke, TimeoutError when it takes too long.
        """
        deadline = time.monotonic() + self._timeout_s + (GDAL_S if request.kind == "places" else 0)
        try:
            self._connection.send_bytes(json.dumps(request.to_json()).encode())
            self._connection.send_bytes(sample)
        except OSError as error:
            raise GoneError from error
        while "ask" in (answer := self._receive(deadline)):
            asked_at = time.monotonic()
            found = look_up(answer)
            deadline += time.monotonic() - asked_at
            self._connection.send_bytes(json.dumps(found, default=str).encode())
        return answer

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def is_taken(self) -> bool:
        """Whether the process was killed from outside, for example for lack of memory."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(_END_S) == -signal.SIGKILL
        return False

    def end(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self._connection.close()

    def _receive(self, deadline: float) -> dict[str, Any]:
        if not self._connection.poll(max(0.0, deadline - time.monotonic())):
            raise TimeoutError
        answer: dict[str, Any] = json.loads(self._connection.recv_bytes(_ANSWER_BYTES))
        return answer


class Inspections:
    """A pool of inspection processes, with a thread per process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._executor = BoundedExecutor("inspections", threads=settings.inspect_processes, queue=_QUEUE)
        self._idle: list[InspectionProcess] = []
        self._all: set[InspectionProcess] = set()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._is_starting = False
        self._is_closed = False

    async def start(self) -> None:
        """Start the first process, so that the first file need not wait for it; others start when they are needed."""
        await self._executor.run(self._warm_up)

    async def inspect(self, request: InspectRequest, sample: bytes, *, look_up: LookUp) -> dict[str, Any]:
        """Inspect a file. Raises: FileFormatError, RequestError, TransientError."""
        try:
            return await self._executor.run(self._inspect, request, sample, look_up)
        except GoneError:
            with _second_try():
                return await self._executor.run(self._inspect, request, sample, look_up)

    def close(self) -> None:
        """End every process."""
        with self._lock:
            self._is_closed = True
            processes, self._all = self._all, set()
        self._executor.close()
        for process in processes:
            process.end()

    def _inspect(self, request: InspectRequest, sample: bytes, look_up: LookUp) -> dict[str, Any]:
        process = self._take()
        try:
            answer = process.inspect(request, sample, look_up)
        except BaseException as error:
            is_taken = isinstance(error, (EOFError, OSError)) and not isinstance(error, TimeoutError) and process.is_taken()
            self._replace(process)
            if is_taken:
                raise GoneError from error
            if isinstance(error, (TimeoutError, EOFError, OSError)):
                raise self._explain(error) from error
            raise
        if "broken" in answer:
            self._replace(process)
            raise _explain_broken(answer["broken"])
        self._put_back(process)
        if "error" in answer:
            raise _make_error(answer["error"])
        inspection: dict[str, Any] = answer["inspection"]
        return inspection

    def _warm_up(self) -> None:
        self._put_back(self._take())

    def _explain(self, error: BaseException) -> FileFormatError:
        if isinstance(error, TimeoutError):
            LOG.warning("an inspection took too long", extra={"timeout_s": self._settings.inspect_timeout_s})
            seconds = f"{self._settings.inspect_timeout_s:g} s"
            return FileFormatError(f"Looking at the file took longer than {seconds}. {_WHAT_TO_DO}", code="inspection_too_long")
        return _explain_broken("memory or a library's defect")

    def _take(self) -> InspectionProcess:
        """Return an idle process; waits for one that is starting instead of starting a second."""
        with self._changed:
            while self._is_starting and not self._idle:
                self._changed.wait()
            process = self._idle.pop() if self._idle else None
            self._is_starting = self._is_starting or process is None
        if process is None:
            return self._start_ready()
        if process.is_alive():
            process.wait_ready()
            return process
        self._forget(process)  # the system took it, as one short of memory does
        return self._take()

    def _start_ready(self) -> InspectionProcess:
        try:
            process = self._start_process()
            try:
                process.wait_ready()
            except TransientError:
                self._forget(process)
                raise
        finally:
            with self._changed:
                self._is_starting = False
                self._changed.notify_all()
        return process

    def _start_process(self) -> InspectionProcess:
        process = InspectionProcess(self._settings)
        with self._lock:
            self._all.add(process)
            is_closed = self._is_closed
        if is_closed:
            process.end()
            raise TransientError("The hub stops; come back.", code="hub_stops")
        return process

    def _put_back(self, process: InspectionProcess) -> None:
        with self._changed:
            self._idle.append(process)
            self._changed.notify_all()

    def _forget(self, process: InspectionProcess) -> None:
        process.end()
        with self._lock:
            self._all.discard(process)

    def _replace(self, process: InspectionProcess) -> None:
        self._forget(process)
        with suppress(TransientError):  # the hub stops
            self._put_back(self._start_process())


@contextmanager
def _second_try() -> Iterator[None]:
    try:
        yield
    except GoneError as error:
        raise _explain_broken("it was killed twice") from error


def _make_environment() -> dict[str, str]:
    # No setting of ours: addresses and passwords are none of this process's business.
    given = {name: value for name, value in os.environ.items() if not name.startswith("TRIPDECK_")}
    return {**given, "POLARS_MAX_THREADS": _THREADS}


def _explain_broken(what: str) -> FileFormatError:
    LOG.warning("an inspection broke", extra={"reason": what})
    if what == "memory":
        return FileFormatError(f"Looking at the file takes too much memory. {_WHAT_TO_DO}", code="inspection_too_large")
    return FileFormatError(f"Looking at the file broke the reader ({what}). {_WHAT_TO_DO}", code="inspection_failed")


def _make_error(told: Mapping[str, Any]) -> FileFormatError | RequestError:
    if told["is_file"]:
        return FileFormatError(told["message"], code=told["code"], **told["facts"])
    return RequestError(told["message"], parameter=told["facts"].get("parameter"))
