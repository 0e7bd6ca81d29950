"""Files on web servers: what is read, what is not, and what no address may reach."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loader.pipeline.context import Context
from shared.platform.errors import FileFormatError, RequestError, TerminalError, TransientError, TripdeckError
from shared.platform.settings import Settings
from shared.platform.source_address import parse_address
from shared.services.web_files import find_public_addresses, open_web_file
from tests.integration.test_sources import OTHER_HEADER, OTHER_ROW, add, rows, run
from tests.loading import change, run_load
from tests.web_server import Page, WebServer, running_web_server


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    with running_web_server(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        yield server


@pytest.fixture
def reading(context: Context, web: WebServer) -> Context:
    return change(context, source_allow=(f"{web.url}/data/",), source_private=True)


def read(address: str, settings: Settings) -> bytes:
    with open_web_file(parse_address(address), settings) as found:
        return b"".join(found.stream())


def refuse(address: str, settings: Settings) -> TripdeckError:
    with pytest.raises(TripdeckError) as caught:
        read(address, settings)
    return caught.value


def test_a_file_is_loaded_again_when_its_version_changes(reading: Context, web: WebServer) -> None:
    web.pages["/data/trips%201.csv?x=1"] = Page(rows(1), headers={"ETag": '"one"'})
    source_id = add(reading, f"{web.url}/data/trips%201.csv?x=1")
    (found,) = run(reading, source_id)
    assert (found["state"], found["etag"]) == ("loaded", '"one"')
    load = run_load(reading, found["load_id"])
    assert (load["state"], load["file_name"]) == ("succeeded", "trips 1.csv")
    assert len(run(reading, source_id)) == 1
    web.pages["/data/trips%201.csv?x=1"] = Page(rows(2), headers={"Last-Modified": "Tue, 19 Mar 2024 08:12:00 GMT"})
    assert [one["state"] for one in run(reading, source_id)] == ["loaded", "loaded"]
    web.pages["/data/trips%201.csv?x=1"] = Page(OTHER_HEADER + OTHER_ROW, headers={"ETag": '"three"'})
    assert run(reading, source_id)[-1]["error_code"] == "header_changed"
    assert all("Authorization" not in headers and "Cookie" not in headers for _, headers in web.requests)


def test_without_a_version_a_file_is_read_once_only(reading: Context, web: WebServer) -> None:
    web.pages["/data/a.csv"] = Page(rows(1), headers={"Content-Length": ""})
    watched = add(reading, f"{web.url}/data/a.csv")
    assert run(reading, watched) == []
    once = add(reading, f"{web.url}/data/a.csv", is_watched=False)
    assert [one["state"] for one in run(reading, once)] == ["loaded"]


def test_redirects_are_followed_where_they_may(reading: Context, web: WebServer) -> None:
    web.pages["/data/a"] = Page(status=302, headers={"Location": "/data/b"})
    web.pages["/data/b"] = Page(b"trips")
    assert read(f"{web.url}/data/a", reading.settings) == b"trips"


@pytest.mark.parametrize(
    "location",
    [
        "/admin",
        "/data/../admin",
        "http://localhost/data/b",
        "https://169.254.169.254/latest/meta-data/",
        "https://metadata.google.internal/",
        "file:///etc/passwd",
        "s3://tripdeck/files/",
        "//evil.example/data/b",
        "https://user:secret@localhost/data/b",
        "",
        "/data/loop",
    ],
)
def test_redirects_elsewhere_are_not_followed(reading: Context, web: WebServer, location: str) -> None:
    web.pages["/data/loop"] = Page(status=307, headers={"Location": location})
    web.pages["/admin"] = Page(b"secret")
    error = refuse(f"{web.url}/data/loop", reading.settings)
    assert isinstance(error, (TerminalError, RequestError))
    assert {path for path, _ in web.requests} == {"/data/loop"}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "0.0.0.0", "2130706433", "0x7f.1"])
def test_hosts_inside_are_not_reached(settings: Settings, web: WebServer, host: str) -> None:
    """However the address is written, and though an entry of the list names it."""
    inside = settings.model_copy(update={"source_allow": (f"https://{host}:{web.port}/",)})
    error = refuse(f"https://{host}:{web.port}/data/a", inside)
    assert error.error_code in ("source_refused", "source_unavailable")
    assert web.requests == []


def test_a_name_with_one_inner_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> list[Any]:
        return [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    with pytest.raises(TerminalError):
        find_public_addresses("data.example.org", 443, is_private_allowed=False)


def test_the_certificate_must_be_the_name_s(reading: Context, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    web.pages["/data/a"] = Page(b"trips")
    assert read(f"{web.url}/data/a", reading.settings) == b"trips"
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", web.port))])
    other = reading.settings.model_copy(update={"source_allow": (f"https://other.example:{web.port}/",)})
    assert isinstance(refuse(f"https://other.example:{web.port}/data/a", other), TransientError)
    monkeypatch.delenv("SSL_CERT_FILE")
    assert isinstance(refuse(f"{web.url}/data/a", reading.settings), TransientError)


@pytest.mark.parametrize(
    ("page", "kind", "code"),
    [
        (Page(status=404), TerminalError, "source_refused"),
        (Page(status=401), TerminalError, "source_refused"),
        (Page(status=206, body=b"half"), TerminalError, "source_refused"),
        (Page(status=503), TransientError, "source_unavailable"),
        (Page(status=429), TransientError, "source_unavailable"),
        (Page(b"x" * 2000), FileFormatError, "too_large"),
        (Page(b"x" * 2000, headers={"Content-Length": ""}), FileFormatError, "too_large"),
        (Page(b"x" * 900, sent=100), TransientError, "source_unavailable"),
    ],
)
def test_answers_that_are_no_file(reading: Context, web: WebServer, page: Page, kind: type[TripdeckError], code: str) -> None:
    web.pages["/data/a"] = page
    small = reading.settings.model_copy(update={"upload_limit_bytes": 1000})
    error = refuse(f"{web.url}/data/a", small)
    assert (type(error), error.error_code) == (kind, code)


def test_a_file_that_takes_too_long_is_given_up(reading: Context, web: WebServer) -> None:
    web.pages["/data/a"] = Page(b"trips")
    hurried = reading.settings.model_copy(update={"source_timeout_s": 0.0})
    assert refuse(f"{web.url}/data/a", hurried).error_code == "source_too_slow"


def test_a_body_that_breaks_off_is_tried_again_and_leaves_nothing(reading: Context, web: WebServer) -> None:
    web.pages["/data/a.csv"] = Page(rows(1), headers={"ETag": '"one"'}, sent=50)
    source_id = add(reading, f"{web.url}/data/a.csv")
    for attempt in range(1, reading.settings.batch_attempts):
        (found,) = run(reading, source_id)
        assert (found["state"], found["attempts"], found["error_code"]) == ("found", attempt, "source_unavailable")
    assert run(reading, source_id)[0]["state"] == "failed"
    web.pages["/data/a.csv"].sent = None
    with_retry = add(reading, f"{web.url}/data/a.csv")
    assert run(reading, with_retry)[0]["state"] == "loaded"
