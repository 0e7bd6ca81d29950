"""Real servers for tests: started once a session and shared, or one's own to kill.

    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer.start(Path(folder))
        url = server.clone_template()
        server.kill(); server.restart()
        server.stop()

Durability in tests: PostgreSQL runs with fsync=off. Commits still survive SIGKILL of any process (the kernel keeps written
pages); only a power cut would lose them, which no test can cause. synchronous_commit stays on: an answered commit is written.
"""

import itertools
import os
import shutil
import signal
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg
from minio import Minio
from psycopg import sql

from infra.embedded import (
    PostgresInstall,
    Process,
    Program,
    find_free_ports,
    prepare_postgres,
    prepare_seaweed,
    prepare_valkey,
    start_program,
    stop_process,
    wait_until_ready,
)
from infra.embedded.postgres import connect_superuser, ensure_analyst, ensure_database, make_postgres_url, remove_data
from infra.embedded.valkey import make_valkey_url
from shared.platform.settings import Settings
from shared.services.database import connect_database
from shared.services.migrations import migrate

TIMESCALE_BIN = os.environ.get("TRIPDECK_TEST_TIMESCALE_BIN")
CITUS_BIN = os.environ.get("TRIPDECK_TEST_CITUS_BIN")
PASSWORD = "test-only"
ACCESS_KEY = "tripdeck-test"
TEMPLATE = "tripdeck_template"
FAST = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB", "max_wal_size": "512MB"}
# Citus commits in two phases; each database has a maintenance daemon, a background worker; statistics would call home.
CITUS = {"max_prepared_transactions": "200", "max_worker_processes": "32", "citus.enable_statistics_collection": "off"}
CITUS_WORKERS = 2
DROP_ATTEMPTS = 3
# A clone of the template takes 10 ms there, 30 to 350 ms on disks (300 new files).
RAM_DISK = Path("/dev/shm")
RAM_DISK_BYTES = 4 * 2**30
FOLDER_PREFIX = "tripdeck-test-"
BUCKET = "tripdeck"


