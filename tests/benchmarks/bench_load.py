"""Benchmark of a whole load against DuckDB, plain COPY BINARY and an ORM on the same rows. Not collected by pytest.

    python -m tests.benchmarks.bench_load [--rows 5000000] [--runs 3] [--workers 1x2 2x1] [--only load]

Starts its own servers, as durable as `make up` starts them. Medians of several runs; a machine that does other things gives other
figures, so the load average is printed too.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psutil
import psycopg

from infra.environment import make_environment
from loader.checks.consistency import find_problems
from loader.pipeline.context import Context, make_context
from loader.sample.generate import generate_trips
from shared.loads import enqueue_load, fetch_load, insert_load
from shared.platform.settings import Settings
from shared.services.database import execute, transaction
from shared.services.named_queries import query
from shared.services.objects import make_object_key
from shared.services.queueing import connect_broker
from tests.benchmarks.orm_path import load_by_orm
from tests.loading import WorkerProcess, running_worker, wait_until
from tests.services import ACCESS_KEY, PASSWORD, PostgresServer, S3Server, ValkeyServer

DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB", "max_wal_size": "4GB"}

# An ORM takes minutes for a million rows, as long for the last as for the first.
ORM_ROWS = 100_000

DUCKDB_LOAD = """
create or replace table trip as
select datetime as started_at, region, datasource,
       split_part(substr(origin_coord, 8, length(origin_coord) - 8), ' ', 1)::double as origin_longitude,
       split_part(substr(origin_coord, 8, length(origin_coord) - 8), ' ', 2)::double as origin_latitude,
       split_part(substr(destination_coord, 8, length(destination_coord) - 8), ' ', 1)::double as destination_longitude,
       split_part(substr(destination_coord, 8, length(destination_coord) - 8), ' ', 2)::double as destination_latitude
from read_csv('{path}', header = true, columns = {{'region': 'varchar', 'origin_coord': 'varchar',
     'destination_coord': 'varchar', 'datetime': 'timestamp', 'datasource': 'varchar'}})
"""


@dataclass(frozen=True)
class LoadRun:
    """One load. Units: seconds, bytes (resident, the largest worker process); cpu_s by server."""

    seconds: float
    peak_bytes: int
    bytes_per_row: float
    cpu_s: dict[str, float]


def measure_cpu(pid: int) -> float:
    """Processor seconds of a process and all that it started, also of those that have ended."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    times = [process.cpu_times() for process in family if process.is_running()]
    return sum(time.user + time.system + time.children_user + time.children_system for time in times)


