"""The command line's client against real sockets that answer what no good hub answers."""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loader.cli.client import HubClient
from loader.cli.files import find_file
from loader.cli.load import exit_status, make_document
from loader.cli.questions import parse_hours
from loader.cli.session import exit_status as status_of
from shared.platform.errors import (
    ConflictError,
    FileFormatError,
    NotFoundError,
    RequestError,
    SettingsError,
    TerminalError,
    TransientError,
)

Answer = Callable[[socket.socket], None]


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """A server that takes one connection; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


def reply(status: str, body: bytes) -> Answer:
    """Take the beginning of the request and answer."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65_536)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)

    return answer


def error_body(code: str, message: str) -> bytes:
    return f'{{"code": "{code}", "detail": "{message}", "parameter": "bbox"}}'.encode()


@pytest.mark.parametrize(
    ("status", "code", "kind", "exit_code"),
    [
        ("400 Bad Request", "bad_request", RequestError, 2),
        ("404 Not Found", "not_found", NotFoundError, 2),
        ("409 Conflict", "conflict", ConflictError, 1),
        ("401 Unauthorized", "unauthorized", TerminalError, 1),
        ("413 Content Too Large", "too_large", TerminalError, 1),
        ("422 Unprocessable", "bad_file", FileFormatError, 1),
        ("503 Service Unavailable", "query_timeout", TransientError, 1),
    ],
)
def test_status_becomes_an_error_with_the_hubs_words(status: str, code: str, kind: type[TerminalError], exit_code: int) -> None:
    with answering(reply(status, error_body(code, "Say no."))) as url, HubClient(url) as client, pytest.raises(kind) as caught:
        client.get("/api/v1/regions")
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.error_code) == ("Say no.", code)
    assert caught.value.facts["parameter"] == "bbox"
    assert status_of(caught.value) == exit_code


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"[1]", b""])
def test_what_is_no_hub_is_called_so(body: bytes) -> None:
    for status in ("200 OK", "502 Bad Gateway"):
        with answering(reply(status, body)) as url, HubClient(url) as client, pytest.raises(TerminalError, match="no hub"):
            client.get("/api/v1/regions")


def test_nobody_there_and_a_cut_connection_are_transient() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with HubClient(f"http://127.0.0.1:{port}") as client, pytest.raises(TransientError, match="does not answer"):
        client.get("/api/v1/regions")
    with answering(lambda _: None) as url, HubClient(url) as client, pytest.raises(TransientError, match="broke"):
        client.get("/api/v1/regions")


def test_refusal_before_the_end_of_an_upload_is_heard() -> None:
    refuse = reply("413 Content Too Large", error_body("too_large", "Too large."))
    with answering(refuse) as url, HubClient(url) as client, pytest.raises(TerminalError, match=r"Too large\.|broke"):
        client.put_file(io.BytesIO(bytes(8 * 2**20)), file_name="trips.csv", size=8 * 2**20, params={})


@pytest.mark.parametrize("size", [None, 300_000])
def test_file_goes_out_whole_and_counted(size: int | None) -> None:
    data = b"x" * 299_995 + b"end\r\n"
    received = bytearray()

    def answer(connection: socket.socket) -> None:
        while not received.endswith(b"\r\n0\r\n\r\n" if size is None else b"end\r\n"):
            received.extend(connection.recv(65_536))
        body = b'{"load_id": 3}'
        connection.sendall(b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    counts: list[int] = []
    with answering(answer) as url, HubClient(url, token="secret") as client:
        stream = io.BytesIO(data)
        params = {"region": "New York", "map": ["started_at=a b", "origin=c"], "decimal": None}
        load = client.put_file(stream, file_name="trips 1/2.csv", size=size, params=params, on_bytes=counts.append)
    assert load == {"load_id": 3}
    assert sum(counts) == len(data)
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert head.startswith(
        b"POST /api/v1/loads?region=New+York&map=started_at%3Da+b&map=origin%3Dc&file_name=trips+1%2F2.csv HTTP/1.1\r\n"
    )
    assert b"\r\nAuthorization: Bearer secret\r\n" in head
    if size is None:
        assert b"\r\nTransfer-Encoding: chunked\r\n" in head + b"\r\n"
    else:
        assert body == data


def test_file_that_shrinks_while_it_is_read_is_not_taken_for_whole() -> None:
    stream = io.BytesIO(b"x" * 90)
    shrunk = pytest.raises(RequestError, match="10 bytes shorter")
    with answering(lambda connection: connection.recv(65_536) and None) as url, HubClient(url) as client, shrunk:
        client.put_file(stream, file_name="trips.csv", size=100, params={})


def test_address_that_is_none_is_refused() -> None:
    with pytest.raises(RequestError, match="http"):
        HubClient("127.0.0.1:8600")


def test_file_arguments(tmp_path: Path) -> None:
    path = tmp_path / "trips.csv"
    path.write_text("x", encoding="utf-8")
    found = find_file(str(path))
    assert (found.name, found.size) == ("trips.csv", 1)
    assert find_file(str(path), name="other.csv").name == "other.csv"
    assert find_file("-", name="piped.csv").size is None
    for argument, words in ((f"{path}.gone", "no file"), (str(tmp_path), "folder"), ("-", "--name")):
        with pytest.raises(RequestError, match=words):
            find_file(argument)


def test_hours() -> None:
    assert parse_hours(None) == {}
    assert parse_hours("22-6") == {"hour_from": 22, "hour_to": 6}
    with pytest.raises(RequestError, match="A-B"):
        parse_hours("8")


def test_document_of_a_load() -> None:
    load = dict.fromkeys(("load_id", "rows_read", "rows_loaded", "rows_rejected"), 1)
    failed = make_document({**load, "state": "failed", "file_name": "f", "error_code": "bad_file", "error_message": "No."})
    assert failed["error"] == {"code": "bad_file", "message": "No."}
    assert failed["rejects"] == {}
    question = {"parameter": "date_order", "choices": [{"label": "Day first", "options": {"date_order": "dmy"}}], "columns": None}
    asking = make_document(
        {**load, "state": "failed", "file_name": "f", "error_code": "x", "error_message": "?", "question": question}
    )
    assert asking["error"] == {"code": "x", "message": "?", "parameter": "date_order", "choices": question["choices"]}
    assert exit_status([failed]) == 1
    assert exit_status([{**failed, "state": "succeeded"}, {**failed, "state": "queued"}]) == 0
    assert status_of(SettingsError("No.")) == 2
