"""Clients that hold on to what others need: silent, trickling and unread connections, on real sockets."""

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine
from websocket import WebSocketBadStatusException

from infra.embedded import find_free_ports
from shared.platform.settings import Settings
from shared.services.database import transaction
from tests.hub import HubServer
from tests.hub_fixtures import hub_engine, hub_settings
from tests.loading import wait_until

__all__ = ["hub_engine", "hub_settings"]

IDLE_S = 2.0
BODY_S = 2.0
# Of a busy machine: what takes longer hangs.
SOON_S = 8.0
CONNECTIONS = 20
FILE = b"a,b\n1,2\n"


@pytest.fixture(scope="module")
def hub(hub_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    [port] = find_free_ports(1)
    changes = {
        "hub_port": port,
        "api_url": f"http://127.0.0.1:{port}",
        "hub_idle_timeout_s": IDLE_S,
        "hub_body_timeout_s": BODY_S,
        "upload_slots": 2,
    }
    server = HubServer.start(hub_settings.model_copy(update=changes), tmp_path_factory.mktemp("hub"))
    assert server.put_file("warm.csv", FILE).status == 202
    yield server
    server.stop()


@contextlib.contextmanager
def connect(hub: HubServer, count: int, said: bytes) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        sockets = []
        for _ in range(count):
            sockets.append(stack.enter_context(socket.create_connection(("127.0.0.1", hub.port), timeout=30)))
            sockets[-1].sendall(said)
        yield sockets


def read_to_end(connection: socket.socket) -> bytes:
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(2**16):
            found += piece
    return found


def make_head(method: str, path: str, *, length: int = 100) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode()


def test_silent_uploads_hold_up_nobody(hub: HubServer) -> None:
    with connect(hub, 20, make_head("PUT", "/api/v1/loads/silent.csv")):
        begun = time.monotonic()
        assert hub.put_file("quick.csv", FILE).status == 202
        assert time.monotonic() - begun < BODY_S


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/loads/a.csv"),
        ("POST", "/api/v1/inspect?file_name=a.csv"),
        ("POST", "/api/v1/uploads"),
        ("GET", "/api/v1/loads"),
        ("POST", "/api/v1/loads/7/cancel"),
        ("DELETE", "/api/v1/readings/" + "0" * 32),
        ("GET", "/healthz"),
        ("OPTIONS", "/api/v1/loads"),
        ("GET", "/nothing"),
        ("GET", "/ws/loads"),
    ],
)
def test_a_body_that_never_comes_ends_the_request(hub: HubServer, method: str, path: str) -> None:
    begun = time.monotonic()
    with connect(hub, 1, make_head(method, path)) as [connection]:
        answer = read_to_end(connection)
    assert time.monotonic() - begun < BODY_S + SOON_S
    assert b" 200 " not in answer


