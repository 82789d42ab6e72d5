"""The OAuth server on Authlib: access tokens as JWTs (RFC 6749, 9068), revoked (RFC 7009), introspected (RFC 7662)."""

import base64
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidRequestError, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.crypto import hash_token
from aiffinity.lib.envelope import dump_json
from aiffinity.lib.errors import TokenExpired, TokenInvalid
from aiffinity.lib.ids import new_id
from aiffinity.lib.ratelimit import Limit, limiter
from providers.access_tokens import is_access_token_revoked, read_access_token, revoke_access_token
from providers.applications import is_client_secret
from providers.models import App, SigningKeyUse
from providers.scopes import SCOPES
from providers.throttling import require_allowed
from providers.tokens import sign_token

ACCESS_TOKEN_SECONDS = 3600
# Of all three endpoints, and more than one address may call in all, so that no single stranger can shut a client out.
REQUESTS_PER_CLIENT_AND_MINUTE = 120
GRANT_TYPE = "client_credentials"
AUTH_METHODS = ["client_secret_post", "client_secret_basic"]


class Client:
    """An app in Authlib's terms."""

    def __init__(self, app: App) -> None:
        self.app = app

    def get_client_id(self) -> str:
        """Return the client id."""
        return self.app.client_id

    def get_allowed_scope(self, scope: str | None) -> str:
        """Narrow the token to the asked scopes; without a request it gets all."""
        asked = (scope or "").split() or list(SCOPES)
        return " ".join(name for name in asked if name in SCOPES)

    def check_client_secret(self, client_secret: str) -> bool:
        """Compare with the app's live secrets, in constant time."""
        return is_client_secret(self.app, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Say whether the client may authenticate this way."""
        return method in AUTH_METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        """Say whether the client may use the grant."""
        return grant_type == GRANT_TYPE


class TokenPayload(OAuth2Payload):  # type: ignore[misc]
    """The request's parameters; from the body alone, never from the query string."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = dict(fields)

    @property
    def data(self) -> dict[str, str]:
        """Return the parameters."""
        return self._fields

    @property
    def datalist(self) -> "defaultdict[str, list[str]]":
        """Return each parameter as a list."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in self._fields.items():
            found[name].append(value)
        return found


class TokenRequest(OAuth2Request):  # type: ignore[misc]
    """A request to one of the three endpoints in Authlib's terms.

    Its address is a made-up https one: TLS ends at the proxy, and settings redirect plain http there.
    """

    def __init__(self, request: Request) -> None:
        super().__init__("POST", "https://token.endpoint/", headers=readable_headers(request))
        self.payload = TokenPayload(token_fields(request))

    @property
    def args(self) -> dict[str, str]:
        """Return nothing: credentials in a query string are ignored."""
        return {}

    @property
    def form(self) -> dict[str, str]:
        """Return the parameters."""
        return self.payload.data


def sign_access_token(client: Client, grant_type: str, user: None, scope: str) -> str:
    """Sign an access token with the claims of RFC 9068 section 2.2; the platform's API is its audience."""
    now = int(time.time())
    claims = {
        "iss": settings.BASE_URL,
        "aud": settings.BASE_URL,
        "sub": client.get_client_id(),
        "client_id": client.get_client_id(),
        "iat": now,
        "exp": now + ACCESS_TOKEN_SECONDS,
        "jti": new_id("jti"),
        "scope": scope,
    }
    return sign_token(SigningKeyUse.ACCESS_TOKEN, claims)


def _lifetime(client: Client, grant_type: str) -> int:
    return ACCESS_TOKEN_SECONDS


class CredentialsGrant(ClientCredentialsGrant):  # type: ignore[misc]
    """Client credentials with both ways to send the secret."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS


class IssuedToken:
    """An access token that is out, in Authlib's terms; one that has expired never gets this far."""

    def __init__(self, claims: dict[str, Any]) -> None:
        self.claims = claims

    def is_expired(self) -> bool:
        """Say no."""
        return False

    def is_revoked(self) -> bool:
        """Say whether the token was revoked."""
        return is_access_token_revoked(self.claims)


class OwnTokens:
    """What revocation and introspection share: a client sees its own good tokens and nothing else.

    Hints at the kind of token are ignored, as both RFCs allow: there is one kind.
    """

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def authenticate_token(self, request: OAuth2Request, client: Client) -> IssuedToken | None:
        """Find the token, where it is good and the client's; raises InvalidRequestError (400) where none is sent."""
        text = request.form.get("token")
        if not text:
            raise InvalidRequestError("Missing 'token' in request.")
        try:
            claims = read_access_token(text)
        except (TokenInvalid, TokenExpired):
            return None
        return IssuedToken(claims) if claims.get("client_id") == client.get_client_id() else None


class Revocation(OwnTokens, RevocationEndpoint):  # type: ignore[misc]
    """Revocation of an access token; what there is nothing to revoke of is 200 too (RFC 7009 section 2.2)."""

    def revoke_token(self, token: IssuedToken, request: OAuth2Request) -> None:
        """Refuse the token from now on."""
        revoke_access_token(token.claims)


class Introspection(OwnTokens, IntrospectionEndpoint):  # type: ignore[misc]
    """Introspection of an access token (RFC 7662 section 2.2)."""

    def introspect_token(self, token: IssuedToken) -> dict[str, Any]:
        """Answer every claim that the token carries; Authlib adds `active`."""
        return {**token.claims, "token_type": "Bearer"}


class UnknownClient(Client):
    """Stands in for a client id that nobody has, so that it is refused in the words of a wrong secret."""

    def __init__(self) -> None:
        super().__init__(App())

    def check_client_secret(self, client_secret: str) -> bool:
        """Refuse every secret."""
        return False


class TokenServer(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server over the platform's apps; access tokens are not stored."""

    def query_client(self, client_id: str) -> Client:
        """Find a live app; a suspended account's apps get no tokens. Raises RateLimited (429)."""
        limit = Limit(f"token:{hash_token(client_id)}", REQUESTS_PER_CLIENT_AND_MINUTE)
        require_allowed(limiter.check(limit, is_strict=True))
        apps = App.objects.live().filter(account__suspended_at=None)
        app = apps.filter(client_id=client_id).first() if "\x00" not in client_id else None
        return Client(app) if app else UnknownClient()

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Keep nothing: the token is a signed JWT."""

    def create_oauth2_request(self, request: Request) -> TokenRequest:
        """Adapt DRF's request."""
        return TokenRequest(request)

    def handle_response(self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]) -> Response:
        """Answer as RFC 6749 sections 5.1 and 5.2 fix it."""
        response = Response(body, status=status, headers=dict(headers))
        response.headers["Cache-Control"] = "no-store"
        response.headers["Pragma"] = "no-cache"
        return response

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Tell nobody."""


def make_server() -> TokenServer:
    """Put the server together."""
    server = TokenServer(scopes_supported=list(SCOPES))
    server.register_token_generator("default", BearerTokenGenerator(sign_access_token, expires_generator=_lifetime))
    server.register_grant(CredentialsGrant)
    server.register_endpoint(Revocation)
    server.register_endpoint(Introspection)
    return server


def readable_headers(request: Request) -> dict[str, str]:
    """Return the headers, without an Authorization whose base64 is no text: those credentials count as missing."""
    headers = dict(request.headers)
    _, _, credentials = headers.get("Authorization", "").partition(" ")
    try:
        is_readable = bool(base64.b64decode(credentials).decode())
    except ValueError:
        is_readable = False
    if not is_readable:
        headers.pop("Authorization", None)
    return headers


def token_fields(request: Request) -> dict[str, str]:
    """Return the body's parameters; what is no text becomes its JSON, which is the name of no client, grant or scope.

    A scope that was left out instead would give the token every scope. A token that is no text does count as missing.
    """
    body = request.data
    if not isinstance(body, Mapping):
        return {}
    return {
        name: value if isinstance(value, str) else dump_json(value).decode()
        for name, value in body.items()
        if name != "token" or isinstance(value, str)
    }


def metadata() -> dict[str, Any]:
    """Describe the server (RFC 8414)."""
    base = settings.BASE_URL
    return {
        "issuer": base,
        "token_endpoint": f"{base}/v1/providers/auth/token",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "grant_types_supported": [GRANT_TYPE],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint": f"{base}/v1/providers/auth/revoke",
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "introspection_endpoint": f"{base}/v1/providers/auth/introspect",
        "introspection_endpoint_auth_methods_supported": AUTH_METHODS,
        "scopes_supported": list(SCOPES),
        "service_documentation": f"{base}/docs",
    }
