"""What proves that a request is the platform's, or a pushed event its provider's (spec 1 decision 6).

The hex signatures are keyed with the UTF-8 bytes of the whole secret as it was given, `whsec_` included. The
Standard Webhooks signature is keyed with the base64 behind `whsec_`.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from aiffinity.lib.crypto import Secret

PREFIX = "whsec_"
HEX_PREFIX = "sha256="


def sign_hex(secret: Secret, body: bytes) -> str:
    """Return the hex HMAC-SHA256 of a raw body (documents, "Webhook Profile Setup")."""
    return hmac.new(secret.reveal().encode(), body, hashlib.sha256).hexdigest()


def sign_execute(secret: Secret, timestamp: int, body: bytes) -> str:
    """Return the hex HMAC-SHA256 over `timestamp.body` of an execute call; Unix seconds (spec 4)."""
    return sign_hex(secret, f"{timestamp}.".encode() + body)


def verify_hex(secrets: Sequence[Secret], signature: str, body: bytes) -> bool:
    """Say whether one of the secrets made this signature of the raw body, in constant time for each.

    `signature` is bare hex in either case, or the same behind `sha256=` (spec 4, webhook-mode events).
    """
    given = signature.strip().removeprefix(HEX_PREFIX).lower().encode(errors="replace")
    matches = [hmac.compare_digest(sign_hex(secret, body).encode(), given) for secret in secrets]
    return any(matches)


def standard_webhooks_headers(
    secrets: Sequence[Secret], message_id: str, timestamp: int, body: bytes
) -> list[tuple[str, str]]:
    """Return Standard Webhooks' three headers, with one `v1` signature for each secret that can be its key.

    None at all where no secret can: that kind of secret has no base64 behind `whsec_`. Source: the Standard
    Webhooks specification; spec 1 decision 6.
    """
    keys = [key for key in map(standard_webhooks_key, secrets) if key is not None]
    if not keys:
        return []
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys]
    return [
        ("webhook-id", message_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", " ".join(f"v1,{signature}" for signature in signatures)),
    ]


def standard_webhooks_key(secret: Secret) -> bytes | None:
    """Return the key behind `whsec_`, padded or not; None where it is not base64 or empty."""
    encoded = secret.reveal().removeprefix(PREFIX)
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True) or None
    except (binascii.Error, ValueError):
        return None
