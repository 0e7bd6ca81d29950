"""Workers are scaled by pending work, 1 to 4 and back, while three loads arrive: no batch is lost, and nothing flaps."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra.environment import make_environment
from loader.checks.consistency import find_problems
from loader.pipeline.context import Context
from shared.loads import enqueue_load, fetch_load
from shared.platform.settings import Settings
from tests.autoscaling import Autoscaler, count_turns
from tests.blocking import BEFORE_COPY, holding
from tests.conftest import skip_or_fail
from tests.helm import pick_object, render_chart
from tests.hub import HubServer
from tests.loading import WorkerProcess, make_trips, request_load
from tests.monitoring import read_samples

pytestmark = pytest.mark.faults

SPEED, MOST = 60.0, 4
EACH = 16
# 66 batches: more than 16 for each of 4 workers.
ROWS, BATCH_BYTES = 4_000, 8_000
TIMEOUT_S = 120.0


@dataclass
class Fleet:
    """Worker processes, of which the newest leave first, as they are asked to: with SIGTERM."""

    environment: dict[str, str]
    folder: Path
    workers: list[WorkerProcess] = field(default_factory=list)
    left: list[WorkerProcess] = field(default_factory=list)

    def resize(self, size: int) -> None:
        while len(self.workers) < size:
            name = f"worker-{len(self.workers) + len(self.left)}.log"
            self.workers.append(WorkerProcess(self.environment, self.folder / name))
        while len(self.workers) > size:
            leaving = self.workers.pop()
            leaving.popen.terminate()
            self.left.append(leaving)

    def close(self) -> None:
        for worker in [*self.workers, *self.left]:
            worker.close()


@dataclass
class Cluster:
    """A hub, its workers and their autoscaler."""

    hub: HubServer
    fleet: Fleet
    scaler: Autoscaler
    sizes: list[int] = field(default_factory=list)
    values: list[tuple[float, float]] = field(default_factory=list)

    def tell_time(self, value: float) -> float:
        """The autoscaler's time: it stands while the work stands, so that a slow machine is no long pause."""
        if not self.values:
            return 0.0
        at, before = self.values[-1]
        return at if value == before > 0 else at + self.scaler.interval_s

    def run_until(self, is_over: Callable[[dict[str, float]], bool], what: str) -> None:
        """Scale until the hub's metrics say that it is over."""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            seen = read_samples(self.hub.get("/metrics").data.decode())
            value = seen[self.scaler.metric]
            now = self.tell_time(value)
            self.values.append((now, value))
            self.fleet.resize(self.scaler.decide(value, len(self.fleet.workers), now=now))
            self.sizes.append(len(self.fleet.workers))
            if is_over(seen):
                return
            time.sleep(self.scaler.interval_s)
        raise AssertionError(f"waited {TIMEOUT_S} s in vain for {what}; workers {self.sizes}")


@pytest.fixture
def cluster(settings: Settings, tmp_path: Path) -> Iterator[Cluster]:
    scaled = render_scaled_object()
    hub = HubServer.start(settings, tmp_path)
    own = settings.model_copy(update={"batch_bytes": BATCH_BYTES, "worker_threads": 1, "reconcile_interval_s": 1.0})
    fleet = Fleet(make_environment(own), tmp_path)
    fleet.resize(1)
    yield Cluster(hub, fleet, Autoscaler(scaled, SPEED))
    fleet.close()
    hub.stop()


def test_workers_come_and_go_and_no_batch_is_lost(cluster: Cluster, context: Context) -> None:
    loads: list[int] = []

    def arrive() -> None:
        data, _ = make_trips(ROWS, seed=len(loads))
        loads.append(request_load(context.engine, context.store, data))
        enqueue_load(context.broker, loads[-1])

    def has_loaded(seen: dict[str, float]) -> bool:
        return seen["tripdeck_work_pending"] == 0 and fetch_load(context.engine, loads[-1])["state"] == "succeeded"

    with holding(context.engine, BEFORE_COPY[0]):
        arrive()
        arrive()
        cluster.run_until(lambda seen: seen["tripdeck_batches_running"] == MOST, "a batch in the hands of each worker")
    cluster.run_until(lambda seen: seen["tripdeck_work_pending"] <= (MOST - 1) * EACH, "less work than for all")
    arrive()
    cluster.run_until(has_loaded, "all loads")
    cluster.run_until(lambda _: len(cluster.fleet.workers) == 1, "the others to leave")
    assert [worker.popen.wait(timeout=40) for worker in cluster.fleet.left] == [0] * (MOST - 1)
    assert (max(cluster.sizes), count_turns(cluster.sizes)) == (MOST, 1), cluster.sizes
    for load_id in loads:
        load = fetch_load(context.engine, load_id)
        assert (load["state"], load["rows_loaded"], load["rows_rejected"]) == ("succeeded", ROWS, 0)
        assert load["batches_done"] == load["batches_total"]
    assert find_problems(context.engine) == []


def test_pauses_between_files_make_nothing_flap_but_without_the_window() -> None:
    work = [66, 66, 30, 0, 0, 66, 40, 0, 0, 70, *[0] * 60]
    assert count_turns(scale(work)) == 1
    assert count_turns(scale(work, stabilization_s=0)) > 1


def scale(work: list[int], *, stabilization_s: int | None = None) -> list[int]:
    """Numbers of workers for pending work, one value a poll, with the chart's window or another."""
    scaled = render_scaled_object()
    down = scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    if stabilization_s is not None:
        down["stabilizationWindowSeconds"] = stabilization_s
    scaler, sizes = Autoscaler(scaled, speed=1), [1]
    for turn, value in enumerate(work):
        sizes.append(scaler.decide(value, sizes[-1], now=turn * scaler.interval_s))
    return sizes


def render_scaled_object() -> dict[str, Any]:
    values = {"worker": {"autoscaling": {"maxReplicas": MOST, "pendingPerWorker": EACH}}}
    try:
        return pick_object(render_chart(values), "ScaledObject", "worker")
    except ImportError:
        skip_or_fail("Helm's library has a wheel for Linux on x86-64 only")
        raise
