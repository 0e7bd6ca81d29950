"""Messages over TLS: to a receiver whose certificate is trusted and names its host, and to no other."""

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from loader.webhooks.addresses import parse_url
from loader.webhooks.post import post
from shared.platform.errors import TransientError

HOST = "hooks.example"
ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of HOST, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "receiver.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        made.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    """A receiver over TLS on loopback, which answers every request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        is_over = threading.Event()
        thread = threading.Thread(target=answer, args=(listener, context, is_over))
        thread.start()
        yield listener.getsockname()[1]
        is_over.set()
        thread.join()


def answer(listener: socket.socket, context: ssl.SSLContext, is_over: threading.Event) -> None:
    while not is_over.is_set():
        try:
            plain, _ = listener.accept()
        except TimeoutError:
            continue
        plain.settimeout(5)
        with plain:
            try:
                with context.wrap_socket(plain, server_side=True) as secure:
                    if secure.recv(65_536).startswith(b"POST /hook HTTP/1.1\r\nHost: "):
                        secure.sendall(ANSWER)
            except OSError:  # the client has no trust
                continue


def send(port: int, host: str = HOST) -> int:
    return post(parse_url(f"https://{host}:{port}/hook"), b"{}", {}, address="127.0.0.1", timeout_s=5)


def test_a_certificate_of_the_host_is_accepted(port: int, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert send(port) == 204


def test_a_certificate_that_nobody_vouches_for_is_refused(port: int) -> None:
    with pytest.raises(TransientError, match=r"No answer from hooks\.example:\d+ \(TLS: CERTIFICATE_VERIFY_FAILED\)"):
        send(port)


def test_a_certificate_of_another_host_is_refused(port: int, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(TransientError, match="CERTIFICATE_VERIFY_FAILED"):
        send(port, "other.example")
