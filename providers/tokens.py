"""Signing and verifying the platform's JWTs: forged and stale ones never pass (RFC 7519, RFC 9068)."""

import hashlib
import threading
import time
from collections import OrderedDict
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode

from aiffinity.lib.errors import TokenExpired, TokenInvalid
from providers.models import SigningKeyUse
from providers.signing_keys import active_key, public_keys

ALGORITHM = "RS256"
CLOCK_SKEW_SECONDS = 30
MAX_TOKEN_BYTES = 8192
TYPES = {SigningKeyUse.ACCESS_TOKEN: "at+jwt", SigningKeyUse.ID_TOKEN: "JWT"}


class VerifiedTokens:
    """Claims of tokens whose signature this process verified, by hash, until they expire."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._claims: OrderedDict[bytes, dict[str, Any]] = OrderedDict()

    def get(self, token: str) -> dict[str, Any] | None:
        """Return the claims if the token was verified before."""
        with self._lock:
            return self._claims.get(self._key(token))

    def put(self, token: str, claims: dict[str, Any]) -> None:
        """Remember claims, dropping the oldest beyond the capacity."""
        with self._lock:
            self._claims[self._key(token)] = claims
            while len(self._claims) > self._capacity:
                self._claims.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._claims.clear()

    def _key(self, token: str) -> bytes:
        return hashlib.sha256(token.encode()).digest()


verified_tokens = VerifiedTokens()


def sign_token(use: SigningKeyUse, claims: dict[str, Any]) -> str:
    """Sign claims with the active key of a kind."""
    key = active_key(use)
    return jwt.encode({"alg": ALGORITHM, "typ": TYPES[use], "kid": key.kid}, claims, key, [ALGORITHM])


def verify_token(use: SigningKeyUse, token: str, *, issuer: str, audience: str) -> dict[str, Any]:
    """Return the claims of a genuine, current token; raises TokenInvalid or TokenExpired (401)."""
    claims = verified_tokens.get(f"{use}:{token}")
    if claims is None:
        claims = _verify_signature(use, token)
        if claims.get("iss") != issuer or claims.get("aud") != audience:
            raise TokenInvalid("The token was issued elsewhere or for somebody else; get a new one.")
        verified_tokens.put(f"{use}:{token}", claims)
    _check_times(claims)
    return claims


def token_header(token: str) -> dict[str, Any]:
    """Read a token's header without trusting it; raises TokenInvalid where it isn't one."""
    if len(token) > MAX_TOKEN_BYTES or token.count(".") != 2:
        raise TokenInvalid
    try:
        header = orjson.loads(urlsafe_b64decode(token.split(".", maxsplit=1)[0].encode()))
    except ValueError:
        raise TokenInvalid from None
    if not isinstance(header, dict):
        raise TokenInvalid
    return header


def _verify_signature(use: SigningKeyUse, token: str) -> dict[str, Any]:
    header = token_header(token)
    kid = header.get("kid")
    has_our_shape = header.get("alg") == ALGORITHM and header.get("typ") == TYPES[use]
    if not has_our_shape or not isinstance(kid, str) or {"jku", "jwk", "x5u", "x5c", "crit"} & set(header):
        raise TokenInvalid
    try:
        return dict(jwt.decode(token, public_keys(use, kid=kid), [ALGORITHM]).claims)
    except (JoseError, ValueError):
        raise TokenInvalid from None


def _check_times(claims: dict[str, Any]) -> None:
    now = time.time()
    expires, issued = claims.get("exp"), claims.get("iat")
    if not isinstance(expires, int) or not isinstance(issued, int) or issued > now + CLOCK_SKEW_SECONDS:
        raise TokenInvalid
    if expires <= now:
        raise TokenExpired
