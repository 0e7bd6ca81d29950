"""Migrations: the statements of a file of sql/migrations, for Alembic's revisions.

They run one at a time: Citus sends some of them on to other nodes as the text that came, so it must hold no others.
"""

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine

from shared.platform.errors import TerminalError, TripdeckError
from shared.platform.logs import configure_logs
from shared.platform.settings import load_settings
from shared.services.database import LOG, connect_database, transaction
from shared.services.named_queries import SQL_DIR

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

# What a semicolon may stand in, else the semicolon itself.
_TOKEN: Final = re.compile(r"\$\$.*?\$\$|'[^']*'|--[^\n]*|;", re.DOTALL)


def find_flavour(connection: Connection) -> str:
    """Tell how the database stores trips: citus, timescaledb or plain, as its extensions say."""
    names = (
        connection.exec_driver_sql("select extname from pg_extension where extname in ('citus', 'timescaledb')").scalars().all()
    )
    return names[0] if names else "plain"


def list_baseline(flavour: str) -> list[str]:
    """Files of sql/migrations that make the first schema of a flavour, in the order they run."""
    names = ("functions", "trip_index", "tables", "views", f"storage_{flavour}", "roles")
    return [f"baseline/{name}.sql" for name in names]


def run_file(connection: Connection, name: str) -> None:
    """Run every statement of a file of sql/migrations."""
    # psycopg's cursor without parameters: the text may hold percent signs.
    cursor = connection.connection.cursor()
    for statement in split_statements((SQL_DIR / "migrations" / name).read_text(encoding="utf-8")):
        cursor.execute(statement)


def split_statements(text: str) -> Iterator[str]:
    """Cut text at the semicolons that stand outside of strings, bodies of functions and comments."""
    began = 0
    for found in _TOKEN.finditer(text):
        if found[0] == ";":
            yield text[began : found.end()].strip()
            began = found.end()
    if re.sub(r"--[^\n]*", "", text[began:]).strip():
        raise ValueError(f"a statement ends without a semicolon: {text[began:].strip()[:80]!r}")


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the database to a revision; does nothing when it is there. Safe to run from several processes at once.

    Raises: TransientError when the database can't be reached; TerminalError when its schema is older than the baseline, or newer
    than any here.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(SQL_DIR / "alembic"))
    with transaction(engine) as connection:
        connection.exec_driver_sql("set local statement_timeout = 0")
        connection.exec_driver_sql("select pg_advisory_xact_lock(hashtext('tripdeck.migrate'))")
        _check_revision(connection, ScriptDirectory.from_config(config))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _check_revision(connection: Connection, scripts: "ScriptDirectory") -> None:
    """Raises: TerminalError when no revision here can go on from the database's."""
    from alembic.migration import MigrationContext

    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is None or current in known:
        return
    if current < min(known):
        raise TerminalError(
            f"The database's schema is revision {current}, older than the oldest that this version upgrades from ({min(known)}). "
            "Run tripdeck-migrate of the previous version first, then this one."
        )
    raise TerminalError(
        f"The database's schema is revision {current}, newer than the newest that this version knows ({max(known)}). "
        "Run a version of Tripdeck that is at least as new as the database."
    )


def main() -> None:
    """Migrate the database of the settings; the console script tripdeck-migrate."""
    settings = load_settings()
    configure_logs(settings)
    try:
        engine = connect_database(settings)
        try:
            migrate(engine)
        finally:
            engine.dispose()
    except TripdeckError as error:
        sys.exit(f"tripdeck-migrate: {error.message}")
    LOG.info("database is at the newest schema")
