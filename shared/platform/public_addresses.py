"""Public IP addresses: what a request that somebody else caused may reach (SSRF).

Source: IANA's special-purpose address registries, as the standard library knows them; RFC 6052 and 3056 for translation.
"""

import ipaddress
from typing import Final

# Where a local translator sends these packets is not known here.
_LOCAL_NAT64: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_ip_address(text: str) -> IpAddress:
    """Read an address; the zone of a link-local one does not matter. Raises: ValueError."""
    return ipaddress.ip_address(text.partition("%")[0])


def is_public(address: IpAddress) -> bool:
    """Whether an address is one of the public internet; where it stands for an IPv4 address, whether that one is."""
    embedded = _find_embedded(address)
    if embedded is not None:
        return is_public(embedded)
    return address.is_global and not address.is_multicast and address not in _LOCAL_NAT64


def _find_embedded(address: IpAddress) -> ipaddress.IPv4Address | None:
    """The IPv4 address that packets to an IPv6 address are translated or tunnelled to."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
