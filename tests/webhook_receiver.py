"""A receiver of webhook messages for tests: a real HTTP server that keeps what it got and answers as it is told.

with Receiver.start() as receiver: receiver.url, receiver.messages
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from loader.webhooks.signatures import verify


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    def verify(self, secret: str) -> str:
        return verify(secret, self.headers, self.body, now=time.time())


@dataclass
class Receiver:
    """status: what it answers; free: cleared, it takes messages and answers none."""

    port: int = 0
    status: int = 204
    answer_headers: dict[str, str] = field(default_factory=dict)
    messages: list[Received] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)
    drip_s: float = 0.0
    _server: ThreadingHTTPServer | None = None

    def __post_init__(self) -> None:
        self.free.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?of=tests"

    @contextmanager
    def running(self) -> Iterator["Receiver"]:
        """Listen for the length of the block; on the same port each time."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.take(self)

            def log_message(self, *_arguments: Any) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

        with Server(("127.0.0.1", self.port), Handler) as server:
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield self
            finally:
                self.free.set()
                server.shutdown()
                thread.join()

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.messages.append(Received(handler.path, {name.lower(): text for name, text in handler.headers.items()}, body))
        self.free.wait(60)
        if self.drip_s:
            self._drip(handler)
            return
        handler.send_response(self.status)
        for name, text in self.answer_headers.items():
            handler.send_header(name, text)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def _drip(self, handler: BaseHTTPRequestHandler) -> None:
        try:
            for byte in b"HTTP/1.1 204 No" + b" " * 10_000:
                handler.wfile.write(bytes([byte]))
                time.sleep(self.drip_s)
        except OSError:
            return
