"""A threaded HTTP server that reads and writes JSON, with the standard library alone."""

import json
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from examples.acme_weather.capabilities import Json, ProviderError

MAX_BODY_BYTES = 1024 * 1024


class JsonServer(ThreadingHTTPServer):
    """A threaded HTTP server that takes many connections at once and can drop them all."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the own name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, and remember it."""
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, and forget it."""
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what went wrong in a handler, unless the other side merely hung up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def drop_connections(self) -> None:
        """Cut every open connection, idle ones too: a stopped provider answers nobody."""
        with self._connections_lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # The other side was faster.


class JsonRequestHandler(BaseHTTPRequestHandler):
    """Reads bodies and writes JSON answers over HTTP/1.1 with keep-alive."""

    protocol_version = "HTTP/1.1"
    # Headers and body leave in one packet: with two, a delayed acknowledgement would cost 40 ms a call.
    wbufsize = -1
    disable_nagle_algorithm = True
    # An idle connection is closed only after the platform has let go of it.
    timeout = 300

    def read_body(self) -> bytes:
        """Return the body of a POST; raises ProviderError 411, 400 or 413 and closes the connection then."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise self._unreadable(411, "A Content-Length is needed.")
        if len(length) > 9 or int(length) > MAX_BODY_BYTES:
            raise self._unreadable(413, f"The body has more than {MAX_BODY_BYTES} bytes.")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise self._unreadable(400, "The body is shorter than its Content-Length.")
        return body

    def handle_expect_100(self) -> bool:
        """Ask for the body at once; the answer would wait in the buffer otherwise."""
        is_wanted = super().handle_expect_100()
        self.wfile.flush()
        return is_wanted

    def send_json(self, status_code: int, answer: Json, headers: dict[str, str] | None = None) -> None:
        """Write a JSON answer."""
        self.send_bytes(status_code, json.dumps(answer).encode(), headers)

    def send_bytes(self, status_code: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        """Write an answer whose body is JSON already."""
        self.send_head(status_code, len(content), headers or {})
        self.wfile.write(content)

    def send_head(self, status_code: int, content_length: int, headers: dict[str, str]) -> None:
        """Write status and headers of a JSON answer of that many bytes."""
        self.send_response(status_code)
        self.send_header("Content-Length", str(content_length))
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - The base class names it.
        """Stay silent: stdout carries the ready line alone, and a path says nothing worth keeping."""

    def _unreadable(self, status_code: int, message: str) -> ProviderError:
        # The unread rest of the body would be taken for the next request.
        self.close_connection = True
        return ProviderError(status_code, "invalid_request", message)