def test_who_stops_in_the_middle_is_told_and_leaves_nothing(hub: HubServer, hub_engine: Engine) -> None:
    before = count_uploads(hub_engine)
    with connect(hub, 1, make_head("PUT", "/api/v1/loads/half.csv") + FILE) as [connection]:
        answer = read_to_end(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"too_slow" in answer
    wait_for_uploads(hub_engine, before)


@pytest.mark.parametrize("said", [b"", b"GET /api/v1/loads HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_a_head_must_come_in_time_however_it_trickles(hub: HubServer, said: bytes) -> None:
    begun = time.monotonic()
    with connect(hub, 1, said) as [connection]:
        with contextlib.suppress(OSError):
            while said and time.monotonic() - begun < 3 * IDLE_S:
                connection.sendall(b"x")
                time.sleep(0.2)
        assert read_to_end(connection) == b""
    assert time.monotonic() - begun < IDLE_S + SOON_S


def test_trickling_uploads_make_room_for_who_waits(hub: HubServer, hub_engine: Engine) -> None:
    before = count_uploads(hub_engine)
    with connect(hub, 2, make_head("PUT", "/api/v1/loads/trickle.csv", length=10**6) + FILE) as slow:
        wait_for_uploads(hub_engine, before + 2)
        waiting = socket.create_connection(("127.0.0.1", hub.port), timeout=60)
        waiting.sendall(make_head("PUT", "/api/v1/loads/quick.csv", length=len(FILE)) + FILE)
        begun = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - begun < 13:
                for connection in slow:
                    connection.sendall(b"1,2\n")
                time.sleep(0.5)
        with waiting:
            assert waiting.recv(12)[9:11] == b"20"
    wait_for_uploads(hub_engine, before + 1)


def test_many_silent_connections_leave_the_hub_quick(hub: HubServer) -> None:
    with connect(hub, 300, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"):
        begun = time.monotonic()
        assert hub.get("/healthz").status == 200
        assert time.monotonic() - begun < 1


def test_who_does_not_read_an_answer_is_cut_off(hub: HubServer) -> None:
    request = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", hub.port))
        deaf.sendall(request * 300)  # more than the kernel holds
        wait_until(lambda: read_unread(hub) > 0, what="an answer waits")
        wait_until(lambda: read_unread(hub) == 0, what="it is given up")
    assert hub.get("/healthz").status == 200


@pytest.fixture
def small_hub(hub_settings: Settings, tmp_path: Path) -> Iterator[HubServer]:
    """A hub that takes few connections."""
    [port] = find_free_ports(1)
    changes = {"hub_port": port, "api_url": f"http://127.0.0.1:{port}", "hub_connections": CONNECTIONS}
    server = HubServer.start(hub_settings.model_copy(update=changes), tmp_path, name="small")
    server.pool.clear()
    yield server
    server.stop()


def ask_once(hub: HubServer, path: str, *, method: str = "GET", body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    with connect(hub, 1, head.encode() + body) as [connection]:
        return read_to_end(connection)


def is_crowded(hub: HubServer) -> bool:
    return ask_once(hub, "/api/v1/loads").startswith(b"HTTP/1.1 503 ")


def test_beyond_the_limit_connections_get_503_and_health_is_told(small_hub: HubServer) -> None:
    with connect(small_hub, CONNECTIONS, b"GET /slow HTTP/1.1\r\n"):
        wait_until(lambda: is_crowded(small_hub), what="the hub is full")
        answer = ask_once(small_hub, "/api/v1/loads")
        assert b"\r\nRetry-After: 5\r\n" in answer
        assert b'"code": "busy"' in answer
        assert ask_once(small_hub, "/api/v1/loads", method="POST", body=FILE).startswith(b"HTTP/1.1 503 ")
        for path in ("/healthz", "/readyz", "/healthz?"):
            assert ask_once(small_hub, path).startswith(b"HTTP/1.1 200 "), path
        assert ask_once(small_hub, "/healthz/x").startswith(b"HTTP/1.1 503 ")
    wait_until(lambda: not is_crowded(small_hub), what="there is room again")
    found = re.search(r"^tripdeck_hub_refused_connections_total (\S+)$", ask_once(small_hub, "/metrics").decode(), re.MULTILINE)
    assert found
    assert float(found[1]) >= 7


def test_many_more_connections_than_the_limit_are_let_go(small_hub: HubServer) -> None:
    with connect(small_hub, 500, b"GET /slow HTTP/1.1\r\n") as crowd:
        wait_until(lambda: count_sockets(small_hub) <= CONNECTIONS, what="those beyond the limit are closed", timeout_s=30)
        assert ask_once(small_hub, "/healthz").startswith(b"HTTP/1.1 200 ")
        assert count_sockets(small_hub) >= CONNECTIONS - 1, "those that came first stay"
        assert len(crowd) == 500


def test_followers_of_the_feed_count(small_hub: HubServer) -> None:
    def follow(count: int) -> None:
        for _ in range(count):
            stack.enter_context(small_hub.follow()).receive()

    with contextlib.ExitStack() as stack:
        follow(CONNECTIONS - 1)
        # The pool of the first health check may hold the last one.
        with pytest.raises(WebSocketBadStatusException, match="503"):
            follow(2)
    wait_until(lambda: not is_crowded(small_hub), what="there is room again")


def count_sockets(hub: HubServer) -> int:
    """Connections of clients that the hub's process has open."""
    found = psutil.Process(hub.process.pid).net_connections(kind="tcp")
    return sum(each.status == psutil.CONN_ESTABLISHED and each.laddr.port == hub.port for each in found)


def read_unread(hub: HubServer) -> float:
    found = re.search(r"^tripdeck_hub_unread_bytes (\S+)$", hub.get("/metrics").data.decode(), re.MULTILINE)
    assert found
    return float(found[1])


def count_uploads(engine: Engine) -> int:
    with transaction(engine) as connection:
        return int(connection.exec_driver_sql("select count(*) from upload").scalar_one())


def wait_for_uploads(engine: Engine, count: int) -> None:
    wait_until(lambda: count_uploads(engine) == count, what=f"there are {count} uploads")
