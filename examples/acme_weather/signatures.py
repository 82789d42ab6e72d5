"""The three signatures of the platform, with the standard library alone.

Every check compares in constant time, and an unset secret verifies nothing: an HMAC with an
empty key could be made by anybody.
"""

import base64
import binascii
import hashlib
import hmac
import time

TOLERANCE_SECONDS = 300


def sign_call(secret: str, timestamp: str, body: bytes) -> str:
    """Return the hex HMAC-SHA256 over `timestamp.body`, as execute calls and their answers carry it.

    The key is the UTF-8 bytes of the whole secret, `whsec_` included.
    """
    return sign_body(secret, timestamp.encode() + b"." + body)


def sign_body(secret: str, body: bytes) -> str:
    """Return the hex HMAC-SHA256 of the raw body, as webhooks carry it in the configured header."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_fresh(timestamp: str, *, now: float | None = None) -> bool:
    """Tell whether a timestamp in Unix seconds is at most five minutes away from now."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    current = time.time() if now is None else now
    return abs(current - int(timestamp)) <= TOLERANCE_SECONDS


def is_call_signed(secret: str, timestamp: str, signature: str, body: bytes) -> bool:
    """Tell whether an execute call carries the right signature; `is_fresh` judges its age."""
    return bool(secret) and _is_equal(sign_call(secret, timestamp, body), signature)


def is_body_signed(secret: str, signature: str, body: bytes) -> bool:
    """Tell whether a webhook carries the right hex signature of its raw body."""
    return bool(secret) and _is_equal(sign_body(secret, body), signature)


def is_standard_webhook(
    secret: str, message_id: str, timestamp: str, signatures: str, body: bytes, *, now: float | None = None
) -> bool:
    """Tell whether one of the space-separated signatures `v1,<base64>` of a webhook fits and is fresh.

    There are two of them while a rotated secret is still in its overlap. Source: the Standard
    Webhooks specification, symmetric signatures.
    """
    key = standard_key(secret)
    if key is None or not is_fresh(timestamp, now=now):
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return any(_is_equal(expected, signature) for signature in signatures.split(" "))


def standard_key(secret: str) -> bytes | None:
    """Return the key of the Standard Webhooks headers, None where the secret holds no base64.

    The platform leaves those headers out for such a secret.
    """
    text = secret.removeprefix("whsec_")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _is_equal(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode(errors="replace"))
