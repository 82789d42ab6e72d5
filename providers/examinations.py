"""What `manage.py doctor` asks of the room: the keys that sign tokens."""

from collections.abc import Iterator
from datetime import timedelta

from aiffinity.lib.doctor import Finding, Severity, overdue
from providers.models import SigningKey

ROTATE_AFTER = timedelta(days=90)
ROTATION = "Run manage.py rotate_signing_keys; tokens that are out stay good until they expire."


def examine_signing_keys() -> Iterator[Finding]:
    """Find keys that have signed tokens for too long."""
    for key in SigningKey.objects.filter(retired_at=None).order_by("use"):
        age = overdue(key.created_at)
        if age >= ROTATE_AFTER:
            yield Finding(
                "signing_key_old",
                Severity.WARNING,
                f"The key that signs {key.get_use_display().lower()}s is {age.days} days old.",
                f"A key that leaked unnoticed is good until it is replaced; due after {ROTATE_AFTER.days} days.",
                ROTATION,
            )
