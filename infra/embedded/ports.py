"""Ports of 127.0.0.1: is one taken, and which are free."""

import random
import socket
from typing import Final

# Below the ports that systems hand to outgoing connections (from 32768 on Linux), so that none of those gets in between.
# Those that a server takes for itself lie apart from those of the servers, which may be chosen and not be listened to yet.
_PORTS: Final = range(15_000, 20_000)
_INNER_PORTS: Final = range(20_000, 30_000)
_OUTGOING: Final = 32_768


def is_port_taken(port: int, host: str = "127.0.0.1") -> bool:
    """Say whether something listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def find_free_ports(count: int, *, is_inner: bool = False, step: int = 0) -> list[int]:
    """Choose free ports at random; is_inner: for a server's own use. With a step, port + step is free as well."""
    chooser = random.SystemRandom()
    choices = [port for port in (_INNER_PORTS if is_inner else _PORTS) if port + step < _OUTGOING]
    found: set[int] = set()
    while len(found) < count:
        port = chooser.choice(choices)
        if not is_port_taken(port) and not (step and is_port_taken(port + step)):
            found.add(port)
    return sorted(found)