class Bench:
    """Servers, and a file in their store. changes: settings of the loads."""

    def __init__(self, folder: Path, rows: int, changes: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.changes = changes or {}
        self.path = folder / "trips.csv"
        self.tally = generate_trips(self.path, rows=rows)
        self.postgres = PostgresServer.start(folder, DURABLE)
        self.valkey = ValkeyServer.start(folder)
        self.s3 = S3Server.start(folder)

    def stop(self) -> None:
        for server in (self.s3, self.valkey, self.postgres):
            server.stop()

    def make_context(self, *, processes: int, threads: int) -> Context:
        settings = Settings(
            database_url=self.postgres.clone_template(),
            redis_url=self.valkey.url(),
            s3_endpoint=self.s3.endpoint,
            s3_access_key=ACCESS_KEY,
            s3_secret_key=PASSWORD,
            worker_processes=processes,
            worker_threads=threads,
            **self.changes,
        )
        return make_context(settings, connect_broker(settings))

    def load(self, *, processes: int, threads: int) -> LoadRun:
        context = self.make_context(processes=processes, threads=threads)
        with self.path.open("rb") as stream:
            stored = context.store.put(make_object_key(), stream, length=self.tally.bytes)
        with transaction(context.engine) as connection:
            load_id = insert_load(connection, stored, file_name="trips.csv", options={})
        with running_worker(make_environment(context.settings), self.folder / "worker.log") as worker:
            wait_until(lambda: (self.folder / "worker.log").read_text().count("warmed up") == processes)
            os.sync()  # nobody pays for what the one before left to be written
            run = self._time(context, worker, load_id)
        assert find_problems(context.engine, load_id) == []
        self.postgres.drop(context.settings.database_url.get_secret_value())
        (self.folder / "worker.log").unlink()
        return run

    def _time(self, context: Context, worker: WorkerProcess, load_id: int) -> LoadRun:
        pids = {
            "worker": [worker.popen.pid],
            "postgres": [self.postgres.process.pid],
            "s3": [self.s3.process.pid],
            "redis": [self.valkey.process.pid],
        }
        if self.postgres.workers:
            pids["its workers"] = [server.process.pid for server in self.postgres.workers]
        before = {name: sum(map(measure_cpu, family)) for name, family in pids.items()}
        peaks = [0]
        is_over = threading.Event()
        watcher = threading.Thread(target=_watch_memory, args=(worker, peaks, is_over))
        watcher.start()
        begin = time.perf_counter()
        enqueue_load(context.broker, load_id)
        wait_until(lambda: _has_ended(context, load_id), timeout_s=3_600, interval_s=0.05)
        seconds = time.perf_counter() - begin
        is_over.set()
        watcher.join()
        load = fetch_load(context.engine, load_id)
        assert (load["state"], load["rows_loaded"]) == ("succeeded", self.tally.rows), load
        with transaction(context.engine) as connection:
            storage = {row.table_name: row.bytes for row in execute(connection, "list_storage")}
        cpu_s = {name: sum(map(measure_cpu, family)) - before[name] for name, family in pids.items()}
        stored_bytes = sum(storage[name] for name in ("trip", "load_batch", "rollup_week"))
        return LoadRun(seconds, peaks[0], stored_bytes / self.tally.rows, cpu_s)

    def duckdb(self) -> float:
        database = self.folder / "duck.db"
        database.unlink(missing_ok=True)
        os.sync()
        with duckdb.connect(database) as connection:
            begin = time.perf_counter()
            connection.execute(DUCKDB_LOAD.format(path=self.path))
            connection.execute("checkpoint")
            seconds = time.perf_counter() - begin
            [(rows,)] = connection.execute("select count(*) from trip").fetchall()
        assert rows == self.tally.rows
        return seconds

    def orm(self) -> float:
        """Seconds that an ORM would take for all rows, by the first of them."""
        context = self.make_context(processes=1, threads=2)
        rows = min(ORM_ROWS, self.tally.rows)
        seconds = load_by_orm(context.engine, self.path, rows=rows)
        with transaction(context.engine) as connection:
            assert connection.exec_driver_sql("select count(*) from trip").scalar_one() == rows
        context.engine.dispose()
        self.postgres.drop(context.settings.database_url.get_secret_value())
        return seconds * self.tally.rows / rows

    @contextmanager
    def copy(self) -> Iterator[Callable[[], float]]:
        """Load once, keep the rows as COPY BINARY; give what times how long PostgreSQL takes for nothing but those."""
        context = self.make_context(processes=1, threads=2)
        url = context.settings.database_url.get_secret_value().replace("+psycopg", "")
        with self.path.open("rb") as stream:
            stored = context.store.put(make_object_key(), stream, length=self.tally.bytes)
        with transaction(context.engine) as connection:
            load_id = insert_load(connection, stored, file_name="trips.csv", options={})
        with running_worker(make_environment(context.settings), self.folder / "worker.log"):
            enqueue_load(context.broker, load_id)
            wait_until(lambda: _has_ended(context, load_id), timeout_s=3_600, interval_s=0.05)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("alter table trip set (autovacuum_enabled = off)")  # it would look at these rows beside the loads
        # As a query: a hypertable itself holds no rows.
        columns = query("copy_trip").partition("(")[2].partition(")")[0]
        target = f"copy (select {columns} from trip) to stdout (format binary)"
        with psycopg.connect(url) as connection, connection.cursor().copy(target) as copy:
            data = b"".join(bytes(piece) for piece in copy)

        def run() -> float:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("truncate trip")
            os.sync()
            begin = time.perf_counter()
            with psycopg.connect(url) as connection, connection.cursor().copy(query("copy_trip")) as copy:
                copy.write(data)
            return time.perf_counter() - begin

        yield run
        self.postgres.drop(context.settings.database_url.get_secret_value())


def _has_ended(context: Context, load_id: int) -> bool:
    """Whether a load has ended; asks for no more, because asking shares the two cores with it."""
    with transaction(context.engine) as connection:
        asked = "select finished_at is not null from load where load_id = %(load_id)s"
        return bool(connection.exec_driver_sql(asked, {"load_id": load_id}).scalar_one())


def _watch_memory(worker: WorkerProcess, peaks: list[int], is_over: threading.Event) -> None:
    # Found once: looking for children reads every process of the machine, 10 ms of a core that the load would use.
    processes = psutil.Process(worker.popen.pid).children(recursive=True)
    while not is_over.wait(0.1):
        for process in processes:
            peaks[0] = max(peaks[0], process.memory_info().rss)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", nargs="*", default=["1x2"], help="processes x threads")
    parser.add_argument("--only", choices=["load", "duckdb", "copy", "orm"])
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the loads")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tripdeck-bench-") as folder:
        bench = Bench(Path(folder), asked.rows, dict(change.split("=", 1) for change in asked.set))
        try:
            print(
                f"{asked.rows:,} rows, {bench.tally.bytes / 1e6:,.0f} MB, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
            )
            run_all(bench, runs=asked.runs, workers=asked.workers, only=asked.only)
        finally:
            bench.stop()


