"""Addresses of sources: `s3://bucket/prefix` and `https://host/path`, and the list of those that may be read.

    address = parse_address("s3://drops/bikes/2024/")
    is_allowed(address, ("s3://drops/bikes/",))

The list is what keeps a caller of the hub from the rest of what the workers can reach: an address is read only when it lies
under an entry, and so is each address that a web server redirects to.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from shared.platform.errors import RequestError
from shared.platform.safe_text import escape_controls

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
# S3's limit of a key. Units: bytes of UTF-8.
_KEY_BYTES: Final = 1024
_URL_CHARACTERS: Final = 2048
# Parameters that make whoever knows an address its owner: it would be stored, listed and logged.
_SECRETS: Final = re.compile(r"(?i)(^|&)(x-amz-(signature|credential|security-token)|signature|sig|access_token|token|api_?key)=")


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """An address, in parts. place: the bucket, or host and port; path: the key or prefix, or path and query with its slash."""

    scheme: Literal["s3", "https"]
    place: str
    path: str

    def __str__(self) -> str:
        return f"s3://{self.place}/{self.path}" if self.scheme == "s3" else f"https://{self.place}{self.path}"

    @property
    def host(self) -> str:
        """Return the host's name without a port."""
        return self.place.rpartition(":")[0] if re.search(r":\d+$", self.place) else self.place

    @property
    def port(self) -> int:
        """Return the port of a web address."""
        found = re.search(r":(\d+)$", self.place)
        return int(found[1]) if found else 443

    @property
    def file_name(self) -> str:
        """Return the last part of the path, as a name for people."""
        path = self.path if self.scheme == "s3" else unquote(self.path.partition("?")[0])
        return escape_controls(path.rstrip("/").rpartition("/")[2]).replace("\\", "_")[:255] or self.place


def parse_address(text: str) -> SourceAddress:
    """Parse an address. Raises: RequestError naming the parameter address."""
    if any(ord(sign) < 32 or ord(sign) == 127 or 0xD800 <= ord(sign) < 0xE000 for sign in text):
        raise _refuse("An address has no control characters.")
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() == "s3":
        return _parse_s3(rest)
    if separator and scheme.lower() == "https":
        return _parse_https(text)
    raise _refuse("A source is an address such as s3://bucket/prefix/ or https://host/file.csv.")


def is_allowed(address: SourceAddress, allowed: Iterable[str]) -> bool:
    """Return whether an address lies under an entry of the list, at the border of a folder. Raises: RequestError for the list."""
    return any(_lies_under(address, parse_address(entry)) for entry in allowed)


def _lies_under(address: SourceAddress, entry: SourceAddress) -> bool:
    if (address.scheme, address.place) != (entry.scheme, entry.place):
        return False
    path = address.path.partition("?")[0] if address.scheme == "https" else address.path
    folder = entry.path if entry.path.endswith("/") or not entry.path else f"{entry.path}/"
    return path == entry.path or path.startswith(folder)


def _parse_s3(rest: str) -> SourceAddress:
    bucket, _, key = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise _refuse(f"{bucket!r} is no bucket's name.")
    if len(key.encode()) > _KEY_BYTES:
        raise _refuse(f"A key has {_KEY_BYTES:,} bytes at most.")
    return SourceAddress("s3", bucket, key)


def _parse_https(text: str) -> SourceAddress:
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").rstrip("."), parts.port or 443
    except ValueError as error:
        raise _refuse(f"This is no web address: {error}.") from error
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise _refuse("An address holds no user name or password: it is stored and listed.")
    host = f"[{host}]" if ":" in host else _encode_host(host)
    path = parts.path or "/"
    if not _HOST.fullmatch(host) or len(text) > _URL_CHARACTERS or not text.isascii():
        raise _refuse("A web address has a host and a path in ASCII, percent-encoded, of 2,048 characters at most.")
    if "\\" in unquote(path) or any(part in (".", "..") for part in unquote(path).split("/")):
        raise _refuse("The path of an address has no . or .. in it.")
    if _SECRETS.search(parts.query):
        raise _refuse("An address holds no signature, key or token: it is stored and listed.")
    place = host if port == 443 else f"{host}:{port}"
    return SourceAddress("https", place, f"{path}?{parts.query}" if parts.query else path)


def _encode_host(host: str) -> str:
    try:
        return host.encode("idna").decode() if host else ""
    except UnicodeError as error:
        raise _refuse(f"{host!r} is no host's name.") from error


def _refuse(message: str) -> RequestError:
    return RequestError(message, parameter="address")
