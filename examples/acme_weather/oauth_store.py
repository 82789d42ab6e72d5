"""What the authorization server remembers: its client, codes and tokens, and the switches of the demo."""

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

CODE_LIFETIME_SECONDS = 60


@dataclass
class OAuthClient:
    """The platform, as Acme knows it; the names of the methods are Authlib's."""

    client_id: str = "aiffinity"
    client_secret: str = "acme-gave-this-to-aiffinity"  # noqa: S105  A real provider makes one for each client.
    auth_method: str = "client_secret_post"
    redirect_uri: str = ""

    def get_client_id(self) -> str:
        """Return the client's id."""
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        """Return the one redirect URI."""
        return self.redirect_uri

    def get_allowed_scope(self, scope: str | None) -> str:
        """Grant what is asked for; the server has judged it by its list already."""
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Take the very URI that is registered: never a prefix, never a pattern (RFC 9700 section 2.1)."""
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        """Say whether it is the client's secret."""
        return client_secret == self.client_secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Say whether the client proves itself in this way."""
        return method == self.auth_method

    def check_response_type(self, response_type: str) -> bool:
        """Say whether the client may ask for this."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Say whether the client may trade this for a token."""
        return grant_type in ("authorization_code", "refresh_token")


@dataclass
class Code:
    """An authorization code; all tokens that come from it, and from each other, are one family."""

    code: str
    account: str
    redirect_uri: str
    scope: str
    code_challenge: str
    code_challenge_method: str = "S256"
    family: str = field(default_factory=lambda: uuid.uuid4().hex)
    made_at: float = field(default_factory=time.monotonic)
    is_used: bool = False

    def get_redirect_uri(self) -> str:
        """Return the URI that the code was sent to."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return what was consented to."""
        return self.scope


@dataclass
class Token:
    """A pair of tokens; `is_replaced` says that the refresh token was traded for the next pair."""

    account: str
    scope: str
    family: str
    access_token: str
    refresh_token: str
    lifetime_seconds: int
    made_at: float = field(default_factory=time.monotonic)
    is_replaced: bool = False
    is_revoked: bool = False

    def check_client(self, client: OAuthClient) -> bool:
        """There is one client, so every token is its own."""
        return True

    def get_scope(self) -> str:
        """Return what was consented to."""
        return self.scope

    @property
    def is_good(self) -> bool:
        """Say whether calls may be made with the access token."""
        return not self.is_revoked and time.monotonic() < self.made_at + self.lifetime_seconds


@dataclass
class Switches:
    """What can go wrong here, for the demo and for tests; a real provider has none of it."""

    access_token_seconds: int = 3600
    is_token_endpoint_down: bool = False
    is_revocation_down: bool = False
    is_refresh_refused: bool = False
    token_delay_seconds: float = 0.0


class OAuthStore:
    """Codes and tokens in memory; hold `lock` while an answer of the token endpoint is made."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.forget()

    def forget(self) -> None:
        """Start with one client and nothing else."""
        self.client = OAuthClient()
        self.switches = Switches()
        self.codes: dict[str, Code] = {}
        self.tokens: list[Token] = []
        self.requests: list[dict[str, Any]] = []

    def usable_code(self, code: str) -> Code | None:
        """Return a code that nobody used; a used one ends every token that came from it (RFC 6749 section 4.1.2)."""
        found = self.codes.get(code)
        if found is None or time.monotonic() > found.made_at + CODE_LIFETIME_SECONDS:
            return None
        if found.is_used:
            self.revoke_family(found.family)
            return None
        return found

    def usable_refresh_token(self, refresh_token: str) -> Token | None:
        """Return the pair of a refresh token; one that was traded before ends its family (RFC 9700 section 4.14)."""
        found = self.find(refresh_token)
        if found is None or found.is_revoked or found.refresh_token != refresh_token:
            return None
        if found.is_replaced:
            self.revoke_family(found.family)
            return None
        return found

    def find(self, token: str) -> Token | None:
        """Return the pair that an access or refresh token belongs to."""
        return next((pair for pair in self.tokens if token in (pair.access_token, pair.refresh_token)), None)

    def account_of(self, access_token: str) -> str | None:
        """Return whose account a good access token opens."""
        with self.lock:
            found = self.find(access_token)
        is_good = found is not None and found.access_token == access_token and found.is_good
        return found.account if found is not None and is_good else None

    def revoke_family(self, family: str) -> None:
        """End all tokens that came from one consent."""
        with self.lock:
            for pair in self.tokens:
                pair.is_revoked = pair.is_revoked or pair.family == family

    def state(self) -> dict[str, Any]:
        """Tell what was issued and asked, without any token."""
        with self.lock:
            names = ("account", "scope", "family", "is_replaced", "is_revoked", "is_good")
            tokens = [{name: getattr(pair, name) for name in names} for pair in self.tokens]
            return {"tokens": tokens, "requests": list(self.requests), "switches": vars(self.switches)}
