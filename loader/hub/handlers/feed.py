"""The feed: WebSocket for browsers and programs, server-sent events for curl."""

import asyncio
import json
import logging
import socket
from typing import Any, Final

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.operations import Operation, parse_params
from loader.hub.api.params import FeedParams, LoadFeedParams
from loader.hub.feed.tail import PAGE, Reader
from loader.hub.services import Services
from loader.hub.support.access import PROTOCOL, parse_bearer, parse_subprotocols
from loader.hub.support.errors import PROBLEM_MEDIA, make_problem
from shared.platform.errors import NotFoundError, RequestError, TransientError, TripdeckError
from shared.platform.hub_tokens import ForbiddenError, UnauthorizedError

LOG = logging.getLogger(__name__)

PING_S: Final = 20
# Longer messages break the connection off; those beyond _SPOKEN_BYTES end it in good order, so that the client learns why.
MAX_MESSAGE_BYTES: Final = 2**20
_SPOKEN_BYTES: Final = 64 * 2**10
_TOO_BIG: Final = 1009
_GOING_AWAY: Final = 1001
_BROKEN: Final = 1011
_TRY_LATER: Final = 1013
_REFUSED: Final = 4401
_CLOSE_CODES: Final = (
    (UnauthorizedError, _REFUSED),
    (ForbiddenError, _REFUSED),
    (RequestError, 4400),
    (NotFoundError, 4404),
    (TransientError, _TRY_LATER),
)
_MAX_REASON_BYTES: Final = 120
_HEARTBEAT_S: Final = 20.0
# What the kernel keeps for a client that doesn't read; it would let that grow to 4 MiB, times a thousand clients.
_KERNEL_BYTES: Final = 64 * 2**10


class FeedHandler(WebSocketHandler):
    """One client of the feed."""

    def initialize(self, *, services: Services, route: str) -> None:
        """Take the services and the route."""
        self.services = services
        self.is_for_one_load = "{load_id}" in route
        self._token: str | None = None
        self._pump: asyncio.Task[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None

    def prepare(self) -> None:
        """Refuse a host name that isn't ours."""
        try:
            self.services.access.check_host(self.request.host)
        except ForbiddenError as error:
            raise HTTPError(403, error.message) from error

    def check_origin(self, origin: str) -> bool:
        """Whether a page of this origin may follow; programs send no Origin and are not checked."""
        return self.services.access.allows_origin(origin)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Take ours; the other entry is the token of a browser, which can't send headers."""
        self._token = parse_subprotocols(subprotocols)
        return PROTOCOL if PROTOCOL in subprotocols else None

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ANN401 - Tornado's signature
        """Answer a refused handshake with the problem."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else HTTPError(status_code)
        self.set_header("Content-Type", PROBLEM_MEDIA)
        self.finish(json.dumps(make_problem(error)))

    async def open(self, *_args: str, **path: str) -> None:
        """Begin to send."""
        self.services.metrics.feed_clients.inc()
        self.services.feed_clients.add(self)
        if self.ws_connection is not None and self.ws_connection.stream is not None:
            self.ws_connection.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BYTES)
        try:
            reader = self._make_reader(path)
        except TripdeckError as error:
            self.close_for(error)
            return
        self._pump = asyncio.create_task(self._send(reader))

    def on_message(self, message: str | bytes) -> None:
        """Ignore what clients say, unless it is too much; the feed goes one way."""
        if len(message) > _SPOKEN_BYTES:
            self.close(_TOO_BIG, "The feed takes no messages.")

    def on_close(self) -> None:
        """Stop sending."""
        if self in self.services.feed_clients:
            self.services.feed_clients.discard(self)
            self.services.metrics.feed_clients.dec()
        if self._pump:
            self._pump.cancel()
        if self._expiry:
            self._expiry.cancel()

    def close_for(self, error: BaseException) -> None:
        """Close with the code and reason of an error."""
        code = next((code for kind, code in _CLOSE_CODES if isinstance(error, kind)), _BROKEN)
        if code == _BROKEN:
            LOG.error("the feed failed a client", exc_info=error)
        message = error.message if isinstance(error, TripdeckError) and code != _BROKEN else "The hub failed."
        self.close(code, message.encode()[:_MAX_REASON_BYTES].decode(errors="ignore"))

    def close_going_away(self) -> None:
        """Close because the hub stops; clients come back, to another hub or the next."""
        self.close(_GOING_AWAY, "The hub stops; come back.")

    def _make_reader(self, path: dict[str, str]) -> Reader:
        token = parse_bearer(self.request.headers.get("Authorization")) or self._token
        expires_at = self.services.access.check_token(token, "feed")
        if expires_at is not None:
            error = UnauthorizedError("The token has expired; ask for a new one.")
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(self.services.access.count_seconds_to(expires_at), self.close_for, error)
        query = self.request.query_arguments
        if not self.is_for_one_load:
            return self.services.feed.read(last=parse_params(FeedParams, path, query).last, load_id=None)
        params = parse_params(LoadFeedParams, path, query)
        return self.services.feed.read(last=params.last, load_id=params.load_id)

    async def _send(self, reader: Reader) -> None:
        try:
            while True:
                messages = await reader.next_messages()
                for start in range(0, len(messages), PAGE):
                    for message in messages[start : start + PAGE]:
                        written = self.write_message(message.text)
                    await written  # until the socket has taken the page: a client that doesn't read holds one, not all
                self.services.metrics.feed_messages.inc(len(messages))
        except (WebSocketClosedError, StreamClosedError):
            pass
        except Exception as error:  # noqa: BLE001 - the process border: the client must learn that its feed ends
            self.close_for(error)


class EventsHandler(ApiHandler):
    """The feed as server-sent events: GET /events."""

    @Operation(
        "The feed as server-sent events", id="stream_events", params=FeedParams, media=("text/event-stream",), scope="feed"
    )
    async def get(self, params: FeedParams) -> None:
        """Send events until the client goes."""
        reader = self.services.feed.read(last=self._find_last(params), load_id=None)
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("X-Accel-Buffering", "no")  # nginx would hold events back
        while not self.is_gone() and self.services.access.is_good_until(self.token_expires_at):
            try:
                async with asyncio.timeout(_HEARTBEAT_S):
                    messages = await reader.next_messages()
            except TimeoutError:
                self.write(": nothing new\n\n")
            except TransientError:
                return  # come back with Last-Event-ID
            else:
                for message in messages:
                    self.write(f"id: {message.position}\nevent: {message.kind}\ndata: {message.text}\n\n")
            await self.flush()

    async def head(self, **_path: str) -> None:
        """Respond with nothing: a stream has no body to measure."""

    def _find_last(self, params: FeedParams) -> int | None:
        last = self.request.headers.get("Last-Event-ID")
        if last is None:
            return params.last
        try:
            return parse_params(FeedParams, {}, {"last": [last.encode()]}).last
        except RequestError as error:
            raise RequestError("Last-Event-ID is the position of the last event seen.", parameter="Last-Event-ID") from error
