"""Requests to a provider's token and revocation endpoints, and what their answers mean (RFC 6749, 7009, 7636)."""

import base64
import re
from typing import Any
from urllib.parse import quote, urlencode

from aiffinity.lib.crypto import Secret
from aiffinity.lib.errors import InvalidJson, InvalidState, UpstreamError, UpstreamInvalidResponse
from aiffinity.lib.json_gate import parse_json
from aiffinity.lib.outbound import OutboundError, OutboundRequest, OutboundResponse
from aiffinity.lib.redaction import redact
from runtime.auth_profiles import auth_secrets
from runtime.connections.authority import strategy_settings
from runtime.connections.stored import Content, Grant
from runtime.models import RuntimeApp
from runtime.provider_client import upstream_failure

MAX_ANSWER_BYTES = 65_536
MAX_LIFETIME_SECONDS = 10 * 366 * 86_400
MAX_SCOPES = 100
TIMEOUT_MS = 10_000

_TOKEN = re.compile(r"\A[\x21-\x7e]{1,8000}\Z")
_SCOPE = re.compile(r"\A[\x21\x23-\x5b\x5d-\x7e]{1,200}\Z")
_ERROR = re.compile(r"\A[\x20-\x21\x23-\x5b\x5d-\x7e]{1,80}\Z")


class GrantRefused(Exception):
    """The provider refused the code or the refresh token for good; `code` is its word, such as invalid_grant."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def client_id_of(runtime_app: RuntimeApp) -> str:
    """Return the platform's client id at the provider.

    Raises INVALID_STATE (409) where the provider hasn't set one: it is optional in the profile, and required
    to connect.
    """
    client_id = strategy_settings(runtime_app).get("client_id")
    if not client_id:
        raise InvalidState("The provider has not finished its setup: its auth profile has no client_id yet.")
    return str(client_id)


def require_client(runtime_app: RuntimeApp) -> None:
    """Raise INVALID_STATE (409) unless the platform could prove itself at the token endpoint."""
    _client_authentication(runtime_app)


def token_request(runtime_app: RuntimeApp, form: dict[str, str], *, tag: object = None) -> OutboundRequest:
    """Make a request to the token endpoint; a token request is never repeated by itself."""
    return _request(runtime_app, str(strategy_settings(runtime_app)["token_url"]), form, tag)


def revocation_request(runtime_app: RuntimeApp, content: Content, *, tag: object = None) -> OutboundRequest | None:
    """Make a request to the revocation endpoint (RFC 7009); None where there is no endpoint, or no token.

    The refresh token goes where there is one: its end is the end of the access token too (section 2.1).
    """
    hint = "refresh_token" if content.refresh_token else "access_token"
    token = content.refresh_token or content.access_token
    if token is None or not content.revocation_url:
        return None
    form = {"token": token.reveal(), "token_type_hint": hint}
    return _request(runtime_app, content.revocation_url, form, tag)


def refresh_form(refresh_token: Secret) -> dict[str, str]:
    """Return the form that asks for a new access token (RFC 6749 section 6)."""
    return {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}


def code_form(code: Secret, *, redirect_uri: str, code_verifier: Secret) -> dict[str, str]:
    """Return the form that redeems an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""
    return {
        "grant_type": "authorization_code",
        "code": code.reveal(),
        "redirect_uri": redirect_uri,
        "code_verifier": code_verifier.reveal(),
    }


