"""What an identity backend can do; everything above it is the same code for all backends."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from aiffinity.lib.crypto import Secret
from providers.models import User


@dataclass(frozen=True)
class IdentityClaims:
    """What a verified ID token says about its user, in Firebase's words; `issued_at` is epoch seconds."""

    uid: str
    email: str | None
    is_email_verified: bool
    issued_at: int


@dataclass(frozen=True)
class SignedIn:
    """A fresh pair of tokens; `expires_in` is the ID token's life in seconds."""

    user: User
    id_token: Secret
    refresh_token: Secret
    expires_in: int


class IdentityBackend(ABC):
    """Makes users, signs them in and verifies their ID tokens."""

    @abstractmethod
    def create_user(self, *, email: str, password: str) -> User:
        """Make a user; raises EmailTaken (409)."""

    @abstractmethod
    def sign_in(self, *, email: str, password: str) -> SignedIn:
        """Check a password; raises Unauthenticated (401), the same in the same time whatever was wrong."""

    @abstractmethod
    def refresh(self, refresh_token: str) -> SignedIn:
        """Exchange a refresh token; raises TokenInvalid or TokenExpired (401)."""

    @abstractmethod
    def verify_id_token(self, token: str) -> IdentityClaims:
        """Verify an ID token; raises TokenInvalid or TokenExpired (401)."""

    @abstractmethod
    def mark_email_verified(self, user: User) -> None:
        """Record that the user's own address was verified."""

    @abstractmethod
    def set_password(self, user: User, password: str) -> None:
        """Replace a user's password; ID tokens and refresh tokens of before are good for nothing any more."""

    @abstractmethod
    def end_logins(self, user: User) -> None:
        """Log a user out everywhere: ID tokens and refresh tokens of before are good for nothing any more."""
