"""Make the first administrator of a new platform."""

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

ADMIN_EMAIL = "admin@localhost"
PASSWORD_BYTES = 12


class Command(BaseCommand):
    """Create `admin@localhost` with a random password, printed this once, unless a staff user exists."""

    help = "Creates the first administrator with a random password, unless there is a staff user already."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the administrator where it is missing."""
        users = get_user_model()._default_manager  # noqa: SLF001  Django's documented name for it.
        if users.filter(is_staff=True).exists():
            return
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        users.create_superuser(email=ADMIN_EMAIL, password=password)
        self.stdout.write(f"First administrator: {ADMIN_EMAIL}  password: {password}  (shown only this once)")