def make_server_folder() -> Path:
    """Make a folder for a server's data that PostgreSQL's user can enter, in memory where there is plenty."""
    has_room = RAM_DISK.is_dir() and shutil.disk_usage(RAM_DISK).free >= RAM_DISK_BYTES
    base = RAM_DISK if has_room else Path(tempfile.gettempdir())
    for left in base.glob(f"{FOLDER_PREFIX}*"):  # of runs that were killed
        if not psutil.pid_exists(int(left.name.split("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-", dir=base))
    folder.chmod(0o711)
    return folder


@dataclass
class Server:
    """A running server that a test may kill and start again on the same port and data."""

    program: Program
    port: int
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start (again) and wait until it answers."""
        self.process = start_program(self.program)
        wait_until_ready(self.process)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.signal(signal.SIGKILL)
        self.process.popen.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send any signal, as SIGSTOP and SIGCONT."""
        self.process.popen.send_signal(number)

    def stop(self) -> None:
        """Stop cleanly."""
        stop_process(self.process)


@dataclass
class PostgresServer(Server):
    """PostgreSQL with a migrated template database; with Citus the coordinator, its workers beside it."""

    folder: Path
    workers: list[Server] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @classmethod
    def start(cls, folder: Path, options: dict[str, str] | None = None) -> Self:
        """Start in a new folder; options are server settings."""
        workers = []
        for name in [f"citus-{number}" for number in range(CITUS_WORKERS)] if CITUS_BIN else []:
            program, port = _prepare(folder / name, options or {})
            workers.append(Server(program, port))
        program, port = _prepare(folder / "postgres", options or {})
        server = cls(program, port, folder, workers)
        server._make_template()
        return server

    @property
    def ports(self) -> list[int]:
        """The workers' ports, then its own: a database of one name is made on all."""
        return [*(worker.port for worker in self.workers), self.port]

    def clone_template(self) -> str:
        """Make a database with the current schema; returns its URL."""
        name = f"test_{next(self._numbers)}"
        statement = sql.SQL("create database {} template {} owner tripdeck strategy file_copy")
        for port in self.ports:
            with connect_superuser(port=port, password=PASSWORD) as connection:
                connection.execute(statement.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
        return make_postgres_url(name, port=self.port, password=PASSWORD)

    def make_empty(self) -> str:
        """Make a database without a schema; returns its URL."""
        name = f"test_{next(self._numbers)}"
        for port in self.ports:
            url = ensure_database(name, port=port, password=PASSWORD)
            if self.workers:
                with connect_superuser(port=port, password=PASSWORD, database=name) as connection:
                    _enable_citus(connection)
        if self.workers:
            self._add_workers(name)
        return url

    def drop(self, url: str) -> None:
        """Drop a database, whoever is connected."""
        for port in reversed(self.ports):
            _drop(url.rsplit("/", 1)[1], port=port)

    def stop(self) -> None:
        """Stop and delete the data."""
        super().stop()
        remove_data(self.folder / "postgres")
        for number, worker in enumerate(self.workers):
            worker.stop()
            remove_data(self.folder / f"citus-{number}")

    def _add_workers(self, database: str) -> None:
        with connect_superuser(port=self.port, password=PASSWORD, database=database) as connection:
            connection.execute("select citus_set_coordinator_host('127.0.0.1', %s)", [self.port])
            for worker in self.workers:
                connection.execute("select citus_add_node('127.0.0.1', %s)", [worker.port])

    def _make_template(self) -> None:
        url = self.make_empty()
        ensure_analyst(port=self.port, password=PASSWORD, analyst_password=PASSWORD)
        engine = connect_database(Settings(database_url=url))
        migrate(engine)
        engine.dispose()
        name = sql.Identifier(url.rsplit("/", 1)[1])
        for port in self.ports:
            with connect_superuser(port=port, password=PASSWORD) as connection:
                # Background workers connect to every database that allows it, and a template must have no sessions.
                connection.execute(sql.SQL("alter database {} allow_connections false").format(name))
                connection.execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", [url.rsplit("/", 1)[1]]
                )
                connection.execute(sql.SQL("alter database {} rename to {}").format(name, sql.Identifier(TEMPLATE)))


def _drop(name: str, *, port: int) -> None:
    database = sql.Identifier(name)
    with connect_superuser(port=port, password=PASSWORD) as connection:
        if CITUS_BIN:  # its maintenance daemon would come back while it is waited for
            connection.execute(sql.SQL("alter database {} allow_connections false").format(database))
        for _ in range(DROP_ATTEMPTS):
            with suppress(psycopg.errors.ObjectInUse):
                connection.execute(sql.SQL("drop database if exists {} with (force)").format(database))
                return
    raise AssertionError(f"database {name} stays in use")


def _prepare(folder: Path, options: dict[str, str]) -> tuple[Program, int]:
    """A server's program with what its extension needs, and its port."""
    [port] = find_free_ports(1)
    install, extra = None, {}
    if TIMESCALE_BIN:
        install = PostgresInstall(Path(TIMESCALE_BIN), preload=("timescaledb",))
        # No background jobs: compression at a moment of its own would make tests differ from run to run; those about it call it.
        extra = {"timescaledb.telemetry_level": "off", "timescaledb.max_background_workers": "0"}
    elif CITUS_BIN:
        install, extra = PostgresInstall(Path(CITUS_BIN), preload=("citus",)), CITUS
    settings = FAST | extra | options
    return prepare_postgres(folder, port=port, password=PASSWORD, install=install, options=settings), port


def _enable_citus(connection: "psycopg.Connection[Any]") -> None:
    """Let a database take part in a Citus cluster, and its roles reach the same database of the others."""
    connection.execute("create extension citus")
    connection.execute(
        "insert into pg_dist_authinfo select 0, r, 'password=' || %s from unnest(array['postgres', 'tripdeck']) as r", [PASSWORD]
    )


@dataclass
class ValkeyServer(Server):
    """Valkey without persistence: a kill wipes it."""

    @classmethod
    def start(cls, folder: Path, *, is_durable: bool = False) -> Self:
        """Start in a new folder."""
        [port] = find_free_ports(1)
        return cls(prepare_valkey(folder / "valkey", port=port, password=PASSWORD, is_durable=is_durable), port)

    def url(self, database: int = 0) -> str:
        """URL of a logical database, 0 to 63."""
        return make_valkey_url(port=self.port, password=PASSWORD, database=database)


@dataclass
class S3Server(Server):
    """SeaweedFS with the bucket `tripdeck`."""

    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Start in a new folder."""
        [port] = find_free_ports(1)
        return cls(prepare_seaweed(folder / "s3", port=port, access_key=ACCESS_KEY, secret_key=PASSWORD, bucket=BUCKET), port)

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> Minio:
        """Open a client of its own."""
        address = f"127.0.0.1:{self.port}"
        return Minio(endpoint=address, access_key=ACCESS_KEY, secret_key=PASSWORD, secure=False, region="us-east-1")

    def make_bucket(self) -> str:
        """Make another bucket; returns its name."""
        name = f"{BUCKET}-{next(self._numbers)}"
        self.connect().make_bucket(bucket_name=name)
        return name