def read_grant(outcome: OutboundResponse | OutboundError, *, asked_scopes: list[str], earlier: Content) -> Grant:
    """Read the token endpoint's answer.

    What it leaves out stays as it was: the refresh token of `earlier`, the scopes that were asked for; the
    revocation URL is always that of `earlier`. Raises
    GrantRefused for a refusal for good, the UPSTREAM errors (502, 504) for an endpoint that is down, and
    UPSTREAM_INVALID_RESPONSE for an answer that is none.
    """
    if isinstance(outcome, OutboundError):
        raise upstream_failure(outcome)
    if outcome.status != 200 and not 400 <= outcome.status < 500:
        raise _bad_status(outcome)
    # RFC 6749 section 5.2 has refusals answered with 400 or 401; some servers answer them with 403, or with 200.
    _refuse_error(outcome)
    if outcome.status != 200:
        raise _bad_status(outcome)
    answer = _parse(outcome)
    if str(answer.get("token_type", "")).lower() != "bearer":
        raise UpstreamInvalidResponse("The provider's token endpoint must answer token_type Bearer.")
    refresh_token = _token(answer, "refresh_token") if answer.get("refresh_token") else earlier.refresh_token
    access_token = _token(answer, "access_token")
    content = Content(access_token, refresh_token, revocation_url=earlier.revocation_url)
    return Grant(content, _lifetime(answer.get("expires_in")), _scopes(answer.get("scope"), asked_scopes))


def _request(runtime_app: RuntimeApp, url: str, form: dict[str, str], tag: object) -> OutboundRequest:
    headers, fields = _client_authentication(runtime_app)
    return OutboundRequest(
        method="POST",
        url=url,
        headers=(("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"), *headers),
        body=urlencode({**form, **fields}).encode(),
        timeout_ms=TIMEOUT_MS,
        max_response_bytes=MAX_ANSWER_BYTES,
        can_resend=False,
        tag=tag,
    )


def _client_authentication(runtime_app: RuntimeApp) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Return headers and form fields by which the platform proves itself (RFC 6749 section 2.3.1)."""
    method = strategy_settings(runtime_app).get("token_endpoint_auth_method", "client_secret_post")
    client_id = client_id_of(runtime_app)
    if method == "none":
        return [], {"client_id": client_id}
    secret = auth_secrets(runtime_app).client_secret
    if secret is None:
        raise InvalidState("The provider has not finished its setup: its auth profile has no client_secret yet.")
    if method == "client_secret_post":
        return [], {"client_id": client_id, "client_secret": secret.reveal()}
    pair = f"{quote(client_id, safe='')}:{quote(secret.reveal(), safe='')}"
    return [("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")], {}


def _refuse_error(response: OutboundResponse) -> None:
    """Raise what an error of the endpoint means, and tell a refusal of the grant from one of the platform's client.

    The user can mend the first alone.
    """
    try:
        code = _parse(response).get("error")
    except UpstreamInvalidResponse:
        return
    if not isinstance(code, str) or not _ERROR.match(code):
        return
    if code in ("invalid_grant", "invalid_scope", "access_denied"):
        raise GrantRefused(code)
    # A provider that names the token that it got must not hand it to logs and the staff.
    raise UpstreamError(f"The provider's token endpoint refused the platform: {redact(code)}.")


def _bad_status(response: OutboundResponse) -> UpstreamError:
    return UpstreamError(f"The provider's token endpoint answered with HTTP {response.status}.")


def _parse(response: OutboundResponse) -> dict[str, Any]:
    try:
        answer = parse_json(response.body)
    except InvalidJson:
        answer = None
    if not isinstance(answer, dict):
        raise UpstreamInvalidResponse("The provider's token endpoint must answer a JSON object.")
    return answer


def _token(answer: dict[str, Any], name: str) -> Secret:
    value = answer.get(name)
    if not isinstance(value, str) or not _TOKEN.match(value):
        raise UpstreamInvalidResponse(f"The provider's token endpoint answered an {name} that no header can carry.")
    return Secret(value)


def _lifetime(value: Any) -> int | None:
    """Return the seconds of `expires_in`, some servers answer it as a text; None where it tells nothing.

    It is a recommendation (RFC 6749 section 5.1), and 0 is the word of some servers for "no end". Whatever it holds is
    no reason to throw away tokens: with a refresh token that was used up for them, the connection would be lost. A
    token without a known end lasts until the provider refuses it.
    """
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    return int(min(max(value, 1), MAX_LIFETIME_SECONDS))


def _scopes(value: Any, asked: list[str]) -> list[str]:
    """Return what was granted, some servers answer it as an array; what was asked for where the answer is silent."""
    names = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
    granted = [name for name in names if isinstance(name, str) and _SCOPE.match(name)]
    return granted[:MAX_SCOPES] or asked
