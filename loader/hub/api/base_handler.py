"""What all REST handlers share: who may call, validated parameters, bounded bodies, JSON answers and errors.

Every handler streams its request's body, so that a request is judged by its head before its body is taken in.
"""

import asyncio
import json
import logging
from types import TracebackType
from typing import Any, Final

from pydantic import BaseModel
from tornado.httputil import HTTPServerRequest
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler, stream_request_body

from loader.hub.api.bodies import Body, BufferedBody
from loader.hub.api.operations import JSON_LIMIT_BYTES, Operation, find_operation, list_operations, parse_body, parse_params
from loader.hub.api.params import NoParams, Params
from loader.hub.services import Services
from loader.hub.support.access import parse_bearer
from loader.hub.support.errors import PROBLEM_MEDIA, TooSlowError, make_problem, status_of
from loader.hub.support.pace import Pace
from shared.platform.errors import TripdeckError
from shared.platform.spans import RequestSpan

LOG = logging.getLogger(__name__)

# After an early error the rest of a body is thrown away for a while: closing at once would reset the connection, and the
# client would read the reset instead of the answer.
_LINGER_S: Final = 5.0
_LINGER_BYTES: Final = 64 * 2**20
_RETRY_AFTER_S: Final = 5
# Health checks and metrics come every few seconds and are not traced.
_TRACED: Final = "/api/"
EXPOSED_HEADERS: Final = (
    "Content-Disposition, ETag, Idempotency-Replayed, Link, Location, Preference-Applied, Retry-After, "
    "Tripdeck-Truncated, WWW-Authenticate"
)
"""What pages may read of an answer."""


