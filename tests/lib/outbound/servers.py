"""Local servers that answer as badly as a provider may, and count what reaches them."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from aiffinity.lib.outbound import EgressPolicy

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
STOP_SECONDS = 5.0


class LocalServer:
    """A server on loopback whose `handle(connection, server)` runs in a thread for each connection.

    Each connection is closed by its own thread and by nobody else. TLS goes on reading and writing the bare
    number of a socket that another thread closed, and by then that number may belong to any other socket of
    the process.
    """

    def __init__(
        self,
        handle: Callable[[socket.socket, "LocalServer"], None],
        *,
        tls: ssl.SSLContext | None = None,
        address: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.is_stopping = threading.Event()
        self._handle = handle
        self._tls = tls
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(address, backlog=512)
        self.host, self.port = self._listener.getsockname()[:2]
        self.origin = f"{'https' if tls else 'http'}://{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_stopping.set()
        # Closing alone does not wake a thread that waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(STOP_SECONDS)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    # The plain one, because a TLS socket's forgets its encryption and would go on in clear.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    def _accept(self) -> None:
        while not self.is_stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with contextlib.suppress(OSError):
                self._start(connection)

    def _start(self, connection: socket.socket) -> None:
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.add(connection)
        thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError):
                if isinstance(connection, ssl.SSLSocket):
                    connection.do_handshake()
                self._handle(connection, self)
        finally:
            # The lock keeps the number from passing to another socket between __exit__'s look and its use.
            with self._lock:
                self._open.discard(connection)
                connection.close()


def read_request(connection: socket.socket, server: LocalServer) -> bytes:
    """Read one request with its body and note it; b"" when the client has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65_536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65_536)
    request = head + b"\r\n\r\n" + body
    server.requests.append(request)
    return request


def answering(answer: bytes) -> Callable[[socket.socket, LocalServer], None]:
    """Answer every request of a connection with these bytes."""

    def handle(connection: socket.socket, server: LocalServer) -> None:
        while read_request(connection, server):
            connection.sendall(answer)

    return handle


def answering_once(answer: bytes) -> Callable[[socket.socket, LocalServer], None]:
    """Answer the first request of a connection with these bytes and close it."""

    def handle(connection: socket.socket, server: LocalServer) -> None:
        read_request(connection, server)
        connection.sendall(answer)

    return handle


def hanging(connection: socket.socket, server: LocalServer) -> None:
    """Read a request and never answer."""
    read_request(connection, server)
    server.is_stopping.wait(30)


def loopback_policy(**changes: object) -> EgressPolicy:
    """Return a policy that admits http to loopback."""
    values: dict = {"allow": ["127.0.0.0/8", "[::1]/128"], "is_http_allowed": True, **changes}
    return EgressPolicy.parse(**values)


def self_signed(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    """Make a self-signed certificate for 127.0.0.1 and a name; return a server context and its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_path, key_path)
    return context, str(certificate_path)
