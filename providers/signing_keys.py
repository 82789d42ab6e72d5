"""RS256 keys that sign the platform's tokens: made once, sealed at rest, published as a JWKS (RFC 7517)."""

import threading
import time
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from joserfc.jwk import KeySet, RSAKey

from aiffinity.lib.crypto import Secret, keyring
from aiffinity.lib.ids import new_id
from providers.models import SigningKey, SigningKeyUse

KEY_BITS = 2048
PUBLIC_KEYS_KEPT_SECONDS = 60
UNKNOWN_KEY_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class PublicKeys:
    """The JWKS as this process last read it."""

    key_ids: frozenset[str]
    key_set: KeySet
    read_at: float


_lock = threading.Lock()
_private_keys: dict[str, RSAKey] = {}
_public_keys: dict[str, PublicKeys] = {}


def active_key(use: SigningKeyUse) -> RSAKey:
    """Return the private key that signs now; the first call ever makes it."""
    row = SigningKey.objects.filter(use=use, retired_at=None).first() or _make_key(use)
    if row.kid not in _private_keys:
        pem = keyring().decrypt(row.sealed_private_key, context=sealing_context(row.kid))
        _private_keys[row.kid] = RSAKey.import_key(pem.reveal(), {"kid": row.kid, "alg": "RS256", "use": "sig"})
    return _private_keys[row.kid]


def public_keys(use: SigningKeyUse, *, kid: str) -> KeySet:
    """Return the keys that verify tokens of a kind; an unknown `kid` reads them again, at most five times a second."""
    with _lock:
        known = _public_keys.get(use)
        age = time.monotonic() - known.read_at if known else float("inf")
        is_new_key = known is not None and kid not in known.key_ids and age > UNKNOWN_KEY_PAUSE_SECONDS
        if known is None or age > PUBLIC_KEYS_KEPT_SECONDS or is_new_key:
            known = _read(use)
        _public_keys[use] = known
    return known.key_set


def public_jwks() -> dict[str, list[dict[str, str]]]:
    """Return every published public key, retired ones included, as a JWK set (RFC 7517)."""
    for use in SigningKeyUse:
        active_key(use)
    return {"keys": [row.public_jwk for row in SigningKey.objects.order_by("-created_at")]}


def rotate_key(use: SigningKeyUse) -> SigningKey:
    """Let a new key sign from now on; what the old one signed stays good, as its public half stays published."""
    with transaction.atomic():
        SigningKey.objects.filter(use=use, retired_at=None).update(retired_at=timezone.now())
        return _make_key(use)


def forget_cached_keys() -> None:
    """Drop what this process remembers, so that a test meets a fresh process."""
    with _lock:
        _private_keys.clear()
        _public_keys.clear()


def _read(use: SigningKeyUse) -> PublicKeys:
    rows = list(SigningKey.objects.filter(use=use))
    key_set = KeySet([RSAKey.import_key(row.public_jwk) for row in rows])
    return PublicKeys(frozenset(row.kid for row in rows), key_set, time.monotonic())


def _make_key(use: SigningKeyUse) -> SigningKey:
    kid = new_id("key")
    key = RSAKey.generate_key(KEY_BITS, {"kid": kid, "alg": "RS256", "use": "sig"}, private=True)
    sealed = keyring().encrypt(Secret(key.as_pem(private=True).decode()), context=sealing_context(kid))
    try:
        with transaction.atomic():
            return SigningKey.objects.create(
                kid=kid, use=use, sealed_private_key=sealed, public_jwk=key.as_dict(private=False)
            )
    except IntegrityError:
        return SigningKey.objects.get(use=use, retired_at=None)


def sealing_context(kid: str) -> str:
    """Return what a private key's ciphertext is bound to."""
    return f"signing_key/{kid}"
