"""Where a sealed secret of a runtime app belongs: the context that its ciphertext is bound to."""

from aiffinity.lib.crypto import Secret, keyring
from runtime.models import RuntimeApp


def seal(runtime_app: RuntimeApp, name: str, secret: Secret, *, version: int = 1) -> str:
    """Seal a secret to its account, app, name and version (spec 4 "Secrets at rest")."""
    return keyring().encrypt(secret, context=_context(runtime_app, name, version))


def unseal(runtime_app: RuntimeApp, name: str, sealed: str, *, version: int = 1) -> Secret:
    """Open a sealed secret. Raises ValueError when key, place or bytes don't fit."""
    return keyring().decrypt(sealed, context=_context(runtime_app, name, version))


def _context(runtime_app: RuntimeApp, name: str, version: int) -> str:
    return f"{runtime_app.app.account_id}/{runtime_app.pk}/{name}/{version}"
