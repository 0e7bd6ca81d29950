"""Ports of 127.0.0.1: is one taken, and which are free.

Between the choice of a port and the server that listens there lie seconds, in which another process may choose the same: two of
fifteen servers that start at once do in one start of fifty. So a chosen port stays reserved by a file lock of this process.
"""

import fcntl
import os
import random
import socket
import tempfile
from collections import deque
from pathlib import Path
from typing import Final

# Below the ports that systems hand to outgoing connections (from 32768 on Linux), so that none of those gets in between.
# Those that a server takes for itself lie apart from those of the servers, which may be chosen and not be listened to yet.
_PORTS: Final = range(15_000, 20_000)
_INNER_PORTS: Final = range(20_000, 30_000)
_OUTGOING: Final = 32_768
# A start takes twelve; tests choose thousands, most of which nobody ever listens to.
_RESERVED: Final = 64
_reservations: deque[int] = deque()


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
        if not is_port_taken(port) and not (step and is_port_taken(port + step)) and _reserve(port):
            found.add(port)
    return sorted(found)


def _reserve(port: int) -> bool:
    """Lock the port's file; this process keeps its last _RESERVED locks. False where another process holds it."""
    folder = Path(tempfile.gettempdir()) / f"tripdeck-ports-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder / str(port), os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:  # a folder that is somebody else's, or a full disk: then chance has to do
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    _reservations.append(lock)
    if len(_reservations) > _RESERVED:
        os.close(_reservations.popleft())
    return True
