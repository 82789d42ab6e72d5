"""Access tokens that are out: read and revoked; a revoked one is refused from the next call on (RFC 7009)."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from providers.models import RevokedToken, SigningKeyUse
from providers.tokens import verify_token


def read_access_token(token: str) -> dict[str, Any]:
    """Return the claims of a genuine access token, revoked or not; raises TokenInvalid or TokenExpired (401)."""
    return verify_token(SigningKeyUse.ACCESS_TOKEN, token, issuer=settings.BASE_URL, audience=settings.BASE_URL)


def revoke_access_token(claims: dict[str, Any]) -> None:
    """Refuse a token from now on; doing so twice is no error."""
    row = RevokedToken(jti=claims["jti"], expires_at=datetime.fromtimestamp(claims["exp"], UTC))
    RevokedToken.objects.bulk_create([row], ignore_conflicts=True)


def is_access_token_revoked(claims: dict[str, Any]) -> bool:
    """Say whether a token was revoked."""
    return RevokedToken.objects.filter(jti=claims["jti"]).exists()
