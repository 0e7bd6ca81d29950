"""Numbers that no program means: thousands of digits, signs, other scripts, in whatever a request says."""

import socket

import pytest

from tests.hub import HubServer
from tests.hub_fixtures import hub, hub_settings

__all__ = ["hub", "hub_settings"]

LONG = "9" * 5000
NUMBERS = [LONG, "9" * 30, "-1", "1e400", "nan", "0x10", "1\x00"]
# Some are numbers to some readers; none may break one.
ODD = ["\u0663", "1_0", "", " ", "+5", "05", "1.0"]
PLACES = [
    ("/api/v1/loads", "limit"),
    ("/api/v1/loads", "before"),
    ("/api/v1/loads/1/rejects", "after"),
    ("/api/v1/events", "last"),
    ("/api/v1/weekly-average", "hour_from"),
    ("/api/v1/weekly-average", "bbox"),
    ("/api/v1/weekly-average", "from"),
    ("/api/v1/weekly-average", "weekdays"),
    ("/api/v1/trip-groups", "limit"),
    ("/api/v1/trip-groups", "after"),
    ("/api/v1/trip-groups", "precision"),
    ("/api/v1/trip-groups", "bucket_minutes"),
    ("/api/v1/flows", "viewport"),
    ("/api/v1/questions/busiest_hours", "limit"),
]


def send(hub: HubServer, head: str) -> bytes:
    with socket.create_connection(("127.0.0.1", hub.port), timeout=30) as connection:
        connection.sendall(f"{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return connection.recv(2**16)


@pytest.mark.parametrize(("path", "name"), PLACES)
def test_numbers_of_parameters(hub: HubServer, path: str, name: str) -> None:
    assert {number: status for number in NUMBERS if (status := hub.get(path, **{name: number}).status) not in (400, 404)} == {}


@pytest.mark.parametrize(("path", "name"), [place for place in PLACES if place[1] != "last"])
def test_odd_numbers_of_parameters(hub: HubServer, path: str, name: str) -> None:
    assert {number: status for number in ODD if (status := hub.get(path, **{name: number}).status) >= 500} == {}


@pytest.mark.parametrize("path", [f"/api/v1/loads/{LONG}", f"/api/v1/loads/{LONG}/rejects", f"/api/v1/uploads/{LONG}"])
def test_numbers_of_paths(hub: HubServer, path: str) -> None:
    assert hub.get(path).status == 400


@pytest.mark.parametrize("number", [number for number in NUMBERS if number.isascii() and number.isprintable() and number.strip()])
def test_last_event_id(hub: HubServer, number: str) -> None:
    answer = hub.get("/api/v1/events", headers={"Last-Event-ID": number})
    assert (answer.status, answer.json()["parameter"]) == (400, "Last-Event-ID")


@pytest.mark.parametrize("number", [LONG, "9" * 30, "-1", "1e3", "0x10", "1_0"])
@pytest.mark.parametrize(
    "line", ["PUT /api/v1/loads/a.csv", "POST /api/v1/uploads", "GET /api/v1/loads", "POST /api/v1/inspect?file_name=a"]
)
def test_content_length(hub: HubServer, line: str, number: str) -> None:
    answer = send(hub, f"{line} HTTP/1.1\r\nContent-Length: {number}")
    assert answer.split(b" ")[1] in (b"400", b"413")


@pytest.mark.parametrize("name", ["Range", "If-None-Match", "Content-Type", "Accept", "Idempotency-Key", "Prefer", "Expect"])
def test_other_headers_of_many_digits(hub: HubServer, name: str) -> None:
    assert int(send(hub, f"GET /api/v1/loads HTTP/1.1\r\n{name}: {LONG}").split(b" ")[1]) < 500


def test_parts_of_a_file(hub: HubServer) -> None:
    for part in (f"{LONG}:1", f"1:{LONG}", "0:0", "5:1", "\u0663:1"):
        assert hub.post("/api/v1/inspect", b"PAR1", file_name="a.parquet", part=part, bytes=100).status in (400, 422), part
    assert hub.post("/api/v1/inspect", b"PAR1", file_name="a.parquet", part="0:4", bytes=LONG).status == 400


def test_numbers_of_bodies(hub: HubServer) -> None:
    for body in (f'{{"file_name": "a.csv", "bytes": {LONG}}}', f'{{"file_name": "a.csv", "bytes": "{LONG}"}}', "[" * 5000):
        assert hub.post("/api/v1/uploads", body.encode()).status == 400


def test_the_log_holds_no_failure(hub: HubServer) -> None:
    assert "Traceback" not in hub.log()
