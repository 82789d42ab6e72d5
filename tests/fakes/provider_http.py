"""The HTTP side of the fake provider: it records, lets act, and breaks the answer on its way."""

from dataclasses import replace
from typing import TYPE_CHECKING

from examples.acme_weather import signatures
from examples.acme_weather.capabilities import ProviderError
from examples.acme_weather.json_http import JsonRequestHandler
from examples.acme_weather.provider import EXECUTE_PATH, answer_signature, verify_webhook
from tests.fakes.provider_answers import answer, distort
from tests.fakes.recording import RecordedRequest
from tests.fakes.switches import Reply

if TYPE_CHECKING:
    from tests.fakes.provider import FakeServer


class FakeHandler(JsonRequestHandler):
    """Records a request, acts on it, and answers as the switches say."""

    server: "FakeServer"

    def do_GET(self) -> None:  # noqa: N802 - The base class names it.
        """Serve any GET."""
        self._serve(b"")

    def do_POST(self) -> None:  # noqa: N802 - The base class names it.
        """Serve any POST."""
        try:
            body = self.read_body()
        except ProviderError as error:
            self.send_json(error.status_code, error.body)
        else:
            self._serve(body)

    def _serve(self, body: bytes) -> None:
        provider = self.server.provider
        request = self._record(body)
        reply = answer(provider, request)
        if request.route not in provider.faulty_routes:
            self._send(self._signed(request, reply))
        elif self._breaks_off():
            self.close_connection = True
        else:
            provider.stopping.wait(provider.latency_ms / 1000)
            self._send(self._signed(request, distort(provider, reply)), is_slow=provider.slow_body)

    def _record(self, body: bytes) -> RecordedRequest:
        path = self.path.partition("?")[0]
        route = route_of(self.command, path)
        verified = self._verify(route, path, body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        is_verified = bool(verified) and all(verified.values())
        request = RecordedRequest(self.command, self.path, route, headers, body, is_verified, verified)
        self.server.provider.recording.add(request)
        return request

    def _verify(self, route: str, path: str, body: bytes) -> dict[str, bool]:
        provider, secret = self.server.provider, self.server.provider.secret_for(path)
        if route == "webhooks":
            return verify_webhook(secret, self.headers, body, signature_header=provider.signature_header)
        if route != "execute":
            return {}
        timestamp = self.headers.get("X-Aiffinity-Timestamp", "")
        signature = self.headers.get("X-Aiffinity-Signature", "")
        is_signed = signatures.is_call_signed(secret, timestamp, signature, body)
        return {"hex": is_signed, "timestamp": signatures.is_fresh(timestamp)}

    def _breaks_off(self) -> bool:
        """Hang as long as the switch says, and tell whether the connection ends without an answer."""
        provider = self.server.provider
        was_hanging = provider.hang
        while provider.hang and not provider.stopping.is_set():
            provider.stopping.wait(0.02)
        return was_hanging or provider.drop_connection

    def _signed(self, request: RecordedRequest, reply: Reply) -> Reply:
        provider = self.server.provider
        if request.route != "execute" or not request.is_verified or provider.unsigned_answers:
            return reply
        signature = answer_signature(provider.signing_secret, reply.content)
        return replace(reply, headers={**signature, **reply.headers})

    def _send(self, reply: Reply, *, is_slow: bool = False) -> None:
        if not is_slow:
            self.send_bytes(reply.status_code, reply.content, reply.headers)
            return
        provider = self.server.provider
        self.close_connection = True
        self.send_head(reply.status_code, len(reply.content), reply.headers)
        for position in range(len(reply.content)):
            self.wfile.write(reply.content[position : position + 1])
            self.wfile.flush()
            if provider.stopping.wait(provider.slow_body_interval_ms / 1000):
                return


def route_of(method: str, path: str) -> str:
    """Return execute, health, webhooks or other."""
    if method == "POST" and EXECUTE_PATH.match(path):
        return "execute"
    if method == "POST" and (path == "/webhooks" or path.startswith("/webhooks/")):
        return "webhooks"
    return "health" if (method, path) == ("GET", "/health") else "other"
