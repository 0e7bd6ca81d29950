"""An analyst's own SQL over the read-only views.

    answer = run_sql(connect_analyst(settings), "select region, count(*) from trips group by region", settings=settings)

The role reads the views and nothing else: that is what protects the data. It logs in by itself (TRIPDECK_SQL_DATABASE_URL),
because a statement can take back the `set role` of its session. The rest are limits:

- one statement, a SELECT: it is parsed alone, then runs as a subquery, where nothing but a query is allowed;
- a read-only transaction that is rolled back, with what the statement has set, and whose advisory locks are freed;
- time (TRIPDECK_SQL_TIMEOUT_MS), rows (TRIPDECK_SQL_ROW_LIMIT), bytes of a row and of the answer, work_mem, no parallel workers.
"""

import json
import math
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import count
from typing import Any, Final

import psycopg
from psycopg import pq
from sqlalchemy import Connection, Engine

from shared.platform.errors import RequestError, SettingsError
from shared.platform.hub_tokens import ForbiddenError
from shared.platform.settings import Settings
from shared.questions.challenge import ResultTable
from shared.services.database import connect_database, database_errors, driver_connection, execute

MAX_CHARACTERS: Final = 20_000
_ANSWER_BYTES: Final = 16 * 2**20
# Rows that are taken from the connection at a time, of a megabyte at most each.
_STREAMED_ROWS: Final = 32
_WORK_MEM: Final = "16MB"
_INT64: Final = 2**63
# What no statement is to blame for: connection, rollback, resources, operator, system, corruption, and waits that were ended.
_OTHER_FAULTS: Final = ("08", "40", "53", "57", "58", "XX001", "XX002", "25P", "55P03")


@dataclass(frozen=True, slots=True)
class SqlAnswer:
    """A table, and whether it ends before the answer does, for its rows or its bytes."""

    table: ResultTable
    is_truncated: bool

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; numbers that JSON has not are null."""
        document = self.table.to_json()
        document["rows"] = [[_drop_infinite(value) for value in row] for row in document["rows"]]
        return {**document, "is_truncated": self.is_truncated}


def connect_analyst(settings: Settings) -> Engine | None:
    """Make an engine of the analysts' role, of two connections; None where questions in SQL are off. Raises: SettingsError."""
    url = settings.sql_database_url
    if url is None or not url.get_secret_value():
        return None
    if settings.min_group_trips > 1:
        raise SettingsError(
            "TRIPDECK_SQL_DATABASE_URL lets analysts count single trips, which TRIPDECK_MIN_GROUP_TRIPS is to hide: unset one."
        )
    own = settings.model_copy(update={"database_url": url, "database_pool_size": 1})
    return connect_database(own, statement_timeout_ms=settings.sql_timeout_ms, setting="TRIPDECK_SQL_DATABASE_URL")


def run_sql(engine: Engine | None, sql: str, *, settings: Settings, limit: int | None = None) -> SqlAnswer:
    """Run a statement, and return its rows, at most limit and the setting's.

    Raises: ForbiddenError where it is off; RequestError for what is wrong with the statement; TransientError at the time limit.
    """
    text = _check_text(sql)
    if engine is None:
        raise ForbiddenError("Questions in SQL are off: TRIPDECK_SQL_DATABASE_URL is not set.")
    rows = min(limit or settings.sql_row_limit, settings.sql_row_limit)
    with database_errors(), engine.connect() as connection, _limited(connection, settings), _statement_errors(text):
        driver = driver_connection(connection)
        _check_statement(driver, text)
        return _fetch(driver, text, limit=rows)


def list_columns(engine: Engine) -> ResultTable:
    """Views that analysts read, with their columns and types."""
    with database_errors(), engine.connect() as connection:
        result = execute(connection, "list_analyst_columns")
        return ResultTable(tuple(result.keys()), tuple(tuple(row) for row in result))


def _check_text(sql: str) -> str:
    text = re.sub(r"[;\s]+\Z", "", sql)
    if not text:
        raise RequestError("There is no statement.", parameter="sql")
    if len(text) > MAX_CHARACTERS or "\0" in text:
        raise RequestError(f"A statement has at most {MAX_CHARACTERS:,} characters, and no NUL among them.", parameter="sql")
    return text


