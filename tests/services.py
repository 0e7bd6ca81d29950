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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil
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
from infra.embedded.postgres import connect_superuser, ensure_database, make_postgres_url, remove_data
from infra.embedded.valkey import make_valkey_url
from shared.database import connect_database, migrate
from shared.settings import Settings

TIMESCALE_BIN = os.environ.get("TRIPDECK_TEST_TIMESCALE_BIN")
PASSWORD = "test-only"
ACCESS_KEY = "tripdeck-test"
TEMPLATE = "tripdeck_template"
FAST = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB", "max_wal_size": "512MB"}
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
    """PostgreSQL with a migrated template database."""

    folder: Path
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @classmethod
    def start(cls, folder: Path, options: dict[str, str] | None = None) -> Self:
        """Start in a new folder; options are server settings."""
        [port] = find_free_ports(1)
        install = PostgresInstall(Path(TIMESCALE_BIN), preload=("timescaledb",)) if TIMESCALE_BIN else None
        # No background jobs: compression at a moment of its own would make tests differ from run to run; those about it call it.
        extra = {"timescaledb.telemetry_level": "off", "timescaledb.max_background_workers": "0"} if install else {}
        program = prepare_postgres(
            folder / "postgres", port=port, password=PASSWORD, install=install, options=FAST | extra | (options or {})
        )
        server = cls(program, port, folder / "postgres")
        server._make_template()
        return server

    def clone_template(self) -> str:
        """Make a database with the current schema; returns its URL."""
        name = f"test_{next(self._numbers)}"
        with connect_superuser(port=self.port, password=PASSWORD) as connection:
            statement = sql.SQL("create database {} template {} owner tripdeck strategy file_copy")
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
        return make_postgres_url(name, port=self.port, password=PASSWORD)

    def make_empty(self) -> str:
        """Make a database without a schema; returns its URL."""
        return ensure_database(f"test_{next(self._numbers)}", port=self.port, password=PASSWORD)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is connected."""
        with connect_superuser(port=self.port, password=PASSWORD) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(url.rsplit("/", 1)[1])))

    def stop(self) -> None:
        """Stop and delete the data."""
        super().stop()
        remove_data(self.folder)

    def _make_template(self) -> None:
        url = ensure_database(TEMPLATE, port=self.port, password=PASSWORD)
        engine = connect_database(Settings(database_url=url))
        migrate(engine)
        engine.dispose()
        with connect_superuser(port=self.port, password=PASSWORD) as connection:
            # TimescaleDB's background workers connect to every database that allows it, and a template must have no sessions.
            connection.execute(sql.SQL("alter database {} allow_connections false").format(sql.Identifier(TEMPLATE)))
            connection.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", [TEMPLATE])


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

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Start in a new folder."""
        [port] = find_free_ports(1)
        return cls(prepare_seaweed(folder / "s3", port=port, access_key=ACCESS_KEY, secret_key=PASSWORD, bucket=BUCKET), port)

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"
