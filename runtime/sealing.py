"""Where a sealed secret of a runtime app belongs: the context that its ciphertext is bound to."""

from functools import partial

from aiffinity.lib.crypto import Secret, keyring
from aiffinity.lib.rewrapping import SealedColumn
from runtime.models import AuthorizationRequest, Connection, NamedSecret, RuntimeApp

SIGNING_SECRET = "signing_secret"  # noqa: S105  The name of one, not one.
AUTH_PROFILE = "auth_profile"


def seal(runtime_app: RuntimeApp, name: str, secret: Secret, *, version: int = 1) -> str:
    """Seal a secret to its account, app, name and version (spec 4 "Secrets at rest")."""
    return keyring().encrypt(secret, context=_context(runtime_app, name, version))


def unseal(runtime_app: RuntimeApp, name: str, sealed: str, *, version: int = 1) -> Secret:
    """Open a sealed secret. Raises ValueError when key, place or bytes don't fit."""
    return keyring().decrypt(sealed, context=_context(runtime_app, name, version))


def connection_name(connection: Connection) -> str:
    """Return the name under which a connection's content is sealed."""
    return f"connection/{connection.pk}"


def verifier_name(request: AuthorizationRequest) -> str:
    """Return the name under which an authorization request's code verifier is sealed."""
    return f"code_verifier/{request.pk}"


def sealed_columns() -> list[SealedColumn]:
    """List the room's sealed columns for the rotation of master keys."""
    names = {
        "sealed_auth_secrets": AUTH_PROFILE,
        "sealed_signing_secret": SIGNING_SECRET,
        "sealed_previous_signing_secret": SIGNING_SECRET,
    }
    of_apps = [
        SealedColumn(RuntimeApp, field, partial(_context, name=name, version=1), ("app",))
        for field, name in names.items()
    ]
    return [
        *of_apps,
        SealedColumn(NamedSecret, "sealed_value", _context_of_named, ("runtime_app__app",)),
        SealedColumn(Connection, "sealed_content", _context_of_connection, ("runtime_app__app",)),
        SealedColumn(AuthorizationRequest, "sealed_code_verifier", _context_of_verifier, ("runtime_app__app",)),
    ]


def _context_of_named(row: NamedSecret) -> str:
    return _context(row.runtime_app, row.key, row.version)


def _context_of_connection(row: Connection) -> str:
    return _context(row.runtime_app, connection_name(row), 1)


def _context_of_verifier(row: AuthorizationRequest) -> str:
    return _context(row.runtime_app, verifier_name(row), 1)


def _context(runtime_app: RuntimeApp, name: str, version: int) -> str:
    return f"{runtime_app.app.account_id}/{runtime_app.pk}/{name}/{version}"
