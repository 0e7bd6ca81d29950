"""A real hub process for tests, and a small client that speaks to it over real sockets.

hub.get("/api/v1/loads").json()
with hub.follow("/ws/loads?last=0") as feed: feed.receive()
"""

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import psutil
import urllib3
import websocket

from infra.embedded import Program
from infra.environment import make_environment
from shared.platform.settings import Settings
from tests.services import Server

ROOT = Path(__file__).resolve().parents[1]
# Of a busy machine, on which a hub's first answer waits for its libraries.
_TIMEOUT_S = 90.0


@dataclass
class HubServer(Server):
    """A hub that a test may kill and start again on the same port."""

    settings: Settings
    pool: urllib3.PoolManager

    @classmethod
    def start(cls, settings: Settings, folder: Path, *, name: str = "hub") -> Self:
        """Start with these settings and wait until it answers."""
        url = f"http://127.0.0.1:{settings.hub_port}/healthz"
        pool = urllib3.PoolManager(retries=False, timeout=_TIMEOUT_S)

        def check() -> None:
            if pool.request("GET", url, timeout=2).status != 200:
                raise OSError("not yet")

        program = Program(
            name=name,
            command=(sys.executable, "-m", "loader.hub.main"),
            folder=ROOT,
            log_file=folder / f"{name}.log",
            check=check,
            check_errors=(OSError, urllib3.exceptions.HTTPError),
            environment=make_environment(settings),
        )
        return cls(program, settings.hub_port, settings, pool)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        super().kill()
        self.pool.clear()

    def stop(self) -> None:
        """Stop cleanly."""
        super().stop()
        self.pool.clear()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def rss_bytes(self) -> int:
        """Resident memory of the process."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def log(self) -> str:
        """What it has logged."""
        return self.program.log_file.read_text(encoding="utf-8")

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        **asked: object,
    ) -> urllib3.BaseHTTPResponse:
        """Send a request; a dict goes as JSON, None parameters are left out."""
        query = urlencode({name: value for name, value in asked.items() if value is not None}, doseq=True)
        data: Any = json.dumps(body).encode() if isinstance(body, dict) else body
        url = f"{self.url}{path}" + (f"?{query}" if query else "")
        return self.pool.request(method, url, body=data, headers=dict(headers or {}), redirect=False)

    def get(self, path: str, *, headers: Mapping[str, str] | None = None, **asked: object) -> urllib3.BaseHTTPResponse:
        """GET."""
        return self.ask("GET", path, headers=headers, **asked)

    def post(self, path: str, body: object = None, **asked: object) -> urllib3.BaseHTTPResponse:
        """POST."""
        return self.ask("POST", path, body=body, **asked)

    def put_file(self, file_name: str, data: object, **asked: object) -> urllib3.BaseHTTPResponse:
        """Send a file to load."""
        return self.ask("PUT", f"/api/v1/loads/{file_name}", body=data, **asked)

    @contextlib.contextmanager
    def follow(self, path: str = "/ws/loads", **options: Any) -> Iterator["FeedClient"]:
        """Follow the feed."""
        given = {"timeout": _TIMEOUT_S, "suppress_origin": "origin" not in options, **options}
        connection = websocket.create_connection(f"ws://127.0.0.1:{self.port}{path}", **given)
        try:
            yield FeedClient(connection)
        finally:
            connection.shutdown()


@dataclass
class FeedClient:
    """A client of the feed."""

    connection: "websocket.WebSocket"

    def receive(self) -> dict[str, Any]:
        """Wait for the next message."""
        message: dict[str, Any] = json.loads(self.connection.recv())
        return message

    def receive_to(self, position: int) -> list[dict[str, Any]]:
        """Wait for all messages up to a position."""
        messages = [self.receive()]
        while messages[-1]["position"] < position:
            messages.append(self.receive())
        return messages

    def receive_close(self) -> tuple[int, str]:
        """Wait until the hub closes; its code and reason."""
        while True:
            opcode, data = self.connection.recv_data(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(data[:2], "big"), data[2:].decode()


def read_error(response: urllib3.BaseHTTPResponse) -> tuple[int, str]:
    """Status and code of an error."""
    return response.status, response.json()["code"]
