"""Follow one load over the hub's WebSocket feed until it ends, or all of them, whatever restarts in between. Nothing is polled.

for event in follow_load(client, 3):
    print(event["state"], event["rows_loaded"])
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final

import websocket

from loader.cli.client import HubClient, describe_unreachable
from shared.domain.load_states import TERMINAL_STATES
from shared.platform.errors import NotFoundError, TerminalError, TransientError

Event = dict[str, Any]


# The hub pings every 20 s; three missed pings mean that it is gone.
_SILENCE_S: Final = 60.0
_CONNECT_TIMEOUT_S: Final = 5.0
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
_REFUSED: Final = {
    4401: "The hub refuses the token or it has expired; get a new one.",
    4403: "The hub's token doesn't allow this.",
}
_NO_SUCH_LOAD: Final = 4404


def is_terminal(event: Event) -> bool:
    """Whether the load has ended."""
    return event["state"] in TERMINAL_STATES


def follow_load(
    client: HubClient, load_id: int, *, is_last: Callable[[Event], bool] = is_terminal, patience_s: float = 120.0
) -> Iterator[Event]:
    """Yield a load's events, each a full snapshot, up to the one that is_last accepts: by default, the one that ends the load.

    After a broken connection it goes on from the last position. Raises: TransientError when the hub stays away longer than
    patience_s, NotFoundError, TerminalError when it refuses.
    """
    for event in _follow(client, load_id, patience_s):
        yield event
        if is_last(event):
            return


def follow_loads(client: HubClient, *, patience_s: float) -> Iterator[Event]:
    """Yield events of all loads, for ever; of what history has lost, each load's newest. Raises: as follow_load."""
    yield from _follow(client, None, patience_s)


def _follow(client: HubClient, load_id: int | None, patience_s: float) -> Iterator[Event]:
    position: int | None = None
    away_since: float | None = None
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            for reached, events in _list_messages(client, load_id, position):
                away_since, pause_s = None, _FIRST_PAUSE_S
                yield from events
                position = reached
        except (OSError, websocket.WebSocketException) as error:
            _raise_refusal(error, load_id)
        now = time.monotonic()
        away_since = away_since or now
        if now - away_since > patience_s:
            raise TransientError(describe_unreachable(client.url), code="hub_unavailable")
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _list_messages(client: HubClient, load_id: int | None, position: int | None) -> Iterator[tuple[int, list[Event]]]:
    """Positions and events of one connection, until it closes."""
    url = f"ws{client.url.removeprefix('http')}/ws/loads{'' if load_id is None else f'/{load_id}'}" + (
        "" if position is None else f"?last={position}"
    )
    headers = [f"{name}: {value}" for name, value in client.headers.items()]
    connection = websocket.create_connection(url, timeout=_CONNECT_TIMEOUT_S, header=headers, suppress_origin=True)
    connection.settimeout(_SILENCE_S)
    with closing(connection):
        while True:
            opcode, data = connection.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                _raise_closed(int.from_bytes(data[:2], "big"), load_id)
                return
            message = json.loads(data)
            yield message["position"], message["loads"] if message["kind"] == "snapshot" else [message]


def _raise_closed(code: int, load_id: int | None) -> None:
    if code == _NO_SUCH_LOAD:
        raise NotFoundError(f"There is no load {load_id}.", load_id=load_id)
    if code in _REFUSED:
        raise TerminalError(_REFUSED[code], code="unauthorized")


def _raise_refusal(error: Exception, load_id: int | None) -> None:
    """A handshake answered with a reason that won't pass by itself."""
    status = getattr(error, "status_code", None)
    if status == 404:
        raise NotFoundError(f"There is no load {load_id}.", load_id=load_id) from error
    if status in (401, 403):
        raise TerminalError(_REFUSED[4401], code="unauthorized") from error
    if status is not None and status < 500:
        raise TerminalError(f"The hub refuses to tell of load {load_id}: status {status}.", code="bad_request") from error
