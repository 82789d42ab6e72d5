"""Connecting an install to the user's account at the provider (spec 4 "Auth profiles and connections")."""

from typing import Any

from django.db import transaction

from aiffinity.lib.audit import append_audit
from aiffinity.lib.crypto import Secret
from aiffinity.lib.errors import InvalidState, NotFound, field_error
from capabilities.cached_states import forget_states
from capabilities.models import CachedState, Install
from capabilities.suspensions import check_connectable
from runtime.auth_profiles import API_KEY, CREDENTIAL, OAUTH2
from runtime.connections.authority import strategy_of
from runtime.connections.authorization import Authorization, begin_authorization, redeem_authorization
from runtime.connections.revoking import begin_revocation
from runtime.connections.stored import Grant, store_connection
from runtime.connections.validation import check_api_key, check_fields
from runtime.erasure import keep_client_secret
from runtime.models import Connection, RuntimeApp

_BODY_FIELDS = {OAUTH2: None, API_KEY: "api_key", CREDENTIAL: "fields"}


def connect_install(install: Install, body: dict[str, Any], *, actor: str) -> Authorization | Connection:
    """Begin a connection with oauth2, or make one with a key or fields that the provider takes.

    The body is `{}`, `{api_key}` or `{fields}` as the app's strategy has it. Raises VALIDATION_ERROR (400) for
    another body and for values that the provider refuses, CAPABILITY_SUSPENDED (503), INVALID_STATE (409) where
    the app asks for no connection, and the UPSTREAM errors (502, 504).
    """
    runtime_app, strategy = _connectable(install)
    _check_body(strategy, body)
    if strategy == OAUTH2:
        return begin_authorization(runtime_app, install_id=install.pk, user=install.user)
    if strategy == API_KEY:
        return _store(install, runtime_app, check_api_key(runtime_app, body["api_key"]), actor=actor)
    return _store(install, runtime_app, check_fields(runtime_app, body["fields"]), actor=actor)


def complete_connection(install: Install, *, state: str, code: str, actor: str) -> Connection:
    """Exchange what the provider's consent page handed out, and keep the tokens.

    Raises CONNECTION_REQUIRED (422) for a state that doesn't count (any more) and where the provider refuses the
    code, and what `connect_install` raises.
    """
    runtime_app, strategy = _connectable(install)
    if strategy != OAUTH2:
        raise InvalidState("The provider's app does not connect its users by OAuth.")
    grant = redeem_authorization(runtime_app, install_id=install.pk, user=install.user, state=state, code=Secret(code))
    return _store(install, runtime_app, grant, actor=actor)


def standing_connection_of(install: Install) -> Connection | None:
    """Return the install's connection, None where it has none or it is being revoked."""
    return Connection.objects.standing().for_user(install.user).filter(install_id=install.pk).first()


def disconnect_install(install: Install, *, actor: str) -> Connection | None:
    """Make the connection unusable at once, have it revoked, and forget what was fetched with it.

    None where there is none, so that a second call finds nothing to do.
    """
    with transaction.atomic():
        _lock_install(install.pk)
        connection = standing_connection_of(install)
        if connection is None or not _remove(connection, actor=actor):
            return None
        connection.refresh_from_db()
    return connection


def revoke_connection(connection: Connection, *, actor: str, reason: str) -> Connection:
    """Revoke somebody's connection for staff. Raises INVALID_STATE (409) where it is being revoked already."""
    with transaction.atomic():
        _lock_install(connection.install_id)
        if not _remove(connection, actor=actor, reason=reason):
            raise InvalidState("The connection is being revoked already.")
        # Read before the commit: a worker may erase the row at once.
        connection.refresh_from_db()
    return connection


def _lock_install(install_id: str) -> None:
    """Let no answer that is on its way be kept meanwhile; `keep_state` takes the same lock."""
    Install.objects.select_for_update(no_key=True).filter(pk=install_id).exists()


def _remove(connection: Connection, *, actor: str, reason: str = "") -> bool:
    """Begin the revocation, and forget what the connection brought; False where it doesn't stand any more."""
    if not begin_revocation(Connection.objects.filter(pk=connection.pk)):
        return False
    CachedState.objects.filter(install=connection.install_id).delete()
    append_audit(subject=connection.pk, action="connection.removed", actor=actor, reason=reason)
    return True


def _connectable(install: Install) -> tuple[RuntimeApp, str]:
    runtime_app = check_connectable(install, getattr(install.package.app, "runtime_app", None))
    strategy = strategy_of(runtime_app)
    if strategy is None:
        raise InvalidState("The provider's app asks for no connection.")
    return runtime_app, strategy


def _check_body(strategy: str, body: dict[str, Any]) -> None:
    wanted = _BODY_FIELDS[strategy]
    for name in body:
        if name != wanted:
            told = f"The provider's app takes {wanted} alone." if wanted else "The provider's app takes no fields."
            raise field_error(name, told, code="unknown_field")
    if wanted is not None and wanted not in body:
        raise field_error(wanted, "The provider's app needs this to connect.", code="required")


def _store(install: Install, runtime_app: RuntimeApp, grant: Grant, *, actor: str) -> Connection:
    """Keep a grant; one that arrives after the install was removed, or the app deleted, is revoked at once."""
    with transaction.atomic():
        locked = Install.objects.active().select_for_update().filter(pk=install.pk).first()
        # The app's deletion takes the same lock and revokes what it finds. A joined app would be read as it was before
        # the wait for the lock, so it is read after it.
        is_deleted = RuntimeApp.objects.select_for_update(no_key=True).get(pk=runtime_app.pk).app.deleted_at is not None
        stands = locked is not None and not is_deleted
        connection = store_connection(runtime_app, grant, install_id=install.pk, user=install.user, actor=actor)
        # The user may be somebody else at the provider now.
        forget_states(install)
        if is_deleted:
            keep_client_secret(runtime_app)
        if not stands:
            begin_revocation(Connection.objects.filter(pk=connection.pk))
    if not stands:
        raise NotFound
    return connection
