"""PgBouncer for tests, with the script and the configuration that Compose uses.

pooler = Pooler.start(folder, database_url, statement_timeout_ms=4_321)
questions, loads = pooler.url(), pooler.url("tripdeck_load")
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psycopg
from sqlalchemy import make_url

from infra.embedded import Program, find_free_ports
from infra.embedded.account import find_account
from infra.embedded.postgres import ANALYST
from infra.install_test_programs import find_pgbouncer
from tests.services import PASSWORD, Server

CONTAINERS = Path(__file__).resolve().parents[1] / "infra/containers"
QUESTIONS, LOADS = "tripdeck", "tripdeck_load"


@dataclass
class Pooler(Server):
    """A PgBouncer that a test may kill and start again; it leads to one database."""

    @classmethod
    def start(cls, folder: Path, database_url: str, *, statement_timeout_ms: int) -> Self:
        """Start in a new folder, which its user must be able to enter; PgBouncer refuses to run as root."""
        program = find_pgbouncer()
        assert program is not None
        account = find_account(folder)
        folder.mkdir(mode=0o755)
        for name in ("pgbouncer.sh", "pgbouncer.ini"):  # copies: its user may not be able to enter this repository
            shutil.copy(CONTAINERS / name, folder / name)
            (folder / name).chmod(0o444)
        users = folder / "users"
        users.write_text(f'"tripdeck" "{PASSWORD}"\n"{ANALYST}" "{PASSWORD}"\n', encoding="utf-8")
        (folder / "run").mkdir()
        if account:
            os.chown(folder / "run", account.uid, account.gid)
        database = make_url(database_url)
        [port] = find_free_ports(1)
        return cls(
            Program(
                name="pgbouncer",
                command=("/bin/sh", str(folder / "pgbouncer.sh"), str(folder / "run")),
                folder=folder,
                log_file=folder / "pgbouncer.log",
                check=lambda: psycopg.connect(
                    host="127.0.0.1", port=port, user="tripdeck", password=PASSWORD, dbname=LOADS
                ).close(),
                check_errors=(psycopg.OperationalError,),
                account=account,
                environment={
                    "PATH": f"{Path(program).parent}:{os.defpath}",
                    "DATABASE_HOST": str(database.host),
                    "DATABASE_PORT": str(database.port),
                    "DATABASE": str(database.database),
                    "STATEMENT_TIMEOUT_MS": str(statement_timeout_ms),
                    "PORT": str(port),
                    "USERS": str(users),
                },
            ),
            port,
        )

    def url(self, database: str = QUESTIONS, *, user: str = "tripdeck") -> str:
        """SQLAlchemy URL of one of its databases."""
        return f"postgresql+psycopg://{user}:{PASSWORD}@127.0.0.1:{self.port}/{database}"
