"""Named secrets of an app for its capability handlers: sealed, sent in `context.secrets`, never answered."""

import re

from django.db import transaction

from aiffinity.lib.audit import append_audit
from aiffinity.lib.crypto import Secret
from aiffinity.lib.errors import NotFound, QuotaExceeded, field_error
from runtime.models import NamedSecret, RuntimeApp
from runtime.models.apps import MAX_SECRETS_PER_APP
from runtime.sealing import seal, unseal

KEY_PATTERN = re.compile(r"\A[A-Z][A-Z0-9_]{1,63}\Z")
MAX_VALUE_BYTES = 4096


def set_named_secret(runtime_app: RuntimeApp, key: str, value: Secret, *, actor: str) -> tuple[NamedSecret, bool]:
    """Store a secret under a key, or replace the value that is there; says whether the key is new.

    Raises ValidationFailed for a malformed key or a value over 4 KB, and QuotaExceeded for the 21st key of an
    app, also when two race for the last place. Source: runtime configuration, "Credential Secret Management".
    """
    _check(key, value)
    with transaction.atomic():
        locked = RuntimeApp.objects.get_locked(runtime_app.pk)
        row = NamedSecret.objects.filter(runtime_app=locked, key=key).first()
        is_new = row is None
        if row is None:
            _check_quota(locked)
            row = NamedSecret(runtime_app=locked, key=key, version=0)
        row.version += 1
        row.sealed_value = seal(locked, key, value, version=row.version)
        row.save()
        append_audit(subject=locked.pk, action="secret.set", actor=actor, data={"key": key})
    return row, is_new


def get_named_secret(runtime_app: RuntimeApp, key: str) -> NamedSecret:
    """Return the row of a key. Raises NotFound."""
    row = NamedSecret.objects.filter(runtime_app=runtime_app, key=key).first()
    if row is None:
        raise NotFound
    return row


def delete_named_secret(runtime_app: RuntimeApp, key: str, *, actor: str) -> NamedSecret:
    """Erase a secret and return what it was, without its value. Raises NotFound."""
    with transaction.atomic():
        locked = RuntimeApp.objects.get_locked(runtime_app.pk)
        row = get_named_secret(locked, key)
        NamedSecret.objects.filter(pk=row.pk).delete()
        append_audit(subject=locked.pk, action="secret.deleted", actor=actor, data={"key": key})
    return row


def open_named_secrets(runtime_app: RuntimeApp) -> dict[str, Secret]:
    """Return every secret of an app by key, for the one place that sends them."""
    rows = NamedSecret.objects.filter(runtime_app=runtime_app).order_by("key")
    return {row.key: unseal(runtime_app, row.key, row.sealed_value, version=row.version) for row in rows}


def _check(key: str, value: Secret) -> None:
    if not KEY_PATTERN.match(key):
        raise field_error("key", "Use 2 to 64 capital letters, digits and underscores, a letter first.", code="pattern")
    size = len(value.reveal().encode())
    if not 1 <= size <= MAX_VALUE_BYTES:
        raise field_error("value", f"A value has 1 to {MAX_VALUE_BYTES} bytes.", code="size")


def _check_quota(runtime_app: RuntimeApp) -> None:
    if NamedSecret.objects.filter(runtime_app=runtime_app).count() >= MAX_SECRETS_PER_APP:
        raise QuotaExceeded(f"An app has at most {MAX_SECRETS_PER_APP} secrets; delete one that you don't need.")
