"""Askers: many people who drag boxes, while nothing else runs and beside a load, over REST as the page's users meet it.

Each asks, reads the answer for a while, and asks the next. That a load makes them wait, and they the load, is what is measured.
"""

import random
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from infra.bench.questions import Boxes
from infra.bench.scale import wait_for_runs
from infra.state import StackState
from loader.cli.client import HubClient
from loader.sample.generate import generate_trips
from shared.platform.errors import TerminalError
from shared.platform.settings import Settings
from shared.services.database import connect_database, transaction

Report = Callable[[str], None]

_WARM_UP_S: Final = 40.0
_IDLE_S: Final = 20.0
_POLL_S: Final = 0.2
_QUIET_LOOKS: Final = 5
_IS_BUSY: Final = "select exists (select from pg_stat_activity where state = 'active' and pid <> pg_backend_pid())"


@dataclass(frozen=True)
class AskersResult:
    """What one run measured. Units: milliseconds, rows a second."""

    askers: int
    pause_s: float
    idle_asked: int
    idle_p50_ms: float
    idle_p95_ms: float
    beside_asked: int
    beside_p50_ms: float
    beside_p95_ms: float
    alone_rows_per_s: float
    beside_rows_per_s: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


class _Askers:
    """Threads that ask until they are told to end."""

    def __init__(self, url: str, boxes: Boxes, *, askers: int, pause_s: float, turn: int) -> None:
        """Make the threads. turn: each time of asking draws other boxes."""
        self._url = url
        self._boxes = boxes
        self._pause_s = pause_s
        self._is_over = threading.Event()
        self._taken: list[float] = []
        seeds = range(turn * askers, (turn + 1) * askers)
        self._threads = [threading.Thread(target=self._ask, args=(seed,), daemon=True) for seed in seeds]

    def measure(self, work: Callable[[], object]) -> list[float]:
        """Ask while the work goes on. Shape: milliseconds of each question, in order of size."""
        for thread in self._threads:
            thread.start()
        try:
            work()
        finally:
            self._is_over.set()
            for thread in self._threads:
                thread.join()
        return sorted(self._taken)

    def _ask(self, seed: int) -> None:
        draw = random.Random(seed)  # noqa: S311 - nothing secret
        boxes = self._boxes.with_draw(draw)
        with HubClient(self._url) as client:
            # Nobody begins at the same moment as all others.
            self._is_over.wait(draw.random() * self._pause_s)
            while not self._is_over.is_set():
                box = boxes.draw()
                began = time.perf_counter()
                client.get("/api/v1/weekly-average", bbox=f"{box.west},{box.south},{box.east},{box.north}")
                self._taken.append((time.perf_counter() - began) * 1000)
                self._is_over.wait(self._pause_s)


def run_askers(
    state: StackState, settings: Settings, *, rows: int, askers: int, pause_s: float, seed: int, report: Report
) -> AskersResult:
    """Ask while idle (the first time for warming up), load alone, then both at once; two files are generated and stay loaded.

    Raises: TerminalError when a load does not succeed.
    """
    engine = connect_database(settings, statement_timeout_ms=0)
    report("Packing …")
    wait_for_runs(engine)
    _wait_for_quiet(engine)
    with transaction(engine) as connection:
        boxes = Boxes(connection, random.Random(seed))  # noqa: S311 - nothing secret

    def measure(turn: int, work: Callable[[], object]) -> list[float]:
        return _Askers(state.api_url, boxes, askers=askers, pause_s=pause_s, turn=turn).measure(work)

    rates: list[float] = []
    report("Asking while idle …")
    measure(0, lambda: time.sleep(_WARM_UP_S))
    idle = measure(1, lambda: time.sleep(_IDLE_S))
    with HubClient(state.api_url) as client:
        report(f"Loading {rows:,} rows alone …")
        load_id = _upload(client, settings.data_dir / "askers.csv", rows=rows, seed=seed)
        rates.append(_wait(client, load_id))
        report("Loading as many beside the askers …")
        load_id = _upload(client, settings.data_dir / "askers.csv", rows=rows, seed=seed + 1)
        beside = measure(2, lambda: rates.append(_wait(client, load_id)))
    return AskersResult(askers, pause_s, *_summarise(idle), *_summarise(beside), *rates)


def _wait_for_quiet(engine: Engine) -> None:
    """Wait until the database has been at rest for some seconds: the compactor tidies up after itself."""
    quiet = 0
    while quiet < _QUIET_LOOKS:
        with transaction(engine) as connection:
            is_busy = connection.exec_driver_sql(_IS_BUSY).scalar_one()
        quiet = 0 if is_busy else quiet + 1
        time.sleep(1)


def _upload(client: HubClient, path: Path, *, rows: int, seed: int) -> int:
    try:
        tally = generate_trips(path, rows=rows, seed=seed)
        with path.open("rb") as stream:
            return int(client.put_file(stream, file_name=path.name, size=tally.bytes, asked={})["load_id"])
    finally:
        path.unlink(missing_ok=True)


def _wait(client: HubClient, load_id: int) -> float:
    """Wait for a load; returns its rows a second, from the beginning of planning to the end."""
    while not (load := client.get(f"/api/v1/loads/{load_id}"))["finished_at"]:
        time.sleep(_POLL_S)
    if load["state"] != "succeeded":
        raise TerminalError(f"The load ended {load['state']}: {load['error_message']}")
    began, ended = (datetime.fromisoformat(load[name]).timestamp() for name in ("started_at", "finished_at"))
    return float(load["rows_read"] / (ended - began))


def _summarise(taken: list[float]) -> tuple[int, float, float]:
    return len(taken), statistics.median(taken), taken[min(len(taken) - 1, int(len(taken) * 0.95))]