@stream_request_body
class ApiHandler(RequestHandler):
    """Base of the REST handlers."""

    params: Params = NoParams()
    body: Body

    def initialize(self, *, services: Services, route: str) -> None:
        """Take the services and the route."""
        self.services = services
        self.route = route
        self.is_refused = False
        self.is_counted = False
        self.token_expires_at: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._span = RequestSpan()
        self._dropped_bytes = 0
        self.body = BufferedBody(JSON_LIMIT_BYTES)
        self.pace = Pace(services.settings.hub_body_timeout_s)

    def set_default_headers(self) -> None:
        """Headers of every answer, and those that let allowed pages read it."""
        self.set_header("Server", "tripdeck-hub")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("Vary", "Origin, Accept, Authorization")
        origin = self.request.headers.get("Origin")
        if origin and self.application.settings["access"].allows_origin(origin):
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Access-Control-Expose-Headers", EXPOSED_HEADERS)

    def is_gone(self) -> bool:
        """Whether the client has closed the connection."""
        return self.request.connection is None or self.request.connection.stream.closed()  # type: ignore[attr-defined]

    async def prepare(self) -> None:
        """Refuse a request that fails the checks of its head, and wait for its body."""
        self.services.metrics.open_requests += 1
        self.is_counted = True
        self._begin_span()
        self.request.connection.set_max_body_size(2**62)  # type: ignore[union-attr]  # bodies count themselves
        self.request.connection.set_body_timeout(None)  # type: ignore[union-attr]  # and have a pace of their own
        try:
            await self.judge()
        except (TripdeckError, HTTPError) as error:
            await self._refuse(error)
            return
        if _has_body(self.request):
            self._await_body()

    def read_path(self) -> dict[str, str]:
        """The parameters in the path."""
        return dict(self.path_kwargs)

    async def open_body(self, operation: Operation) -> Body:
        """Where the body of an operation goes."""
        return BufferedBody(JSON_LIMIT_BYTES)

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece of the body; Tornado reads on when this returns."""
        if self.is_refused:
            self._dropped_bytes += len(chunk)
            if self._dropped_bytes > _LINGER_BYTES:
                self._cut()
            return
        self._stop_timer()
        self.pace.take(len(chunk))
        try:
            await self.body.write(chunk)
        except Exception as error:  # noqa: BLE001 - the process border: Tornado would close without an answer
            await self.body.abort()
            await self._refuse(error)
        else:
            self._await_body()

    def refuse_slow(self) -> None:
        """Answer that the client is too slow, and close."""
        if not self.is_refused:
            self.is_refused = True
            self.services.tasks.start(self._refuse_slow())

    def flush(self, include_footers: bool = False) -> "asyncio.Future[None]":
        """Send what has been written; who doesn't read it is cut off."""
        size_bytes = sum(map(len, self._write_buffer))
        stream = self.request.connection.stream  # type: ignore[union-attr]
        sent = super().flush(include_footers)
        self.services.unread.watch(sent, size_bytes, close=stream.close)
        return sent

    def take_body(self) -> Params | None:
        """The validated JSON body, where the operation takes one. Raises: RequestError."""
        self._stop_timer()
        operation = find_operation(type(self), str(self.request.method))
        if operation is None or operation.body is None or not isinstance(self.body, BufferedBody):
            return None
        return parse_body(operation.body, bytes(self.body.data))

    async def _answer_nothing(self, **_path: str) -> None:
        """Stand for methods that a handler doesn't have: refused before their body came."""

    get = post = put = delete = patch = _answer_nothing

    async def head(self, **path: str) -> None:
        """Answer as GET would, without the body."""
        await self.get(**path)

    async def options(self, **_path: str) -> None:
        """Answer a CORS preflight request."""
        if self.is_refused:
            return
        if not self._headers.get("Access-Control-Allow-Origin"):
            raise HTTPError(403, "Pages of this origin may not call the hub.")
        self.set_header("Access-Control-Allow-Methods", self._allowed_methods())
        self.set_header("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-None-Match, Prefer")
        self.set_header("Access-Control-Max-Age", "600")
        self.set_status(204)

    def respond(self, document: dict[str, Any] | BaseModel, *, status: int = 200, location: str | None = None) -> None:
        """Respond with JSON."""
        self.set_status(status)
        if location:
            self.set_header("Location", location)
        self.set_header("Content-Type", "application/json")
        self.write(document.model_dump_json() if isinstance(document, BaseModel) else json.dumps(document, default=str))

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ANN401 - Tornado's signature
        """Respond with the error's JSON; Tornado calls this for whatever a handler raised."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else HTTPError(status_code)
        if not self.is_counted:
            self.set_header("Connection", "close")  # refused before its body was read, which Tornado answers by closing
        self._write_error_json(error)
        self.finish()

    def log_exception(self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        """Log what a handler raised."""
        self.log_error(value)

    def log_error(self, error: BaseException | None) -> None:
        """Log an error as what it is: the caller's, a service's, or ours."""
        status = status_of(error) if error else 500
        facts = {"method": self.request.method, "path": self.request.path, "reason": str(error)}
        if isinstance(error, StreamClosedError):
            LOG.debug("the client went away", extra=facts)
        elif status == 500:
            LOG.error("the hub failed", extra=facts, exc_info=error)
        elif status > 500:
            LOG.warning("a service is away", extra=facts)
        else:
            LOG.debug("refused", extra=facts)

    def on_finish(self) -> None:
        """Count the request."""
        self._stop_timer()
        method, seconds = str(self.request.method), self.request.request_time()
        self.services.metrics.requests.labels(method, self.route, self.get_status()).inc()
        self.services.metrics.request_seconds.labels(method, self.route).observe(seconds)
        self._span.end(self.get_status())
        self._uncount()

    def on_connection_close(self) -> None:
        """Abort the body of a client that has disconnected."""
        super().on_connection_close()
        self._stop_timer()
        self._uncount()
        if not self._finished:
            self.services.tasks.start(self.body.abort())

    async def judge(self) -> None:
        """Check caller and parameters, and open the body. Raises: whatever is wrong with them."""
        self.services.access.check_host(self.request.host)
        if self.request.method == "OPTIONS":
            return
        if self.request.method not in ("GET", "HEAD"):
            self.services.access.check_origin(self.request.headers)
        operation = find_operation(type(self), str(self.request.method))
        if operation is None:
            raise HTTPError(405)
        if operation.scope is not None:
            token = parse_bearer(self.request.headers.get("Authorization"))
            self.token_expires_at = self.services.access.check_token(token, operation.scope)
        self.params = parse_params(operation.params, self.read_path(), self.request.query_arguments)
        self.body = await self.open_body(operation)

    def _begin_span(self) -> None:
        if self.route.startswith(_TRACED):
            method, headers = str(self.request.method), self.request.headers
            facts = {"http.request.method": method, "http.route": self.route, "url.path": self.request.path}
            self._span = self.services.tracing.begin_request(f"{method} {self.route}", headers, **facts)

    def _await_body(self) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(self.pace.wait(), self.refuse_slow)

    async def _refuse_slow(self) -> None:
        error = TooSlowError("The request's body comes too slowly; send it again, over a better line.")
        await self.body.abort()
        self.log_error(error)
        self._write_error_json(error)
        self.set_header("Connection", "close")
        self.finish()

    async def _refuse(self, error: BaseException) -> None:
        self.is_refused = True
        self.log_error(error)
        self._write_error_json(error)
        if _waits_for_leave(self.request):
            self.set_header("Connection", "close")
            await self.finish()
        elif _has_body(self.request):
            self.set_header("Content-Length", sum(map(len, self._write_buffer)))
            await self.flush()
            self._start_timer(_LINGER_S)

    def _write_error_json(self, error: BaseException) -> None:
        status = status_of(error)
        self.set_status(status)
        self.set_header("Content-Type", PROBLEM_MEDIA)
        if status == 401:
            self.set_header("WWW-Authenticate", "Bearer")
        if status == 405:
            self.set_header("Allow", self._allowed_methods())
        if status == 503:
            self.set_header("Retry-After", _RETRY_AFTER_S)
        self.write(json.dumps(make_problem(error)))

    def _allowed_methods(self) -> str:
        return ", ".join([*(method.upper() for method in list_operations(type(self))), "OPTIONS"])

    def _start_timer(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._cut)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _cut(self) -> None:
        self.request.connection.stream.close()  # type: ignore[union-attr]

    def _uncount(self) -> None:
        if self.is_counted:
            self.is_counted = False
            self.services.metrics.open_requests -= 1


class UnknownHandler(ApiHandler):
    """Whatever has no route."""

    async def judge(self) -> None:
        """Answer 404."""
        raise HTTPError(404, f"There is nothing at {self.request.path}; /docs lists what there is.")


def _waits_for_leave(request: HTTPServerRequest) -> bool:
    return request.headers.get("Expect", "").lower() == "100-continue"


def _has_body(request: HTTPServerRequest) -> bool:
    return request.headers.get("Transfer-Encoding") is not None or request.headers.get("Content-Length", "0") != "0"
