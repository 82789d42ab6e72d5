"""Bodies and answers for named secrets."""

from typing import Any

from rest_framework import serializers

from aiffinity.lib.serializers import StrictSerializer
from providers.serializers import SecretTextField
from runtime.models import NamedSecret


class SecretBody(StrictSerializer):
    """The value of a named secret, taken as it is."""

    value = SecretTextField(help_text="1 to 4096 bytes; write-only.")


class SecretOut(serializers.Serializer[Any]):
    """A named secret without its value."""

    key = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def render_secret(secret: NamedSecret) -> dict[str, Any]:
    """Render what may be seen of a named secret (spec 2 "Shapes")."""
    return {"key": secret.key, "created_at": secret.created_at, "updated_at": secret.updated_at}
