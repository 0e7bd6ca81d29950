"""Concurrent clients: REST clients that ask about random boxes, first idle, then during a load.

Each client asks, pauses, and asks again. Measured are the latencies, idle and during a load, and the rate of that load against
one that runs alone.
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
from infra.bench.scale import wait_for_compaction
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
class ClientsResult:
    """What one run measured. Units: milliseconds, rows a second."""

    clients: int
    pause_s: float
    idle_questions: int
    idle_p50_ms: float
    idle_p95_ms: float
    during_load_questions: int
    during_load_p50_ms: float
    during_load_p95_ms: float
    alone_rows_per_s: float
    during_load_rows_per_s: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


class _Clients:
    """Client threads that ask until they are stopped."""

    def __init__(self, url: str, boxes: Boxes, *, clients: int, pause_s: float, turn: int) -> None:
        """Make the threads. turn: number of the measurement; each draws other boxes."""
        self._url = url
        self._boxes = boxes
        self._pause_s = pause_s
        self._is_over = threading.Event()
        self._taken: list[float] = []
        seeds = range(turn * clients, (turn + 1) * clients)
        self._threads = [threading.Thread(target=self._ask, args=(seed,), daemon=True) for seed in seeds]

    def measure(self, work: Callable[[], object]) -> list[float]:
        """Ask while the work runs. Shape: milliseconds of each question, sorted."""
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
            # Clients do not start at the same moment.
            self._is_over.wait(draw.random() * self._pause_s)
            while not self._is_over.is_set():
                box = boxes.draw()
                began = time.perf_counter()
                client.get("/api/v1/weekly-average", bbox=f"{box.west},{box.south},{box.east},{box.north}")
                self._taken.append((time.perf_counter() - began) * 1000)
                self._is_over.wait(self._pause_s)


def run_clients(
    state: StackState, settings: Settings, *, rows: int, clients: int, pause_s: float, seed: int, report: Report
) -> ClientsResult:
    """Ask while idle (after a warm-up), load alone, then both at once; two files are generated and stay loaded.

    Raises: TerminalError when a load does not succeed.
    """
    engine = connect_database(settings, statement_timeout_ms=0)
    report("Compacting …")
    wait_for_compaction(engine)
    _wait_for_quiet(engine)
    with transaction(engine) as connection:
        boxes = Boxes(connection, random.Random(seed))  # noqa: S311 - nothing secret

    def measure(turn: int, work: Callable[[], object]) -> list[float]:
        return _Clients(state.api_url, boxes, clients=clients, pause_s=pause_s, turn=turn).measure(work)

    rates: list[float] = []
    report("Asking while idle …")
    measure(0, lambda: time.sleep(_WARM_UP_S))
    idle = measure(1, lambda: time.sleep(_IDLE_S))
    with HubClient(state.api_url) as client:
        report(f"Loading {rows:,} rows alone …")
        load_id = _upload(client, settings.data_dir / "clients.csv", rows=rows, seed=seed)
        rates.append(_wait(client, load_id))
        report("Loading as many with concurrent clients …")
        load_id = _upload(client, settings.data_dir / "clients.csv", rows=rows, seed=seed + 1)
        during_load = measure(2, lambda: rates.append(_wait(client, load_id)))
    return ClientsResult(clients, pause_s, *_summarise(idle), *_summarise(during_load), *rates)


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
            return int(client.put_file(stream, file_name=path.name, size=tally.bytes, params={})["load_id"])
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
