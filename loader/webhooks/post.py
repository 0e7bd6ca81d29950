"""One POST to an address that was checked: no redirect, no proxy, no body of the answer, and an end to it after a time."""

import contextlib
import http.client
import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping

from loader.webhooks.addresses import WebhookUrl
from shared.platform.errors import TransientError


def post(url: WebhookUrl, body: bytes, headers: Mapping[str, str], *, address: str, timeout_s: float) -> int:
    """Send the body to the address, as the URL's host, and return the status of the answer.

    timeout_s: for all of it, however slowly the receiver answers. Raises: TransientError when no answer came.
    """
    try:
        with contextlib.closing(socket.create_connection((address, url.port), timeout_s)) as plain, _deadline(plain, timeout_s):
            connection = http.client.HTTPConnection(url.host, url.port)
            connection.sock = _secure(plain, url.host) if url.scheme == "https" else plain
            with contextlib.closing(connection.sock):
                connection.request("POST", url.target, body=body, headers=dict(headers))
                return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        reason = type(error).__name__ if not isinstance(error, ssl.SSLError) else f"TLS: {error.reason}"
        raise TransientError(f"No answer from {url.host}:{url.port} ({reason}).", code="webhook_unavailable") from error


def _secure(plain: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


@contextlib.contextmanager
def _deadline(plain: socket.socket, timeout_s: float) -> Iterator[None]:
    """Shut the connection down after a time; timeouts of a socket begin anew with each byte."""
    with socket.socket(fileno=os.dup(plain.fileno())) as twin:  # TLS takes the socket over
        timer = threading.Timer(timeout_s, _shut_down, (twin,))
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _shut_down(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed by the receiver
        connection.shutdown(socket.SHUT_RDWR)
