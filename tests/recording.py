"""Recording what our code sends to the database, below SQLAlchemy: streams go past it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine, event

Statement = tuple[str, dict[str, Any]]


def make_recording_cursor(statements: list[Statement]) -> type[psycopg.Cursor[Any]]:
    """A cursor that keeps the statements it is given, and runs them."""

    class RecordingCursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            _keep(query, params)
            return super().execute(query, params, **options)

        def stream(self, query: Any, params: Any = None, **options: Any) -> Any:
            _keep(query, params)
            return super().stream(query, params, **options)

    def _keep(query: Any, params: Any) -> None:
        statements.append((str(query), dict(params or {})))

    return RecordingCursor


@contextmanager
def recorded_statements(engine: Engine) -> Iterator[list[Statement]]:
    """What is sent through an engine's connections meanwhile."""
    statements: list[Statement] = []
    cursor = make_recording_cursor(statements)

    def begin(driver: psycopg.Connection[Any], *_: Any) -> None:
        driver.cursor_factory = cursor

    def end(driver: psycopg.Connection[Any] | None, *_: Any) -> None:
        if driver is not None:
            driver.cursor_factory = psycopg.Cursor

    event.listen(engine, "checkout", begin)
    event.listen(engine, "checkin", end)
    try:
        yield statements
    finally:
        event.remove(engine, "checkout", begin)
        event.remove(engine, "checkin", end)
