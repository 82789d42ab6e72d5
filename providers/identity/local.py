"""The local identity backend: Django's password hashing, ID tokens with Firebase's claims."""

import time
from datetime import timedelta
from math import ceil

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction
from django.utils import timezone

from aiffinity.lib.crypto import Secret, hash_token, new_token
from aiffinity.lib.errors import EmailTaken, TokenExpired, TokenInvalid, Unauthenticated
from aiffinity.lib.ids import new_id
from providers.identity.interface import IdentityBackend, IdentityClaims, SignedIn
from providers.models import RefreshToken, SigningKeyUse, User
from providers.tokens import sign_token, verify_token

AUDIENCE = "aiffinity"
ID_TOKEN_SECONDS = 3600
REFRESH_TOKEN_LIFE = timedelta(days=30)
UNKNOWN_USER_HASH = make_password("nobody has this password")


def issuer() -> str:
    """Return the `iss` of ID tokens."""
    return f"{settings.BASE_URL}/identity"


class LocalIdentity(IdentityBackend):
    """Keeps users in the platform's own database."""

    def create_user(self, *, email: str, password: str) -> User:
        """Make a user; raises EmailTaken (409), also when two sign up at once."""
        try:
            with transaction.atomic():
                return User.objects.create_user(email, password)
        except IntegrityError:
            raise EmailTaken from None

    def sign_in(self, *, email: str, password: str) -> SignedIn:
        """Check a password, at the same cost whether the user exists or not.

        The user's row is locked until the tokens are written: a password that is replaced meanwhile is wrong.
        """
        user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
        is_right = check_password(password, user.password if user else UNKNOWN_USER_HASH)
        if user is not None and is_right:
            with transaction.atomic():
                unchanged = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
                if unchanged.select_for_update(no_key=True).exists():
                    return self._issue(user, family=new_id("fam"))
        raise Unauthenticated("The e-mail address or the password is wrong.")

    def refresh(self, refresh_token: str) -> SignedIn:
        """Rotate a refresh token; a replayed one revokes its whole family.

        The user's row is locked until the next token is written, so that a replay at the same time revokes
        that one too.
        """
        with transaction.atomic():
            token_hash = hash_token(refresh_token)
            owner_id = RefreshToken.objects.filter(token_hash=token_hash).values("user_id")
            user = User.objects.select_for_update(no_key=True).filter(pk__in=owner_id).first()
            row = RefreshToken.objects.filter(token_hash=token_hash).first()
            if user is not None and row is not None and _is_good(row, user):
                row.used_at = timezone.now()
                row.save(update_fields=["used_at"])
                return self._issue(user, family=row.family)
            if row is not None and row.used_at is not None:
                RefreshToken.objects.filter(family=row.family).update(revoked_at=timezone.now())
        if row is not None and row.is_fresh and row.has_expired:
            raise TokenExpired("refresh_token: it has expired; log in again.")
        raise TokenInvalid("refresh_token: it is unknown, revoked or was used before; log in again.")

    def verify_id_token(self, token: str) -> IdentityClaims:
        """Verify a token that this platform issued."""
        claims = verify_token(SigningKeyUse.ID_TOKEN, token, issuer=issuer(), audience=AUDIENCE)
        return IdentityClaims(
            str(claims["sub"]), claims.get("email"), bool(claims.get("email_verified")), claims["iat"]
        )

    def mark_email_verified(self, user: User) -> None:
        """Record that the user's own address was verified."""
        User.objects.filter(pk=user.pk).update(is_email_verified=True)

    def set_password(self, user: User, password: str) -> None:
        """Replace a user's password and revoke every family of refresh tokens."""
        user.set_password(password)
        with transaction.atomic():
            user.save(update_fields=["password"])
            self.end_logins(user)

    def end_logins(self, user: User) -> None:
        """Refuse the ID tokens of before and revoke every family of refresh tokens."""
        with transaction.atomic():
            user.tokens_valid_after = timezone.now()
            user.save(update_fields=["tokens_valid_after"])
            RefreshToken.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())

    def _issue(self, user: User, *, family: str) -> SignedIn:
        refresh_token = new_token("rt_")
        RefreshToken.objects.create(
            token_hash=hash_token(refresh_token.reveal()),
            family=family,
            user=user,
            expires_at=timezone.now() + REFRESH_TOKEN_LIFE,
        )
        return SignedIn(user, Secret(sign_id_token(user)), refresh_token, ID_TOKEN_SECONDS)


def _is_good(token: RefreshToken, user: User) -> bool:
    return token.is_fresh and not token.has_expired and user.is_active


def sign_id_token(user: User) -> str:
    """Sign an ID token with Firebase's claims for a user.

    Its times are whole seconds. In the second of a new password it counts as issued in the next one, so that it is told
    from those that the old password got.
    """
    valid_after = user.tokens_valid_after
    now = max(int(time.time()), ceil(valid_after.timestamp()) if valid_after else 0)
    return sign_token(
        SigningKeyUse.ID_TOKEN,
        {
            "iss": issuer(),
            "aud": AUDIENCE,
            "sub": user.identity_uid,
            "user_id": user.identity_uid,
            "email": user.email,
            "email_verified": user.is_email_verified,
            "auth_time": now,
            "iat": now,
            "exp": now + ID_TOKEN_SECONDS,
            "firebase": {"sign_in_provider": "password"},
        },
    )
