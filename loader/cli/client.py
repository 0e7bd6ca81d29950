"""The hub's REST API as methods; every answer that is no success becomes one of our errors.

    with HubClient("http://127.0.0.1:8600") as client:
        load = client.put_file(stream, file_name="trips.csv", size=1_000, params={"region": "Turin"})

Raises: TransientError when the hub can't be reached or asks to come back; RequestError, NotFoundError, ConflictError or
FileFormatError for what the hub refuses; TerminalError for the rest.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO, Final, Self
from urllib.parse import urlencode

import urllib3

from shared.platform.errors import (
    QUESTION_FACTS,
    ConflictError,
    FileFormatError,
    NotFoundError,
    RequestError,
    TerminalError,
    TransientError,
    TripdeckError,
)

Json = dict[str, Any]
Params = Mapping[str, object]

_CONNECT_TIMEOUT_S: Final = 5.0
# Longer than the longest question (statement timeout 30 s) and than the store takes to join the parts of a large file.
_READ_TIMEOUT_S: Final = 180.0
_BLOCK_BYTES: Final = 256 * 1024
_CLASS_OF: Final[Mapping[int, type[TripdeckError]]] = {
    404: NotFoundError,
    409: ConflictError,
    422: FileFormatError,
    429: TransientError,
    502: TransientError,
    503: TransientError,
    504: TransientError,
}


class HubClient:
    """A connection to one hub."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        if not url.startswith(("http://", "https://")):
            raise RequestError(f"The hub's address begins with http:// or https://, unlike {url!r}.", parameter="api_url")
        self.url = url.rstrip("/")
        self.headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._pool = urllib3.PoolManager(
            blocksize=_BLOCK_BYTES,
            retries=False,
            timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=_READ_TIMEOUT_S),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.clear()

    def get(self, path: str, /, **params: object) -> Json:
        """Ask for JSON; parameters that are None are left out."""
        return self._send("GET", path, params=params)

    def post(self, path: str, *, body: bytes = b"", params: Params | None = None) -> Json:
        """Ask for a change, or for what the hub makes of a body."""
        return self._send("POST", path, params=params or {}, body=body)

    def put(self, path: str, document: Json) -> Json:
        """Ask for a change that a JSON document describes."""
        return self._send("PUT", path, params={}, body=json.dumps(document).encode())

    def post_for_file(self, path: str, *, body: bytes, params: Params) -> tuple[bytes, bool]:
        """Ask for a table as a file; returns it and whether it ends at a limit."""
        response = self._request("POST", path, params=params, body=body)
        if response.status >= 400:
            raise _make_error(response.status, response.data)
        return response.data, response.headers.get("Tripdeck-Truncated") == "true"

    def delete(self, path: str) -> None:
        """Ask for something to be dropped."""
        response = self._request("DELETE", path, params={})
        if response.status >= 400:
            raise _make_error(response.status, response.data)

    def put_file(
        self,
        stream: BinaryIO,
        *,
        file_name: str,
        size: int | None,
        params: Params,
        on_bytes: Callable[[int], None] | None = None,
    ) -> Json:
        """Send a file and ask for its load. Units: size in bytes, None when unknown; on_bytes hears of every block sent."""
        headers = {"Content-Type": "application/octet-stream"} | ({} if size is None else {"Content-Length": str(size)})
        body = _list_blocks(stream, size, on_bytes)
        return self._send("POST", "/api/v1/loads", params={**params, "file_name": file_name}, body=body, headers=headers)

    def open_text(self, path: str, /, **params: object) -> Iterator[bytes]:
        """Ask for a long answer as it is, block by block."""
        response = self._request("GET", path, params=params, preload_content=False)
        if response.status >= 400:
            raise _make_error(response.status, response.read())
        with _hub_errors(self.url):
            yield from response.stream(_BLOCK_BYTES)
        response.release_conn()

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Params,
        body: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        response = self._request(method, path, params=params, body=body, headers=headers)
        if response.status >= 400:
            raise _make_error(response.status, response.data)
        answer: Json = _parse(response.data)
        return answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Params,
        body: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        preload_content: bool = True,
    ) -> urllib3.BaseHTTPResponse:
        given = {
            name: str(value).lower() if isinstance(value, bool) else value for name, value in params.items() if value is not None
        }
        query = f"?{urlencode(given, doseq=True)}" if given else ""
        with _hub_errors(self.url):
            return self._pool.request(
                method,
                f"{self.url}{path}{query}",
                body=body,
                headers=self.headers | dict(headers or {}),
                preload_content=preload_content,
            )


def describe_unreachable(url: str) -> str:
    """What to say when nothing answers at the hub's address."""
    return f"The hub at {url} does not answer. Start it with `make up` or `tripdeck up`, or set TRIPDECK_API_URL."


@contextmanager
def _hub_errors(url: str) -> Iterator[None]:
    try:
        yield
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        raise TransientError(describe_unreachable(url), code="hub_unavailable") from error
    except urllib3.exceptions.ReadTimeoutError as error:
        message = f"The hub at {url} took the request but did not answer within {_READ_TIMEOUT_S:.0f} s."
        raise TransientError(message, code="hub_unavailable") from error
    except urllib3.exceptions.LocationParseError as error:
        raise RequestError(f"The hub's address {url!r} can't be read.", parameter="api_url") from error
    except urllib3.exceptions.HTTPError as error:
        raise TransientError(f"The connection to the hub at {url} broke: {_first_line(error)}", code="hub_unavailable") from error


def _list_blocks(stream: BinaryIO, size: int | None, on_bytes: Callable[[int], None] | None) -> Iterator[bytes]:
    """Read a stream; of a file exactly as much as was announced, for it may grow meanwhile."""
    left = size
    while block := stream.read(_BLOCK_BYTES if left is None else min(_BLOCK_BYTES, left)):
        yield block
        if left is not None:
            left -= len(block)
        if on_bytes:
            on_bytes(len(block))
    if left:
        raise RequestError(f"The file became {left} bytes shorter while it was read.", parameter="file")


def _parse(body: bytes) -> Json:
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise TerminalError("What answers is no hub: it does not speak JSON. Check TRIPDECK_API_URL.", code="no_hub") from error
    if not isinstance(answer, dict):
        raise TerminalError("What answers is no hub: its JSON is no object. Check TRIPDECK_API_URL.", code="no_hub")
    return answer


def _make_error(status: int, body: bytes) -> TripdeckError:
    try:
        error = json.loads(body)
        code, message = str(error["code"]), str(error["detail"])
    except (ValueError, KeyError, TypeError):
        return TerminalError(f"What answers is no hub: status {status} without a reason. Check TRIPDECK_API_URL.", code="no_hub")
    if status in (400, 405):
        return RequestError(message, parameter=error.get("parameter"))
    facts = {name: error[name] for name in QUESTION_FACTS if error.get(name)}
    return _CLASS_OF.get(status, TerminalError)(message, code=code, **facts)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
