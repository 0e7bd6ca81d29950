"""Migrations: the statements of a file of sql/migrations, for Alembic's revisions.

They run one at a time: Citus sends some of them on to other nodes as the text that came, so it must hold no others.
"""

import re
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from shared.queries import SQL_DIR

# What a semicolon may stand in, else the semicolon itself.
_TOKEN: Final = re.compile(r"\$\$.*?\$\$|'[^']*'|--[^\n]*|;", re.DOTALL)


def find_flavour(connection: Connection) -> str:
    """Tell how the database stores trips: citus, timescaledb or plain, as its extensions say."""
    names = (
        connection.exec_driver_sql("select extname from pg_extension where extname in ('citus', 'timescaledb')").scalars().all()
    )
    return names[0] if names else "plain"


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
