"""Registry: addresses are registered, listed, removed and tested, and their deliveries listed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine

from loader.webhooks.addresses import PrivateHosts, parse_url, resolve_host
from loader.webhooks.deliveries import Row, name_message
from loader.webhooks.signatures import make_secret
from shared.domain.load_states import TERMINAL_STATES
from shared.platform.errors import NotFoundError, RequestError, TransientError
from shared.platform.settings import Settings
from shared.services.database import execute, transaction

Json = dict[str, Any]

_DELIVERY_FIELDS: Final = ("delivery_id", "webhook_id", "load_id", "state", "attempts", "status", "error_message")


def add_webhook(engine: Engine, url: str, states: Sequence[str], *, settings: Settings) -> Json:
    """Register an address for the ends of loads from now on; returns it with its secret, which is not shown again.

    Raises: RequestError for an address that can't be used or may not be reached.
    """
    try:
        resolve_host(parse_url(url), PrivateHosts.parse(settings.webhook_private_hosts))
    except TransientError as error:
        raise RequestError(error.message, parameter="url") from error
    chosen = sorted(set(states) or TERMINAL_STATES)
    with transaction(engine) as connection:
        row = execute(connection, "insert_webhook", url=url, secret=make_secret(), states=chosen).mappings().one()
    return {name: row[name] for name in ("webhook_id", "url", "states", "secret")} | {"created_at": _format(row["created_at"])}


def list_webhooks(engine: Engine) -> list[Json]:
    """Registered addresses with their deliveries by state, without their secrets."""
    with transaction(engine) as connection:
        rows = execute(connection, "list_webhooks").mappings()
        return [{**row, **{name: _format(row[name]) for name in ("created_at", "delivered_at")}} for row in rows]


def remove_webhook(engine: Engine, webhook_id: int) -> None:
    """Remove an address; what waits for it is not sent any more. Raises: NotFoundError."""
    with transaction(engine) as connection:
        if execute(connection, "delete_webhook", webhook_id=webhook_id).first() is None:
            raise _miss(webhook_id)


def send_test(engine: Engine, webhook_id: int) -> Json:
    """Queue a test message; returns its delivery. Raises: NotFoundError."""
    with transaction(engine) as connection:
        row = execute(connection, "insert_test_delivery", webhook_id=webhook_id).mappings().one_or_none()
    if row is None:
        raise _miss(webhook_id)
    return _make_delivery(dict(row))


def list_deliveries(engine: Engine, webhook_id: int, *, before: int | None, limit: int) -> list[Json]:
    """Deliveries to an address, newest first; before is the key to page on. Raises: NotFoundError."""
    with transaction(engine) as connection:
        rows = execute(connection, "list_webhook_deliveries", webhook_id=webhook_id, before=before, limit=limit).mappings().all()
        if not rows and not any(row.webhook_id == webhook_id for row in execute(connection, "list_webhooks")):
            raise _miss(webhook_id)
    return [_make_delivery(dict(row)) for row in rows]


def _make_delivery(row: Row) -> Json:
    delivery = {name: row[name] for name in _DELIVERY_FIELDS}
    delivery |= {"message_id": name_message(row), "type": "test" if row["kind"] == "test" else f"load.{row['kind']}"}
    delivery |= {name: _format(row[name]) for name in ("created_at", "finished_at")}
    return delivery | {"due_at": _format(row["due_at"]) if row["state"] == "pending" else None}


def _format(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _miss(webhook_id: int) -> NotFoundError:
    return NotFoundError(f"There is no webhook {webhook_id}.", webhook_id=webhook_id)
