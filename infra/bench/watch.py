"""Watch a load: its counts over time from the feed, and the memory of the worker meanwhile."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
import psutil

from infra.state import StackState
from loader.cli.client import HubClient
from loader.cli.feed import follow_load

_MEMORY_INTERVAL_S: Final = 0.5


@dataclass
class LoadCurve:
    """A load's course. Units: seconds since it began, rows, bytes."""

    load: dict[str, Any] = field(default_factory=dict)
    points: list[tuple[float, int]] = field(default_factory=list)
    worker_peak_bytes: int = 0

    @property
    def seconds(self) -> float:
        """From the beginning of planning to the end."""
        return _instant(self.load["finished_at"]) - _instant(self.load["started_at"])

    @property
    def rows_per_s(self) -> float:
        """Rows read over the whole load."""
        return float(self.load["rows_read"] / self.seconds)

    def rate_between(self, start: float, end: float) -> float:
        """Rows a second while the load went from one share of its rows to another (0 to 1), between events in a straight line."""
        loading = [point for point in self.points if point[1] > 0]
        planned = max((seconds for seconds, rows in self.points if rows == 0), default=0.0)
        seconds, rows = zip((planned, 0), *loading, strict=True)
        first, last = np.interp([start * rows[-1], end * rows[-1]], rows, seconds)
        return float((end - start) * rows[-1] / (last - first))


def watch_load(client: HubClient, state: StackState, load_id: int, *, report: Callable[[str], None]) -> LoadCurve:
    """Follow a load to its end.

    Raises: TransientError when the hub stays away.
    """
    curve = LoadCurve()
    ended = threading.Event()
    sampler = threading.Thread(target=_sample_memory, args=(state, curve, ended), daemon=True)
    sampler.start()
    told_at = 0.0
    try:
        for event in follow_load(client, load_id):
            curve.load = event
            if event["started_at"]:
                curve.points.append((_instant(event["at"]) - _instant(event["started_at"]), event["rows_read"]))
            if time.monotonic() - told_at > 5:
                told_at = time.monotonic()
                report(f"  {event['state']}: {event['rows_read']:,} rows")
    finally:
        ended.set()
        sampler.join()
    return curve


def _sample_memory(state: StackState, curve: LoadCurve, ended: threading.Event) -> None:
    workers = [found for process in state.processes if process.name == "worker" and (found := process.find())]
    while not ended.wait(_MEMORY_INTERVAL_S):
        for worker in workers:
            for process in [worker, *worker.children(recursive=True)]:
                try:
                    curve.worker_peak_bytes = max(curve.worker_peak_bytes, process.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