def run_all(bench: Bench, *, runs: int, workers: list[str], only: str | None) -> None:
    """Take turns, so that a machine that gets slower under steady work does so for all."""
    yardsticks: dict[str, list[float]] = {"DuckDB, same conversions": [], "plain COPY BINARY": [], "ORM": []}
    loads: dict[str, list[LoadRun]] = {text: [] for text in workers}
    with bench.copy() if only in (None, "copy") else nullcontext() as copy:
        for _ in range(runs):
            if only in (None, "duckdb"):
                yardsticks["DuckDB, same conversions"].append(bench.duckdb())
            if copy is not None:
                yardsticks["plain COPY BINARY"].append(copy())
            if only in (None, "orm"):
                yardsticks["ORM"].append(bench.orm())
            for text in workers if only in (None, "load") else []:
                processes, threads = (int(number) for number in text.split("x"))
                loads[text].append(bench.load(processes=processes, threads=threads))
    rows = bench.tally.rows
    medians = {name: statistics.median(seconds) for name, seconds in yardsticks.items() if seconds}
    for name, seconds in medians.items():
        print(f"{name:26} {rows / seconds:12,.0f} rows/s", _list_rates(rows, yardsticks[name]))
    for text, found in loads.items():
        if not found:
            continue
        run = sorted(found, key=lambda run: run.seconds)[len(found) // 2]
        shares = ", ".join(f"{seconds / run.seconds:.2f} of {name.partition(',')[0]}" for name, seconds in medians.items())
        print(
            f"load, {text} threads         {rows / run.seconds:12,.0f} rows/s",
            _list_rates(rows, [one.seconds for one in found]),
            f"{shares}; peak {max(one.peak_bytes for one in found) / 2**20:,.0f} MiB, {run.bytes_per_row:.1f} bytes a row,",
            f"load average {os.getloadavg()[0]:.1f}; processor seconds:",
            ", ".join(f"{name} {cpu_s:.1f}" for name, cpu_s in run.cpu_s.items()),
        )


def _list_rates(rows: int, runs: list[float]) -> str:
    return "(" + ", ".join(f"{rows / seconds / 1e6:.2f}" for seconds in runs) + " M)"


if __name__ == "__main__":
    main()
