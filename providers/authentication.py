"""Who calls: an ID token of a user, or an access token of an app (spec 1 decision 10, spec 2)."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from aiffinity.lib.errors import TokenInvalid, Unauthenticated
from providers.access_tokens import read_access_token
from providers.identity import identity_backend
from providers.identity.interface import IdentityClaims
from providers.models import Account, App, RevokedToken, User
from providers.tokens import token_header


@dataclass(frozen=True)
class Caller:
    """The caller of a request: a user (with an account or without), or an app of an account."""

    user: User | None
    app: App | None
    account: Account | None
    scopes: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """Name the caller for rate limits, idempotency, logs and audit rows."""
        return f"app:{self.app.pk}" if self.app else f"user:{self.user.pk if self.user else ''}"

    actor = key


class BearerAuthentication(BaseAuthentication):
    """Verifies `Authorization: Bearer …`; the token's type says which of the two kinds it is."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, Caller] | None:
        """Return the user and the caller, or None without credentials; raises 401 errors on bad ones."""
        header = get_authorization_header(request).split()
        if not header:
            return None
        if header[0].lower() != b"bearer" or len(header) != 2:
            raise Unauthenticated
        try:
            token = header[1].decode("ascii")
        except UnicodeDecodeError:
            raise TokenInvalid from None
        if token_header(token).get("typ") == "at+jwt":
            return AnonymousUser(), caller_of_access_token(token)
        caller = caller_of_id_token(token)
        return caller.user or AnonymousUser(), caller

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return 'Bearer realm="aiffinity"'


def caller_of_access_token(token: str) -> Caller:
    """Read app, account and revocation per request, so that a deleted app's tokens and revoked ones die at once."""
    claims = read_access_token(token)
    is_revoked = Exists(RevokedToken.objects.filter(jti=claims.get("jti")))
    apps = App.objects.live().select_related("account").filter(~is_revoked, client_id=claims.get("client_id"))
    app = apps.first()
    if app is None:
        raise TokenInvalid("The token was revoked, or its app was deleted; get a new one.")
    return Caller(None, app, app.account, frozenset(str(claims.get("scope", "")).split()))


def caller_of_id_token(token: str) -> Caller:
    """Read user and account per request; a user seen for the first time gets a row."""
    claims = identity_backend().verify_id_token(token)
    user = User.objects.select_related("account").filter(identity_uid=claims.uid).first()
    if user is None:
        user = _first_sight(claims)
    if not user.is_active:
        raise TokenInvalid("The token's user was disabled.")
    if user.tokens_valid_after is not None and claims.issued_at < user.tokens_valid_after.timestamp():
        raise TokenInvalid("The password was changed since; log in again.")
    return Caller(user, None, getattr(user, "account", None))


def _first_sight(claims: IdentityClaims) -> User:
    user, _ = User.objects.get_or_create(
        identity_uid=claims.uid,
        defaults={"email": claims.email, "is_email_verified": claims.is_email_verified, "password": "!"},
    )
    return user
