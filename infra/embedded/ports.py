"""Ports of 127.0.0.1: is one taken, and which are free."""

import random
import socket
from typing import Final

# Below the ports that systems hand to outgoing connections (from 32768 on Linux), so that none of those gets in between.
_LOWEST: Final = 15_000
_HIGHEST: Final = 29_999


def is_port_taken(port: int, host: str = "127.0.0.1") -> bool:
    """Say whether something listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def find_free_ports(count: int, *, step: int = 0) -> list[int]:
    """Choose free ports at random; with a step, port + step is free as well."""
    chooser = random.SystemRandom()
    found: set[int] = set()
    while len(found) < count:
        port = chooser.randint(_LOWEST, _HIGHEST)
        if not is_port_taken(port) and not (step and is_port_taken(port + step)):
            found.add(port)
    return sorted(found)
