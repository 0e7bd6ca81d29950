"""Files on web servers, read with care: a caller named the address, and this process can reach more than the caller may.

Only https, only addresses that are allowed, only hosts whose every IP address is public. The connection goes to the IP address
that was checked, so that a name can't change its mind in between (DNS rebinding); the certificate is checked against the name.
Each redirect is checked like the first address. No proxy, cookie or credential is used.
Source: OWASP SSRF Prevention Cheat Sheet; RFC 9110, conditional requests.
"""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

import urllib3

from shared.platform.errors import FileFormatError, RequestError, TerminalError, TransientError
from shared.platform.public_addresses import is_public, parse_ip_address
from shared.platform.settings import Settings
from shared.platform.source_address import SourceAddress, is_allowed, parse_address

_TIMEOUT: Final = urllib3.Timeout(connect=5, read=30)
_REDIRECTS: Final = 3
_REDIRECT_STATUS: Final = frozenset({301, 302, 303, 307, 308})
_CHUNK_BYTES: Final = 2**20
# Answers that pass by themselves.
_PASSING: Final = frozenset({408, 425, 429})
# Networks through which IPv6 reaches IPv4 addresses that would be refused: NAT64, 6to4, Teredo.


@dataclass(frozen=True)
class WebFile:
    """An answer whose body is being read. version: ETag, or date and size; "" where there is neither. length in bytes."""

    version: str
    length: int | None
    _response: urllib3.BaseHTTPResponse
    _limit_bytes: int
    _deadline: float

    def stream(self) -> Iterator[bytes]:
        """Yield the body. Raises: TransientError when it breaks off, FileFormatError when it is too large or too slow."""
        received = 0
        while chunk := self._read():
            received += len(chunk)
            _check_size(received, self._limit_bytes)
            if time.monotonic() > self._deadline:
                raise FileFormatError("The web server takes longer than TRIPDECK_SOURCE_TIMEOUT_S.", code="source_too_slow")
            yield chunk

    def _read(self) -> bytes:
        try:
            return self._response.read1(_CHUNK_BYTES)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(type(error).__name__) from error


@contextmanager
def open_web_file(address: SourceAddress, settings: Settings) -> Iterator[WebFile]:
    """Ask for a file, following redirects.

    Raises: RequestError for an address that is not allowed, TerminalError when the server refuses, TransientError when it can't
    be reached, FileFormatError when the file is too large.
    """
    deadline = time.monotonic() + settings.source_timeout_s
    for _ in range(_REDIRECTS + 1):
        check_allowed(address, settings)
        with closing(_request(address, settings)) as response:
            if response.status in _REDIRECT_STATUS:
                address = _follow(address, response.headers.get("Location", ""))
                continue
            _check_status(response.status, address)
            size = _read_length(response.headers.get("Content-Length"))
            _check_size(size or 0, settings.upload_limit_bytes)
            yield WebFile(_find_version(response), size, response, settings.upload_limit_bytes, deadline)
            return
    raise TerminalError(f"{address.host} redirects more than {_REDIRECTS} times.", code="source_refused")


def check_allowed(address: SourceAddress, settings: Settings) -> None:
    """Raises: RequestError for an address that TRIPDECK_SOURCE_ALLOW does not list, or in the product's own bucket."""
    if address.scheme == "s3" and address.place == settings.s3_bucket:
        raise RequestError(f"{address.place} is where Tripdeck keeps its own files; use another bucket.", parameter="address")
    if not is_allowed(address, settings.source_allow):
        listed = ", ".join(settings.source_allow) or "none"
        raise RequestError(
            f"{address} is not among the addresses that may be read ({listed}). Whoever runs Tripdeck adds it to "
            "TRIPDECK_SOURCE_ALLOW.",
            parameter="address",
        )


def find_public_addresses(host: str, port: int, *, is_private_allowed: bool) -> list[str]:
    """Look a host up. Raises: TerminalError when one of its IP addresses is not public, TransientError when it has none."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _unreachable(f"{host} has no IP address") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not is_private_allowed and not all(is_public(parse_ip_address(each)) for each in addresses):
        raise TerminalError(f"{host} has an IP address that is not public.", code="source_refused")
    return addresses


def _request(address: SourceAddress, settings: Settings) -> urllib3.BaseHTTPResponse:
    addresses = find_public_addresses(address.host, address.port, is_private_allowed=settings.source_private)
    reason = ""
    for ip in addresses:
        pool = urllib3.HTTPSConnectionPool(
            ip,
            address.port,
            timeout=_TIMEOUT,
            retries=False,
            ssl_context=ssl.create_default_context(),
            server_hostname=address.host.strip("[]"),
            assert_hostname=address.host.strip("[]"),
        )
        try:
            return pool.urlopen(
                "GET",
                address.path,
                headers={"Host": address.place, "Accept-Encoding": "identity", "User-Agent": "tripdeck"},
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            pool.close()
            reason = type(error).__name__
    raise _unreachable(reason)


def _follow(address: SourceAddress, location: str) -> SourceAddress:
    try:
        return parse_address(urljoin(str(address), location))
    except (RequestError, ValueError) as error:
        raise TerminalError(f"{address.host} redirects to an address that is not read.", code="source_refused") from error


def _check_status(status: int, address: SourceAddress) -> None:
    if status == 200:
        return
    if status >= 500 or status in _PASSING:
        raise _unreachable(f"status {status}")
    raise TerminalError(f"{address.host} answers with status {status}.", code="source_refused")


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise FileFormatError(f"The file is larger than {limit:,} bytes (TRIPDECK_UPLOAD_LIMIT_BYTES).", code="too_large")


def _read_length(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _find_version(response: urllib3.BaseHTTPResponse) -> str:
    if etag := response.headers.get("ETag"):
        return etag[:255]
    modified = response.headers.get("Last-Modified")
    return f"{modified} {response.headers.get('Content-Length', '')}"[:255] if modified else ""


def _unreachable(reason: str) -> TransientError:
    return TransientError(f"The web server can't be reached: {reason}.", code="source_unavailable")