@contextmanager
def _limited(connection: Connection, settings: Settings) -> Iterator[None]:
    """A read-only transaction under the limits; rolled back, without a trace in the session."""
    connection.exec_driver_sql("set transaction isolation level repeatable read, read only")
    limits = {"timeout_ms": str(settings.sql_timeout_ms), "work_mem": _WORK_MEM}
    role = execute(connection, "begin_analyst_sql", **limits).one()
    if role.has_tables or role.has_roles:
        raise ForbiddenError(
            "Questions in SQL are off: the role of TRIPDECK_SQL_DATABASE_URL may do more than tripdeck_analyst; it must be in "
            "that role alone."
        )
    if role.is_citus:
        raise ForbiddenError("Questions in SQL are off on Citus.")
    own = connection.begin_nested()
    try:
        yield
    finally:
        if not connection.closed and not connection.invalidated and not driver_connection(connection).closed:
            own.rollback()
            execute(connection, "unlock_analyst")
            connection.rollback()


def _check_statement(driver: "psycopg.Connection[Any]", text: str) -> None:
    """Have the server parse the statement alone: one statement, with columns, whose parentheses and quotes end in it."""
    for result in (driver.pgconn.prepare(b"", text.encode()), driver.pgconn.describe_prepared(b"")):
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(result)
    if result.nparams:
        raise RequestError("The statement has parameters ($1); write the values into it.", parameter="sql")
    if not result.nfields:
        raise RequestError("The statement gives no rows: a SELECT is needed.", parameter="sql")


def _fetch(driver: "psycopg.Connection[Any]", text: str, *, limit: int) -> SqlAnswer:
    # A name that no column of the statement has, or the size of that column would be checked.
    answer = f"answer_{secrets.token_hex(8)}"
    statement = (
        f"select {answer}.* from (\n{text}\n) as {answer} where check_row_bytes(pg_column_size({answer})) limit {limit + 1}"
    )
    rows: list[tuple[Any, ...]] = []
    size_bytes = 0
    with driver.cursor() as cursor:
        for row in cursor.stream(statement.encode(), size=_STREAMED_ROWS):
            rows.append(tuple(_simplify(value) for value in row))
            size_bytes += sum(len(value) if isinstance(value, str) else 8 for value in rows[-1])
            if len(rows) > limit or size_bytes > _ANSWER_BYTES:
                break
        columns = _name_columns([column.name for column in cursor.description or ()])
    is_truncated = len(rows) > limit or size_bytes > _ANSWER_BYTES
    return SqlAnswer(ResultTable(columns, tuple(rows[:-1] if is_truncated else rows)), is_truncated)


@contextmanager
def _statement_errors(text: str) -> Iterator[None]:
    """Turn what the statement is to blame for into a RequestError with the server's words and the line."""
    try:
        yield
    except psycopg.DataError as error:
        raise _blame(error, text) from error
    except psycopg.Error as error:
        if error.sqlstate is None or error.sqlstate.startswith(_OTHER_FAULTS):
            raise
        raise _blame(error, text) from error


def _blame(error: psycopg.Error, text: str) -> RequestError:
    said = (error.diag.message_primary or str(error)).rstrip(".")
    if error.sqlstate == "42501":
        said += "; analysts read trips, weekly_trips, rejects, load_history, region, datasource, place and place_set"
    if "multiple commands" in said:
        said = "One statement at a time"
    position = int(error.diag.statement_position or 0)
    line = f" (line {text[:position].count(chr(10)) + 1})" if 0 < position <= len(text) else ""
    return RequestError(f"{said[0].upper()}{said[1:]}{line}.", parameter="sql")


def _simplify(value: object) -> Any:  # noqa: ANN401 - a value of a table
    """A value as every form of an answer can hold it: what has no number, text, date or instant becomes text."""
    if value is None or isinstance(value, (bool, int, float, str, date, datetime, time)):
        return value
    if isinstance(value, Decimal):
        is_whole = value.is_finite() and value == value.to_integral_value() and abs(value) < _INT64
        return int(value) if is_whole and int(value.as_tuple().exponent) >= 0 else float(value)
    if isinstance(value, (list, dict)):
        return json.dumps(value, default=str, ensure_ascii=False)
    return value.hex() if isinstance(value, (bytes, memoryview)) else str(value)


def _drop_infinite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _name_columns(names: Sequence[str]) -> tuple[str, ...]:
    """The columns' names, each once."""
    unique: list[str] = []
    for name in names:
        candidates = (name if number == 1 else f"{name}_{number}" for number in count(1))
        unique.append(next(candidate for candidate in candidates if candidate not in unique))
    return tuple(unique)
