"""Soak: load files without end, cancel, undo and retry some of them, kill something every few seconds; then check every trip."""

import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from sqlalchemy import Engine

from infra.bench.verify import list_differences
from infra.state import StackState, read_running
from loader.checks.consistency import find_problems
from loader.cli.client import HubClient
from loader.sample.generate import Tally, generate_trips
from shared.domain.load_states import TERMINAL_STATES
from shared.platform.errors import ConflictError, NotFoundError, TerminalError, TransientError
from shared.platform.settings import load_settings
from shared.services.database import connect_database

Report = Callable[[str], None]

_ROWS: Final = (20_000, 400_000)  # one batch to four
_BAD_SHARE: Final = 0.01
_AT_ONCE: Final = 3
_KILL_EVERY_S: Final = (1.0, 3.0)  # a thousand an hour, with the pauses after each round
# Workers die most often: it is they who hold work in their hands. The user interface holds none.
_VICTIMS: Final = {"worker": 5, "hub": 2, "postgres": 1, "valkey": 1, "seaweedfs": 1, "session": 2}
# What has just been started holds no work. A worker takes 30 s to warm up on a busy machine; killed before that, it would never
# have any.
_SPARED_S: Final = 30.0
_MEDDLE_EVERY_S: Final = (3.0, 10.0)
# So long without a pause; then nothing is killed until every load has ended.
_ROUND_S: Final = 600.0
# A load goes on within two minutes of the last fault, whatever came before; what does not is waited for, to say for how long.
_SETTLE_LIMIT_S: Final = 120.0
_PATIENCE_S: Final = 600.0
_POLL_S: Final = 0.5


@dataclass
class SoakResult:
    """What a soak did and found. kills: per program; ends: loads per state; settle_s: the longest from a round's last kill to the
    end of its last load.
    """

    minutes: float
    settle_s: float = 0.0
    rows: int = 0
    loads: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self) | {"kills": dict(self.kills), "ends": dict(self.ends)}


def run_soak(state: StackState, *, minutes: float, seed: int, report: Report) -> SoakResult:
    """Soak the running stack and check it. Raises: TerminalError when the loads don't come to an end."""
    settings = load_settings(state.environment)
    with tempfile.TemporaryDirectory(prefix="tripdeck-soak-") as folder:
        soak = _Soak(state, settings.data_dir, Path(folder), seed=seed, report=report)
        end = time.monotonic() + minutes * 60
        while (left_s := end - time.monotonic()) > 0:
            soak.run(min(left_s, _ROUND_S))
            soak.wait_for_ends()
    engine = connect_database(settings, statement_timeout_ms=0)
    soak.result.minutes = minutes
    soak.result.problems = soak.check(engine)
    engine.dispose()
    return soak.result


