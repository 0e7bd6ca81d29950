"""Migrating a database that has a schema: the newest stays as it is; one that no revision goes on from is left alone."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import Engine

from shared.platform.errors import TerminalError
from shared.services.database import transaction
from shared.services.migrations import migrate
from tests.recording import recorded_statements


def read_revision(engine: Engine) -> str:
    with transaction(engine) as connection:
        return str(connection.exec_driver_sql("select version_num from alembic_version").scalar_one())


def set_revision(engine: Engine, revision: str) -> None:
    with transaction(engine) as connection:
        connection.exec_driver_sql("update alembic_version set version_num = %(revision)s", {"revision": revision})


def test_a_database_at_the_newest_schema_has_nothing_to_do(engine: Engine) -> None:
    before = read_revision(engine)
    with recorded_statements(engine) as statements:
        migrate(engine)
    assert statements
    assert [sql for sql, _ in statements if not sql.lower().lstrip().startswith(("select", "set local"))] == []
    assert read_revision(engine) == before


@pytest.mark.parametrize(
    ("revision", "message"),
    [
        ("0024", "revision 0024, older than the oldest .* Run tripdeck-migrate of the previous version first"),
        ("9999", "revision 9999, newer than the newest that this version knows"),
    ],
)
def test_an_unknown_schema_is_left_alone(engine: Engine, revision: str, message: str) -> None:
    set_revision(engine, revision)
    with pytest.raises(TerminalError, match=message):
        migrate(engine)
    assert read_revision(engine) == revision


def test_the_command_says_it_too(engine: Engine) -> None:
    set_revision(engine, "0024")
    environment = os.environ | {"TRIPDECK_DATABASE_URL": engine.url.render_as_string(hide_password=False).replace("+psycopg", "")}
    command = [sys.executable, "-c", "from shared.services.migrations import main; main()"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("tripdeck-migrate: The database's schema is revision 0024")
    assert "Run tripdeck-migrate of the previous version first" in done.stderr
