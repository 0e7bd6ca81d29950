"""Named queries: the .sql files of sql/queries and sql/challenge.sql, read once.

    rows = connection.exec_driver_sql(query("list_regions")).mappings().all()

A query begins with `-- name: snake_case`; comment lines after it say what it returns. Parameters are `%(name)s::type`,
so the same text goes through psycopg and SQLAlchemy's exec_driver_sql. Queries that are shown to people also have a
`-- title:` and, for parameters, `-- default: name=value name=value`; these two lines are no part of the text.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

SQL_DIR = Path(__file__).resolve().parents[2] / "sql"

_HEADER = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_NOTE = re.compile(r"^-- (title|default): (.+)\n", re.MULTILINE)
_PARAMETER = re.compile(r"%\((\w+)\)s(?:::([\w\[\]]+))?")


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """One query of a .sql file."""

    name: str
    text: str
    noun: str
    title: str = ""
    defaults: dict[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, str]:
        """Parameter name → SQL type, in order of appearance."""
        return {name: sql_type or "text" for name, sql_type in _PARAMETER.findall(self.text)}


@cache
def list_queries() -> dict[str, NamedQuery]:
    """Give every named query of Tripdeck; name → query."""
    return read_queries(SQL_DIR)


def read_queries(folder: Path) -> dict[str, NamedQuery]:
    """Read the named queries of a folder: queries/*.sql and challenge.sql.

    Raises: ValueError when two have one name.
    """
    found: dict[str, NamedQuery] = {}
    for path in [*sorted((folder / "queries").glob("*.sql")), folder / "challenge.sql"]:
        for named in _split(path):
            if named.name in found:
                raise ValueError(f"query {named.name} stands in {found[named.name].noun}.sql and in {path.name}")
            found[named.name] = named
    return found


def query(name: str) -> str:
    """Return the text of a named query.

    Raises: KeyError when there is none of that name.
    """
    return list_queries()[name].text


def _split(path: Path) -> list[NamedQuery]:
    parts = _HEADER.split(path.read_text(encoding="utf-8"))[1:]
    return [_parse(name, body, path.stem) for name, body in zip(parts[::2], parts[1::2], strict=True)]


def _parse(name: str, body: str, noun: str) -> NamedQuery:
    notes = dict(_NOTE.findall(body))
    defaults = dict(pair.split("=", 1) for pair in notes.get("default", "").split() if "=" in pair)
    return NamedQuery(name, _NOTE.sub("", body).strip(), noun, notes.get("title", ""), defaults)
