"""Acme's authorization server on Authlib: code with PKCE, rotating refresh tokens, revocation.

Sources: RFC 6749, RFC 7009, RFC 7636, and RFC 9700 for what to refuse.
"""

from collections import defaultdict
from typing import Any

from authlib.common.security import generate_token
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidRequestError, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge

from examples.acme_weather.oauth_store import Code, OAuthClient, OAuthStore, Token

SCOPES = {"weather:read": "See the weather at your stations", "forecast:read": "See your forecasts"}
AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

# Status, body and headers of an answer.
Answer = tuple[int, Any, list[tuple[str, str]]]


class Payload(OAuth2Payload):  # type: ignore[misc]  # Authlib has no types; so below.
    """The parameters of a request, each with all its values."""

    def __init__(self, values: dict[str, list[str]]) -> None:
        self._values = values

    @property
    def data(self) -> dict[str, str]:
        """Return the first value of each."""
        return {name: values[0] for name, values in self._values.items()}

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        """Return all values of each."""
        return defaultdict(list, self._values)


class Request(OAuth2Request):  # type: ignore[misc]
    """A request in Authlib's terms; its address is made up, because Authlib insists on https."""

    def __init__(self, method: str, values: dict[str, list[str]], headers: dict[str, str]) -> None:
        super().__init__(method, "https://acme.example/oauth", headers=headers)
        self.payload = Payload(values)

    @property
    def args(self) -> dict[str, str]:
        """Return the parameters of the authorization endpoint."""
        return self.payload.data if self.method == "GET" else {}

    @property
    def form(self) -> dict[str, str]:
        """Return the parameters of the other endpoints: from the body alone."""
        return self.payload.data


class OnlyS256(CodeChallenge):  # type: ignore[misc]
    """PKCE for every client, and never by the method plain."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse a request without a challenge, or without a method, which would mean plain."""
        given = grant.request.payload.data
        if not given.get("code_challenge") or given.get("code_challenge_method") != "S256":
            raise InvalidRequestError("Send code_challenge with code_challenge_method=S256.")
        super().validate_code_challenge(grant, redirect_uri)


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """A code becomes a pair of tokens, once."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def save_authorization_code(self, code: str, request: Request) -> None:
        """Keep a code with everything that it is bound to."""
        given = request.payload.data
        made = Code(code, request.user, given["redirect_uri"], request.scope, given["code_challenge"])
        self.server.store.codes[code] = made

    def query_authorization_code(self, code: str, client: OAuthClient) -> Code | None:
        """Find a code that may be used."""
        found: Code | None = self.server.store.usable_code(code)
        return found

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Use a code up; it stays, so that its second use is noticed."""
        authorization_code.is_used = True

    def authenticate_user(self, authorization_code: Code) -> str:
        """Return who consented."""
        return authorization_code.account


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    """A refresh token becomes the next pair, once."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        """Find a refresh token that may be used."""
        store: OAuthStore = self.server.store
        return None if store.switches.is_refresh_refused else store.usable_refresh_token(refresh_token)

    def authenticate_user(self, refresh_token: Token) -> str:
        """Return who consented."""
        return refresh_token.account

    def revoke_old_credential(self, refresh_token: Token) -> None:
        """Use a refresh token up; it stays, so that its second use is noticed."""
        refresh_token.is_replaced = True


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """Ends all tokens of a consent, whichever of them is shown."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def query_token(self, token_string: str, token_type_hint: str) -> Token | None:
        """Find the pair of a token; the hint is only a hint."""
        found: Token | None = self.server.store.find(token_string)
        return found

    def revoke_token(self, token: Token, request: Request) -> None:
        """End the family."""
        self.server.store.revoke_family(token.family)


class AcmeAuthorizationServer(AuthorizationServer):  # type: ignore[misc]
    """Puts the grants together over one store."""

    def __init__(self, store: OAuthStore) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.store = store
        generator = BearerTokenGenerator(_new_token, _new_token, lambda *_: store.switches.access_token_seconds)
        self.register_token_generator("default", generator)
        self.register_grant(CodeGrant, [OnlyS256(required=True)])
        self.register_grant(RefreshGrant)
        self.register_endpoint(Revocation)

    def query_client(self, client_id: str) -> OAuthClient | None:
        """Find the client."""
        return self.store.client if client_id == self.store.client.client_id else None

    def save_token(self, token: dict[str, Any], request: Request) -> None:
        """Keep a pair in the family that it comes from."""
        origin = request.refresh_token or request.authorization_code
        pair = Token(
            request.user,
            token.get("scope", ""),
            origin.family,
            token["access_token"],
            token["refresh_token"],
            token["expires_in"],
        )
        self.store.tokens.append(pair)

    def create_oauth2_request(self, request: Request) -> Request:
        """Take requests as they are: the HTTP side made them for us."""
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Answer:
        """Hand the answer to the HTTP side."""
        return status, body, headers

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody."""


def _new_token(**_: object) -> str:
    return str(generate_token(43))
