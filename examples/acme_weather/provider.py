"""The HTTP side of Acme Weather: health, execute calls and webhooks."""

import ipaddress
import json
import re
import time
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from examples.acme_weather import control, signatures
from examples.acme_weather.access import Access, account_of_fields, account_of_key
from examples.acme_weather.capabilities import Call, Capabilities, Json, ProviderError
from examples.acme_weather.json_http import JsonServer
from examples.acme_weather.oauth import AcmeAuthorizationServer
from examples.acme_weather.oauth_pages import OAuthHandler
from examples.acme_weather.oauth_store import OAuthStore
from examples.acme_weather.store import Store

VERSION = "1.2.3"
VERIFY_PATH = re.compile(r"\A/accounts/([^/?]+)/verify\?api_token=([^&]+)\Z")
EXECUTE_PATH = re.compile(r"\A/aiffinity/capabilities/([^/]+)/execute\Z")
DEFAULT_SIGNATURE_HEADER = "X-Aiffinity-Signature"


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
        self.oauth_store = OAuthStore()
        self.oauth = AcmeAuthorizationServer(self.oauth_store)
        self.access = Access(self.oauth_store)
        self.started_at = time.monotonic()
        super().__init__(address, AcmeHandler)


class AcmeHandler(OAuthHandler):
    """Routes a request to one of the endpoints."""

    server: AcmeServer

    @property
    def oauth(self) -> AcmeAuthorizationServer:  # type: ignore[override]  # Each server has its own.
        """Return the authorization server."""
        return self.server.oauth

    def do_GET(self) -> None:  # noqa: N802  The base class names it; so below.
        """Serve /health, the consent page, the checks of keys and, on loopback, /control/received."""
        if self.path == "/health":
            self._answer_health()
        elif self.path == "/v1/me":
            self._answer_check(account_of_key(self.headers.get("X-Api-Key", "")))
        elif verify := VERIFY_PATH.match(self.path):
            self._answer_check(account_of_fields(unquote(verify[1]), unquote(verify[2])))
        elif self.path == "/control/received" and self._is_from_loopback():
            self.send_json(200, control.received(self.server))
        elif not self.serve_oauth_get():
            self.send_json(404, not_found().body)

    def do_POST(self) -> None:  # noqa: N802
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
            control.change(self.server, parse_object(body))
            self.send_json(200, {"changed": True})
        elif not self.serve_oauth_post(body):
            raise not_found()

    def _answer_check(self, account: str | None) -> None:
        """Tell the platform whether what a user entered is good, before it keeps it."""
        self.send_json(200 if account else 401, {"account": account})

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
            call = parse_call(name, self.headers, body)
            account = self.server.access.account_of(self.headers, call.context)
            status_code, answer = 200, self.server.capabilities.run(replace(call, account=account))
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
