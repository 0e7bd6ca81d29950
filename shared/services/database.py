"""The database: engine, transactions, migrations, and the one border where driver errors become ours.

    engine = connect_database(settings)
    migrate(engine)
    with transaction(engine) as connection:
        rows = execute(connection, "list_loads", before=None, state=None, limit=50).mappings().all()

Works against PostgreSQL, TimescaleDB and Citus, also through PgBouncer in transaction mode.
"""

import json
import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any, Final, cast

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, CursorResult, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.platform.errors import ConflictError, SettingsError, TransientError, TripdeckError
from shared.platform.settings import Settings
from shared.services.named_queries import query

LOG = logging.getLogger(__name__)

# A vanished peer must not hold a worker for ever, nor a vanished worker its locks: both sides notice after 10 + 3 * 5 s.
_KEEPALIVE: Final = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
_SERVER_KEEPALIVE: Final = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
_CONNECT_TIMEOUT_S: Final = 5

# SQLSTATE classes that pass by themselves: connection, rollback (serialisation, deadlock), resources (disk full, too many
# connections), operator intervention (shutdown, an idle session ended, statement cancelled), I/O error; and states: read-only
# server, lock timeout, a transaction that idled or took too long, so that the server ended it.
_TRANSIENT_CLASSES: Final = ("08", "40", "53", "57", "58")
_TRANSIENT_STATES: Final = ("25006", "55P03", "25P03", "25P04")
# What Citus says, without a state that tells, when it loses a node at a commit, when the coordinator dies there, and before a new
# address of a node is known to the others.
_LOST_NODE: Final = ("failure on connection marked as essential", "postmaster was shut down", "metadata node, but is out of sync")
_DISK_FULL: Final = "53100"

# A megabyte of blocks: the server goes on while they are counted, as far as the socket holds. Boxes of 8 km and more at 100
# million trips took 264 ms with a cursor that fetches 256 rows, 223 with 256 streamed, 187 with 64, 168 with 16; since both sides
# are quicker, 32 take as long as 16 and a twentieth less processor time.
_STREAMED_ROWS: Final = 32


def connect_reader(settings: Settings) -> Engine:
    """Make an engine for questions: to the read replica where there is one, else to the database. Raises: SettingsError."""
    if settings.read_database_url is None:
        return connect_database(settings)
    reading = settings.model_copy(update={"database_url": settings.read_database_url})
    return connect_database(reading, setting="TRIPDECK_READ_DATABASE_URL")


def connect_database(
    settings: Settings, *, statement_timeout_ms: int | None = None, setting: str = "TRIPDECK_DATABASE_URL"
) -> Engine:
    """Make an engine; connects at first use. setting: where the URL came from, for the error.

    Raises: SettingsError for a URL that is no PostgreSQL URL.
    """
    url = settings.database_url.get_secret_value()
    if not url.startswith("postgresql"):
        raise SettingsError(f"{setting} must be a postgresql URL.")
    timeout_ms = settings.statement_timeout_ms if statement_timeout_ms is None else statement_timeout_ms
    return create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_size,
        pool_pre_ping=True,
        json_serializer=json.dumps,
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT_S,
            # Plans must see the values of areas and periods, so nothing is prepared on the server (PgBouncer agrees).
            "prepare_threshold": None,
            "application_name": "tripdeck",
            "options": f"-c statement_timeout={timeout_ms} -c idle_in_transaction_session_timeout=60000 -c timezone=UTC "
            + _SERVER_KEEPALIVE,
            **_KEEPALIVE,
        },
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Open a connection and a transaction; commit at the end, roll back on an error.

    Raises: TransientError or TerminalError in place of driver errors.
    """
    with database_errors(), engine.begin() as connection:
        yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Open a transaction whose statements all see the state at the first of them, for reading. Raises: as transaction."""
    # SQLAlchemy's option for read-only transactions leaves READ WRITE on the connection afterwards, which a replica refuses.
    with (
        database_errors(),
        engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
        connection.begin(),
    ):
        connection.exec_driver_sql("set transaction read only")
        yield connection


def execute(connection: Connection, name: str, /, **parameters: object) -> CursorResult[Any]:
    """Run a named query. dicts go in as JSON text."""
    values = {key: json.dumps(value) if isinstance(value, dict) else value for key, value in parameters.items()}
    return connection.exec_driver_sql(query(name), values)


def stream_rows(
    connection: Connection, name: str, parameters: dict[str, object], *, rows: int = _STREAMED_ROWS
) -> Generator[Sequence[Any]]:
    """Run a named query and give its rows, some at a time, while the server is at the next; in binary: bits in text are twice
    as long. Nothing else can be asked on this connection meanwhile.
    """
    with driver_connection(connection).cursor(row_factory=namedtuple_row) as cursor:
        stream = cast("Generator[Any]", cursor.stream(query(name), parameters, binary=True, size=rows))
        with closing(stream):
            while batch := list(islice(stream, rows)):
                yield batch


@contextmanager
def preferring_indexes(connection: Connection) -> Iterator[None]:
    """Have queries read no table whole where an index knows parts of it. An error leaves it so: its transaction ends anyhow."""
    execute(connection, "prefer_indexes", is_preferred=True)
    yield
    execute(connection, "prefer_indexes", is_preferred=False)


def execute_alone(engine: Engine, name: str) -> None:
    """Run a named query outside a transaction. Raises: TransientError when the database is away."""
    with database_errors(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        execute(connection, name)


def driver_connection(connection: Connection) -> "psycopg.Connection[Any]":
    """The psycopg connection below, for COPY."""
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn driver errors into ours, by SQLSTATE."""
    try:
        yield
    except PoolTimeoutError as error:
        raise TransientError("Every connection to the database is in use; try again in a moment.", code="busy") from error
    except DBAPIError as error:
        raise _translate(error.orig) from error
    except psycopg.Error as error:
        raise _translate(error) from error


def _translate(error: BaseException | None) -> TripdeckError:
    state = getattr(error, "sqlstate", None)
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if state is None and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return TransientError(f"The database can't be reached: {text}", code="database_unavailable")
    if state == "57014":
        return TransientError("The question took longer than the time limit; ask for less, or try again.", code="query_timeout")
    if state == _DISK_FULL:
        return TransientError(
            f"The database's disk is full; loads go on when it has room again: {text}",
            code="database_unavailable",
            sqlstate=state,
        )
    if state and (state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES or any(lost in text for lost in _LOST_NODE)):
        return TransientError(f"The database refuses for now: {text}", code="database_unavailable", sqlstate=state)
    if state == "23505":
        constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
        return ConflictError(text, sqlstate=state, constraint=constraint)
    return TripdeckError(f"The database answered with an error: {text}", code="database_error", sqlstate=state)
