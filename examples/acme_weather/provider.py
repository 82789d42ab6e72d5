"""The HTTP side of Acme Weather: health, execute calls and webhooks."""

import ipaddress
import json
import re
import socket
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from examples.acme_weather import signatures
from examples.acme_weather.capabilities import Call, Capabilities, Json, ProviderError
from examples.acme_weather.store import Store

VERSION = "1.2.3"
MAX_BODY_BYTES = 1024 * 1024
EXECUTE_PATH = re.compile(r"\A/aiffinity/capabilities/([^/]+)/execute\Z")
DEFAULT_SIGNATURE_HEADER = "X-Aiffinity-Signature"


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


class AcmeServer(JsonServer):
    """Acme Weather: its capabilities, what it remembers, and the secret that it shares with the platform."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        signing_secret: str = "",
        signature_header: str = DEFAULT_SIGNATURE_HEADER,
        store: Store | None = None,
    ) -> None:
        self.signing_secret = signing_secret
        self.signature_header = signature_header
        self.store = store or Store()
        self.capabilities = Capabilities(self.store)
        self.started_at = time.monotonic()
        super().__init__(address, AcmeHandler)


class AcmeHandler(JsonRequestHandler):
    """Routes a request to one of the five endpoints."""

    server: AcmeServer

    def do_GET(self) -> None:
        """Serve /health and, on loopback, /control/received."""
        if self.path == "/health":
            self._answer_health()
        elif self.path == "/control/received" and self._is_from_loopback():
            store = self.server.store
            self.send_json(200, {"events": store.deliveries(), "tasks": store.count_tasks()})
        else:
            self.send_json(404, not_found().body)

    def do_POST(self) -> None:
        """Serve execute calls, webhooks and, on loopback, /control."""
        try:
            self._route_post(self.read_body())
        except ProviderError as error:
            self.send_json(error.status_code, error.body)

    def _route_post(self, body: bytes) -> None:
        if execute := EXECUTE_PATH.match(self.path):
            self._answer_execute(execute[1], body)
        elif self.path == "/webhooks/aiffinity":
            self._answer_webhook(body)
        elif self.path == "/control" and self._is_from_loopback():
            self._change_secret(body)
        else:
            raise not_found()

    def _answer_health(self) -> None:
        health = {
            "status": "ok",
            "version": VERSION,
            "uptime_seconds": int(time.monotonic() - self.server.started_at),
            "capabilities": dict.fromkeys(self.server.capabilities.modes, "healthy"),
        }
        self.send_json(200, health)

    def _answer_execute(self, name: str, body: bytes) -> None:
        timestamp = self.headers.get("X-Aiffinity-Timestamp", "")
        signature = self.headers.get("X-Aiffinity-Signature", "")
        is_signed = signatures.is_call_signed(self.server.signing_secret, timestamp, signature, body)
        if not (is_signed and signatures.is_fresh(timestamp)):
            raise invalid_signature()
        try:
            self.server.capabilities.require_known(name)
            status_code, answer = 200, self.server.capabilities.run(parse_call(name, self.headers, body))
        except ProviderError as error:
            status_code, answer = error.status_code, error.body
        content = json.dumps(answer).encode()
        self.send_bytes(status_code, content, answer_signature(self.server.signing_secret, content))

    def _answer_webhook(self, body: bytes) -> None:
        secret, header = self.server.signing_secret, self.server.signature_header
        verified = verify_webhook(secret, self.headers, body, signature_header=header)
        is_verified = all(verified.values())
        event = parse_object(body) if is_verified else {}
        delivery = {"type": event.get("type"), "is_verified": is_verified, "signatures": verified}
        # The platform may deliver an event twice; whoever acts on events does it for the first one only.
        is_duplicate = self.server.store.add_delivery(event_id=event.get("id"), delivery={**delivery, "event": event})
        if not is_verified:
            raise invalid_signature()
        self.send_json(200, {"received": True, "duplicate": is_duplicate})

    def _change_secret(self, body: bytes) -> None:
        secret = parse_object(body).get("signing_secret")
        if not isinstance(secret, str) or not secret:
            raise ProviderError(400, "invalid_request", "signing_secret: is required.")
        self.server.signing_secret = secret
        self.send_json(200, {"changed": True})

    def _is_from_loopback(self) -> bool:
        return ipaddress.ip_address(self.client_address[0]).is_loopback


def parse_call(name: str, headers: Any, body: bytes) -> Call:
    """Return the checked call; raises ProviderError `invalid_request` or `invalid_params`.

    The signature covers the body alone, so path and header are compared with what the body says.
    """
    content = parse_object(body)
    params, context = content.get("params", {}), content.get("context", {})
    if content.get("capability") != name:
        raise ProviderError(400, "invalid_request", "capability: differs from the path.")
    if not isinstance(params, dict):
        raise ProviderError(400, "invalid_params", "params: must be an object.")
    user_id = headers.get("X-Aiffinity-User-Id", "")
    if not user_id or not isinstance(context, dict) or context.get("userId") != user_id:
        message = "X-Aiffinity-User-Id: is required and must be context.userId."
        raise ProviderError(400, "invalid_request", message)
    return Call(name, str(content.get("mode")), params, user_id, headers.get("Idempotency-Key"), context)


def parse_object(body: bytes) -> Json:
    """Return the JSON object in the body; raises ProviderError `invalid_request`."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderError(400, "invalid_request", "The body is not JSON.") from error
    if not isinstance(content, dict):
        raise ProviderError(400, "invalid_request", "The body must be a JSON object.")
    return content


def verify_webhook(secret: str, headers: Any, body: bytes, *, signature_header: str) -> dict[str, bool]:
    """Return which signatures hold: `hex` always, `standard_webhooks` when its headers are there."""
    verified = {"hex": signatures.is_body_signed(secret, headers.get(signature_header, ""), body)}
    if "webhook-signature" in headers:
        verified["standard_webhooks"] = signatures.is_standard_webhook(
            secret,
            headers.get("webhook-id", ""),
            headers.get("webhook-timestamp", ""),
            headers.get("webhook-signature", ""),
            body,
        )
    return verified


def answer_signature(secret: str, content: bytes) -> dict[str, str]:
    """Return the headers that sign an answer, the same way as the call was signed."""
    timestamp = str(int(time.time()))
    return {
        "X-Aiffinity-Timestamp": timestamp,
        "X-Aiffinity-Signature": signatures.sign_call(secret, timestamp, content),
    }


def invalid_signature() -> ProviderError:
    """Return the refusal of whatever the platform didn't sign, or signed long ago."""
    message = "The signature is missing, wrong or older than five minutes."
    return ProviderError(401, "invalid_signature", message)


def not_found() -> ProviderError:
    """Return the refusal of a path that isn't served."""
    return ProviderError(404, "not_found", "There is nothing here.")
