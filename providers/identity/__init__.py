"""Identity: one interface, two backends chosen by settings (spec 2 "Identity has two backends")."""

from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from providers.identity.interface import IdentityBackend, IdentityClaims, SignedIn
from providers.identity.local import LocalIdentity

__all__ = ["IdentityBackend", "IdentityClaims", "SignedIn", "identity_backend"]

BACKENDS: dict[str, type[IdentityBackend]] = {"local": LocalIdentity}


@lru_cache(maxsize=1)
def identity_backend() -> IdentityBackend:
    """Return the configured backend."""
    try:
        return BACKENDS[settings.IDENTITY_BACKEND]()
    except KeyError:
        known = ", ".join(sorted(BACKENDS))
        raise ImproperlyConfigured(f"IDENTITY_BACKEND must be one of: {known}.") from None
