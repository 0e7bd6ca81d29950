"""A TCP proxy on loopback whose connections a test can cut, shorten or hold, to stand between a process and a server."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """limit_bytes: how much of the server's answers passes before connections are cut; None is all. is_held: nothing passes.
    trigger: bytes of a request that don't pass; is_triggered: they came, and nothing has passed since.
    """

    target_port: int
    limit_bytes: int | None = None
    is_held: threading.Event = field(default_factory=threading.Event)
    trigger: bytes | None = None
    is_triggered: threading.Event = field(default_factory=threading.Event)
    cuts: int = 0
    _listener: socket.socket = field(init=False)
    _open: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def cut(self) -> None:
        """Reset every open connection."""
        for end in self._open:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                end.close()
        self._open.clear()

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target_port))
            self._open += [client, server]
            threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if not is_answer and self.trigger is not None and self.trigger in data:
                    self.is_triggered.set()
                    self.is_held.set()
                while self.is_held.is_set():
                    threading.Event().wait(0.01)
                if is_answer and self.limit_bytes is not None:
                    self.limit_bytes -= len(data)
                    if self.limit_bytes < 0:
                        self.limit_bytes = None
                        self.cuts += 1
                        break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextlib.contextmanager
def running_proxy(target_port: int) -> Iterator[Proxy]:
    """A proxy for the length of a block."""
    proxy = Proxy(target_port)
    try:
        yield proxy
    finally:
        proxy.close()
