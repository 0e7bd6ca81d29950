"""Deliveries: from the outbox to the addresses, at least once.

1. queue_deliveries goes through the numbered events of the outbox, by one position for all processes, and inserts one delivery
   per event and address in the transaction that moves the position: exactly one, whichever process is killed when.
2. deliver_next leases the delivery that is due longest, sends it outside of any transaction and stores the outcome. A process
   that is killed in between has perhaps sent it: the lease runs out and it is sent again under the same id.

Loads know nothing of this: no transaction of theirs waits for it.
"""

import json
import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

from sqlalchemy import Engine

from loader.webhooks.addresses import PrivateHosts, parse_url, resolve_host
from loader.webhooks.post import post
from loader.webhooks.signatures import sign
from shared.platform.errors import TransientError, TripdeckError
from shared.platform.settings import Settings
from shared.services.database import execute, transaction

LOG = logging.getLogger(__name__)

RETENTION_S: Final = 30 * 86_400.0
"""Time that deliveries which ended stay listed."""
_PAGE: Final = 1_000
# 5 s, 20 s, 80 s, 5 min, 21 min, 85 min, then 4 h each time.
_FIRST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 4 * 3_600.0
_GONE: Final = 410
# A lease outlives the attempt (name, connection, answer) and the statement that stores its outcome.
_LEASE_TIMEOUTS: Final = 3.0

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt came to. state: delivered, failed or pending (to be tried again after pause_s)."""

    state: str
    status: int | None = None
    error_message: str | None = None
    pause_s: float = 0.0

    @property
    def name(self) -> str:
        """For metrics: delivered, failed or retried."""
        return "retried" if self.state == "pending" else self.state


def queue_deliveries(engine: Engine) -> bool:
    """Insert the deliveries of events that have none yet; returns whether there were events. Any process may call it."""
    has_moved = False
    while True:
        with transaction(engine) as connection:
            place = execute(connection, "lock_webhook_position").one_or_none()
            if place is None or place.last_position >= place.newest_position:
                return has_moved
            position = execute(connection, "queue_deliveries", after=place.last_position, limit=_PAGE).scalar_one()
            execute(connection, "move_webhook_position", position=position or place.newest_position)
        has_moved = True


def deliver_next(engine: Engine, settings: Settings) -> Outcome | None:
    """Send the delivery that is due longest; None when none is due. Raises: TransientError when the database is away."""
    lease_s = _LEASE_TIMEOUTS * settings.webhook_timeout_s
    with transaction(engine) as connection:
        row = execute(connection, "claim_delivery", lease_s=lease_s).mappings().one_or_none()
    if row is None:
        return None
    outcome = _send(dict(row), settings)
    facts = {"state": outcome.state, "status": outcome.status, "error_message": outcome.error_message, "pause_s": outcome.pause_s}
    with transaction(engine) as connection:
        execute(connection, "finish_delivery", delivery_id=row["delivery_id"], lease_token=row["lease_token"], **facts)
    if outcome.state == "failed":
        facts = {"webhook_id": row["webhook_id"], "load_id": row["load_id"], "reason": outcome.error_message}
        LOG.warning("a webhook message is given up", extra=facts)
    return outcome


def drop_old_deliveries(engine: Engine) -> None:
    """Delete deliveries that ended long ago."""
    with transaction(engine) as connection:
        execute(connection, "delete_old_deliveries", retention_s=RETENTION_S)


def make_body(row: Row) -> bytes:
    """The message of a delivery; the same bytes each time. Raises: KeyError when its body has no instant."""
    kind = row["kind"] if row["kind"] == "test" else f"load.{row['kind']}"
    at = datetime.fromisoformat(row["body"]["at"]).isoformat()  # as events of the feed have it
    document = {"type": kind, "timestamp": at, "data": row["body"] | {"at": at}}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def name_message(row: Row) -> str:
    """The id of a message, by which receivers drop duplicates."""
    return f"msg_{row['message_id'].hex}"


def _send(row: Row, settings: Settings) -> Outcome:
    body = make_body(row)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"tripdeck/{version('tripdeck')}",
        **sign(row["secret"], name_message(row), body, at=time.time()),
    }
    try:
        url = parse_url(row["url"])
        address = resolve_host(url, PrivateHosts.parse(settings.webhook_private_hosts))
        status = post(url, body, headers, address=address, timeout_s=settings.webhook_timeout_s)
    except TransientError as error:
        return _postpone(row, settings, status=None, message=error.message)
    except TripdeckError as error:  # an address that may not be reached, now or any more
        return Outcome("failed", error_message=error.message)
    if status // 100 == 2:
        return Outcome("delivered", status)
    message = f"The receiver answered {status}."
    return Outcome("failed", status, message) if status == _GONE else _postpone(row, settings, status=status, message=message)


def _postpone(row: Row, settings: Settings, *, status: int | None, message: str) -> Outcome:
    if row["attempts"] >= settings.webhook_attempts:
        return Outcome("failed", status, f"{message} Given up after {row['attempts']} attempts.")
    pause_s = min(_FIRST_PAUSE_S * 4 ** (row["attempts"] - 1), _LONGEST_PAUSE_S)
    # Receivers that come back are not met by everything at once.
    return Outcome("pending", status, message, pause_s * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