class _Soak:
    """Files on their way, and who is to die next."""

    def __init__(self, state: StackState, data_dir: Path, folder: Path, *, seed: int, report: Report) -> None:
        self._client = HubClient(state.api_url)
        self._data_dir = data_dir
        self._folder = folder
        self._draw = random.Random(seed)  # noqa: S311 - chooses victims, keeps no secret
        self._fate = random.Random(seed + 1)  # noqa: S311 - as above; of the thread that kills
        self._report = report
        self._tallies: dict[int, Tally] = {}
        self._killed_at = time.monotonic()
        self.result = SoakResult(0)

    def run(self, seconds: float) -> None:
        """Load and meddle for so long, while a thread kills."""
        with ThreadPoolExecutor(1, thread_name_prefix="killer") as pool:
            is_over = threading.Event()
            killing = pool.submit(self._go_on_killing, is_over)
            try:
                self._go_on_loading(seconds)
            finally:
                is_over.set()
            killing.result()

    def _go_on_killing(self, is_over: threading.Event) -> None:
        while not is_over.wait(self._fate.uniform(*_KILL_EVERY_S)):
            self._kill()

    def _go_on_loading(self, seconds: float) -> None:
        now = time.monotonic()
        end, meddle_at = now + seconds, now + self._draw.uniform(*_MEDDLE_EVERY_S)
        while (now := time.monotonic()) < end:
            if now >= meddle_at:
                self._meddle()
                meddle_at = now + self._draw.uniform(*_MEDDLE_EVERY_S)
            if len(self._list_running()) < _AT_ONCE:
                self._send()
            else:
                time.sleep(_POLL_S)

    def wait_for_ends(self) -> None:
        """Wait until every load has ended and is tidied up."""
        while running := self._list_running():
            if time.monotonic() > self._killed_at + _PATIENCE_S:
                raise TerminalError(f"Loads {running} did not end within {_PATIENCE_S:.0f} s after the last kill.")
            time.sleep(_POLL_S)
        settle_s = round(time.monotonic() - self._killed_at, 1)
        self.result.settle_s = max(self.result.settle_s, settle_s)
        self._report(f"every load has ended {settle_s} s after the last kill")

    def check(self, engine: Engine) -> list[str]:
        """Compare the database with itself, and every load that succeeded with its file."""
        problems = [str(problem) for problem in find_problems(engine)]
        if self.result.settle_s > _SETTLE_LIMIT_S:
            problems.append(f"the last load ended {self.result.settle_s:.0f} s after the last kill")
        for load_id, tally in self._tallies.items():
            load = self._client.get(f"/api/v1/loads/{load_id}")
            self.result.ends[load["state"]] += 1
            if load["state"] == "failed":
                problems.append(f"load {load_id} failed: {load['error_message']}")
            elif load["state"] != "succeeded":
                problems += [f"load {load_id} is {load['state']}, yet has trips"] * (load["rows_loaded"] > 0)
            else:
                self.result.rows += load["rows_loaded"]
                problems += [f"load {load_id}: {line}" for line in list_differences(engine, load_id, tally)]
                if load["rejects"] != tally.to_json()["rejects"]:
                    problems.append(f"load {load_id}: rejects {load['rejects']}, in the file {tally.to_json()['rejects']}")
        return problems

    def _send(self) -> None:
        number = self.result.loads + 1
        path = self._folder / f"soak-{number}.csv"
        seed = self._draw.randrange(2**31)
        tally = generate_trips(path, rows=self._draw.randint(*_ROWS), seed=seed, bad_share=_BAD_SHARE)
        try:
            with path.open("rb") as stream:
                load = self._client.put_file(stream, file_name=path.name, size=path.stat().st_size, params={})
        except TransientError:
            return  # the hub or the store was away; what came in may still be a load, and then is checked against itself
        finally:
            path.unlink()
        self.result.loads = number
        self._tallies[int(load["load_id"])] = tally

    def _meddle(self) -> None:
        """Cancel, undo or retry some load; one that can't be is left alone."""
        if not self._tallies:
            return
        load_id, change = self._draw.choice(list(self._tallies)), self._draw.choice(["cancel", "undo", "retry", "retry"])
        try:
            self._client.post(f"/api/v1/loads/{load_id}/{change}")
        except (ConflictError, NotFoundError, TransientError):
            return
        self._report(f"{change} load {load_id}")

    def _kill(self) -> None:
        state = read_running(self._data_dir)
        if state is None:
            raise TerminalError("The stack has stopped.")
        victims = list(_list_victims(state))
        if not victims:
            return
        victim = self._fate.choices(victims, [_VICTIMS[victim.name] for victim in victims])[0]
        try:
            victim.process.send_signal(victim.signal)
        except psutil.NoSuchProcess:
            return
        self._killed_at = time.monotonic()
        self.result.kills[victim.name] += 1
        self._report(f"killed {victim.name}")

    def _list_running(self) -> list[int]:
        """Loads that have not ended or are being tidied up; all of them while nobody answers."""
        try:
            loads = self._client.get("/api/v1/loads", limit=100)["loads"]
        except TransientError:
            return list(self._tallies) or [0]
        return [load["load_id"] for load in loads if load["state"] not in TERMINAL_STATES or load["needs_cleaning"]]


@dataclass(frozen=True)
class _Victim:
    """What may be killed, and how."""

    name: str
    process: psutil.Process
    signal: int = signal.SIGKILL


def _list_victims(state: StackState) -> Iterator[_Victim]:
    """Processes that have come up, and sessions of the database."""
    youngest = time.time() - _SPARED_S
    for known in state.processes:
        process = known.find() if known.name in _VICTIMS else None
        if process is None:
            continue
        with suppress(psutil.NoSuchProcess):
            children = process.children()
            # Of a worker, one of its processes: their parent then ends, and the supervisor starts it again.
            found = children if known.name == "worker" else [process]
            yield from (_Victim(known.name, one) for one in found if one.create_time() < youngest)
            if known.name == "postgres":
                sessions = [one for one in children if "postgres: tripdeck" in " ".join(one.cmdline())]
                yield from (_Victim("session", one, signal.SIGTERM) for one in sessions[:1])
