"""Connection limit: beyond it the hub answers 503, except to health checks.

server = make_server(application, count_feed, limit=settings.hub_connections, refused=metrics.refused_connections, idle_…)
"""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from prometheus_client import Counter
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream
from tornado.web import Application

from loader.hub.support.errors import PROBLEM_MEDIA, make_problem
from shared.platform.errors import TransientError

RETRY_AFTER_S: Final = 5
# Beyond the limit: enough for probes and for a few hundred refusals a second, each of which must say what it wants at once.
_SPARE: Final = 64
_SPARE_HEAD_S: Final = 3.0
_OPEN_PATHS: Final = ("/healthz", "/readyz")


class CountingServer(HTTPServer):
    """An HTTP server that counts its connections; those upgraded to WebSockets are not counted."""

    open_connections = 0

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serve a new connection."""
        self.open_connections += 1
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        """Forget a connection."""
        self.open_connections -= 1
        super().on_close(server_conn)


class BoundedServer(CountingServer):
    """An HTTP server that passes connections beyond its limit to a spare server, and closes them where that is full, too."""

    def bound(self, limit: int, spare: CountingServer, *, count_feed: Callable[[], int], refused: Counter) -> None:
        """Set the limit. count_feed: WebSockets, which count as well; refused: counts connections beyond the limit."""
        self._limit, self._spare, self._count_feed, self._refused = limit, spare, count_feed, refused

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serve a new connection, where there is room."""
        if self.open_connections + self._count_feed() < self._limit:
            super().handle_stream(stream, address)
            return
        self._refused.inc()
        if self._spare.open_connections < _SPARE:
            self._spare.handle_stream(stream, address)
        else:
            stream.close()

    async def close_all_connections(self) -> None:
        """Close the spare server's, too."""
        await self._spare.close_all_connections()
        await super().close_all_connections()


class _HealthOnly(HTTPServerConnectionDelegate):
    def __init__(self, application: Application) -> None:
        self._application = application

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return _HealthOrBusy(self._application.start_request(server_conn, request_conn), request_conn)


class _HealthOrBusy(HTTPMessageDelegate):
    """Passes on requests for /healthz and /readyz; answers any other with 503."""

    def __init__(self, served: HTTPMessageDelegate, connection: HTTPConnection) -> None:
        self._served: HTTPMessageDelegate | None = served
        self._connection = connection

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Any:  # noqa: ANN401
        is_open = isinstance(start_line, RequestStartLine) and start_line.path.partition("?")[0] in _OPEN_PATHS
        if self._served and is_open:
            return self._served.headers_received(start_line, headers)
        self._served = None
        body = json.dumps(make_problem(TransientError("The hub has as many connections as it takes.", code="busy"))).encode()
        facts = {"Content-Type": PROBLEM_MEDIA, "Content-Length": str(len(body)), "Retry-After": str(RETRY_AFTER_S)}
        status = HTTPStatus.SERVICE_UNAVAILABLE
        self._connection.write_headers(ResponseStartLine("HTTP/1.1", status, status.phrase), HTTPHeaders(facts), body)
        self._connection.finish()
        return None

    def data_received(self, chunk: bytes) -> Any:  # noqa: ANN401 - Tornado's signature
        return self._served.data_received(chunk) if self._served else None

    def finish(self) -> None:
        if self._served:
            self._served.finish()

    def on_connection_close(self) -> None:
        if self._served:
            self._served.on_connection_close()


def make_server(
    application: Application, count_feed: Callable[[], int], *, limit: int, refused: Counter, **options: float
) -> BoundedServer:
    """Make the hub's server. options: as Tornado's."""
    server = BoundedServer(application, **options)
    hurried: dict[str, Any] = {"idle_connection_timeout": _SPARE_HEAD_S, "body_timeout": _SPARE_HEAD_S, "no_keep_alive": True}
    spare = CountingServer(_HealthOnly(application), **{**options, **hurried})
    server.bound(limit, spare, count_feed=count_feed, refused=refused)
    return server
