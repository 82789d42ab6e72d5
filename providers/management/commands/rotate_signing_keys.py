"""`manage.py rotate_signing_keys`: new keys sign, the old ones still verify (spec 2, `jwks.json`)."""

from typing import Any

from django.core.management.base import BaseCommand

from providers.models import SigningKeyUse
from providers.signing_keys import rotate_key


class Command(BaseCommand):
    """Make a new key for each kind of token and retire the one that signs now."""

    help = "Rotates the keys that sign tokens; tokens that are out stay good until they expire."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate both kinds."""
        for use in SigningKeyUse:
            self.stdout.write(f"{use.value}: {rotate_key(use).kid} signs from now on")
