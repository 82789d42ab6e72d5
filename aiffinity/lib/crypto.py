"""Encryption at rest, hashing of tokens, secrets that can't be printed (spec 4 "Secrets at rest", spec 6)."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from aiffinity.lib.redaction import remember

KEY_BYTES = 32
NONCE_BYTES = 12
FORMAT = "v1"
DOES_NOT_OPEN = "The secret doesn't open: wrong master key, wrong place or changed bytes."


class Secret:
    """A secret text that logs, templates and tracebacks can't print; `reveal()` is the only way to it.

    The logs of the request, task or thread that made it, or that reads it, redact its value wherever it turns up.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        remember(value)

    def reveal(self) -> str:
        """Return the text itself, for the one place that sends it."""
        # That may be another thread than the one that made it.
        remember(self._value)
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, repr=False)
class Keyring:
    """Master keys by id; the first encrypts, all decrypt.

    A ciphertext is `v1.<key id>.<wrapped data key>.<sealed text>` in URL-safe base64: a random data key per
    record seals the text with AES-256-GCM and is itself sealed by the master key. `context` (such as
    `acct_…/app_…/NAME/1`) is authenticated with both, so that a row copied elsewhere doesn't open.
    """

    keys: dict[str, bytes]
    active_id: str

    def encrypt(self, secret: Secret, *, context: str) -> str:
        """Seal a secret under the active master key."""
        data_key = AESGCM.generate_key(bit_length=256)
        wrapped = _seal(self.keys[self.active_id], data_key, context)
        sealed = _seal(data_key, secret.reveal().encode(), context)
        return ".".join((FORMAT, self.active_id, _b64(wrapped), _b64(sealed)))

    def decrypt(self, token: str, *, context: str) -> Secret:
        """Open a sealed secret; raises ValueError when key, context or bytes don't fit."""
        data_key, sealed = self._data_key(token, context)
        try:
            return Secret(_open(data_key, _unb64(sealed), context).decode())
        except (InvalidTag, ValueError):
            raise ValueError(DOES_NOT_OPEN) from None

    def rewrap(self, token: str, *, context: str) -> str:
        """Wrap a sealed text's data key anew under the active master key; raises ValueError like decrypt."""
        data_key, sealed = self._data_key(token, context)
        return ".".join((FORMAT, self.active_id, _b64(_seal(self.keys[self.active_id], data_key, context)), sealed))

    def _data_key(self, token: str, context: str) -> tuple[bytes, str]:
        version, key_id, wrapped, sealed = (token.split(".") + [""] * 4)[:4]
        master = self.keys.get(key_id)
        if version != FORMAT or not sealed:
            raise ValueError("This is not a sealed secret.")
        if master is None:
            raise ValueError(f"The secret was sealed with master key '{key_id}', which is not configured.")
        try:
            return _open(master, _unb64(wrapped), context), sealed
        except (InvalidTag, ValueError):
            raise ValueError(DOES_NOT_OPEN) from None


def key_id_of(token: str) -> str:
    """Return the id of the master key that sealed a text."""
    return token.split(".")[1]


def parse_keyring(entries: Sequence[str]) -> Keyring:
    """Read `AIFFINITY_ENCRYPTION_KEYS`: `<key id>:<base64 of 32 bytes>`, the active one first.

    Raises ImproperlyConfigured on an empty list, a malformed entry, a key of other length or a repeated id.
    """
    keys: dict[str, bytes] = {}
    for entry in entries:
        key_id, _, encoded = entry.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            # Wrong base64, or a character outside of ASCII.
            key = b""
        if not re.fullmatch("[A-Za-z0-9]{1,32}", key_id) or len(key) != KEY_BYTES or key_id in keys:
            raise ImproperlyConfigured(
                "AIFFINITY_ENCRYPTION_KEYS takes a comma-separated list of <key id>:<base64 of 32 bytes> "
                "with ids of letters and digits, each once."
            )
        keys[key_id] = key
    if not keys:
        raise ImproperlyConfigured("AIFFINITY_ENCRYPTION_KEYS is empty; the platform can't keep secrets.")
    return Keyring(keys, next(iter(keys)))


@lru_cache(maxsize=1)
def _keyring(entries: tuple[str, ...]) -> Keyring:
    return parse_keyring(entries)


def keyring() -> Keyring:
    """Return the configured keyring."""
    return _keyring(tuple(settings.ENCRYPTION_KEYS))


def hash_token(token: str) -> str:
    """Hash a random token of at least 128 bits for storage: SHA-256, hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token(prefix: str = "") -> Secret:
    """Make a random token with 256 bits."""
    return Secret(prefix + secrets.token_urlsafe(32))


def equal(first: str, second: str) -> bool:
    """Compare two texts in constant time."""
    return hmac.compare_digest(first.encode(), second.encode())


def _seal(key: bytes, plain: bytes, context: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def _open(key: bytes, sealed: bytes, context: str) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
