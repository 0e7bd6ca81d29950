"""Addresses of webhooks: which may be reached. A message must not become a request to what only this machine can reach (SSRF).

Public addresses are reached by https alone. Private, loopback and link-local ones, among them the metadata services of clouds,
are refused unless TRIPDECK_WEBHOOK_PRIVATE_HOSTS names the host or its network. The name is resolved here, and the connection
goes to the address that was checked: a name that is resolved anew could lead elsewhere (DNS rebinding).
"""

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from shared.platform.errors import RequestError, SettingsError, TransientError
from shared.platform.public_addresses import IpAddress, is_public, parse_ip_address

_MAX_URL_CHARACTERS: Final = 2_000
_PORTS: Final = {"http": 80, "https": 443}

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class WebhookUrl:
    """Parts of a URL. target: path and query."""

    scheme: str
    host: str
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class PrivateHosts:
    """Hosts and networks that may be reached although they are private, and by http."""

    hosts: frozenset[str] = frozenset()
    networks: Sequence[IpNetwork] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> "PrivateHosts":
        """Read the setting: host names, addresses and networks. Raises: SettingsError."""
        hosts, networks = set(), []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError as error:
                if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", entry) or re.fullmatch(r"[0-9.]+", entry):
                    message = f"TRIPDECK_WEBHOOK_PRIVATE_HOSTS: {entry!r} is no host name, address or network ({error})."
                    raise SettingsError(message) from error
                hosts.add(entry.lower())
        return cls(frozenset(hosts), tuple(networks))

    def include(self, host: str, address: IpAddress) -> bool:
        """Whether the host is one of them by its name or its address."""
        return host in self.hosts or any(address in network for network in self.networks if network.version == address.version)


def parse_url(text: str) -> WebhookUrl:
    """Read a webhook's URL. Raises: RequestError for one that is no http(s) URL, or holds a user, a fragment or a blank."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _refuse(f"The URL can't be read: {error}.") from error
    if len(text) > _MAX_URL_CHARACTERS or not re.fullmatch(r"[\x21-\x7e]+", text):
        raise _refuse(f"A webhook's URL has at most {_MAX_URL_CHARACTERS} ASCII characters without blanks.")
    if parts.scheme not in _PORTS or not parts.hostname:
        raise _refuse("A webhook's URL begins with https:// and a host.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _refuse("A webhook's URL holds no user, password or fragment; its messages are signed.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebhookUrl(parts.scheme, parts.hostname.rstrip("."), port or _PORTS[parts.scheme], target)


def resolve_host(url: WebhookUrl, private: PrivateHosts) -> str:
    """Resolve the host, and return an address that may be reached.

    Raises: TransientError when the name has no address; RequestError when one of its addresses may not be reached.
    """
    try:
        found = socket.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TransientError(f"The host {url.host} has no address.", code="host_unknown") from error
    addresses = [str(each[4][0]) for each in found]
    for text in addresses:
        address = parse_ip_address(text)
        if private.include(url.host, address):
            continue
        if not is_public(address):
            raise _refuse(
                f"The host {url.host} has the address {address}, which is not public. TRIPDECK_WEBHOOK_PRIVATE_HOSTS lists the "
                "private hosts and networks that webhooks may reach."
            )
        if url.scheme != "https":
            raise _refuse("Public hosts are reached by https only.")
    return addresses[0]


def _refuse(message: str) -> RequestError:
    return RequestError(message, parameter="url")
