"""Bodies and answers of connections."""

from typing import Any

from rest_framework import serializers

from aiffinity.lib.serializers import JsonObjectField, StrictSerializer
from catalog.connected import NOT_CONNECTED
from providers.serializers import SecretTextField
from runtime.auth_profiles import STRATEGIES
from runtime.models import ConnectionStatus

MAX_VALUE_LENGTH = 4096
MAX_STATE_LENGTH = 200
CONNECTION_STATES = [NOT_CONNECTED, *ConnectionStatus.values]


class ConnectBody(StrictSerializer):
    """What the app's strategy asks for: nothing (oauth2), `api_key`, or `fields` (credential)."""

    api_key = SecretTextField(max_length=MAX_VALUE_LENGTH, required=False, help_text="The user's key at the provider.")
    fields = JsonObjectField(  # type: ignore[assignment]  # Spec 2 names it so.
        required=False, write_only=True, help_text="The values of the fields that the provider asks for, by name."
    )


class CompleteBody(StrictSerializer):
    """What the provider's consent page sent back."""

    code = SecretTextField(max_length=MAX_VALUE_LENGTH)
    state = SecretTextField(max_length=MAX_STATE_LENGTH)


class AuthorizationOut(serializers.Serializer[Any]):
    """Where the user goes next."""

    install_id = serializers.CharField(help_text="The install that is being connected.")
    strategy = serializers.ChoiceField(choices=STRATEGIES, help_text="Always oauth2.")
    authorization_url = serializers.CharField(help_text="The provider's consent page; open it in a browser.")
    state = serializers.CharField(help_text="Comes back with the code.")
    expires_at = serializers.DateTimeField(help_text="Until when the state counts.")


class ConnectionFieldOut(serializers.Serializer[Any]):
    """A field that the user fills in."""

    name = serializers.CharField(help_text="Its key in `fields`.")
    label = serializers.CharField(help_text="What the user reads beside it.")  # type: ignore[assignment]  # The documents name it so.
    type = serializers.ChoiceField(choices=["text", "secret"], help_text="Whether its value is hidden while typed.")
    required = serializers.BooleanField(help_text="Whether it may be left out.")  # type: ignore[assignment]  # The documents name it so.


class ConnectionOut(serializers.Serializer[Any]):
    """An install's connection; its tokens, key and fields are never answered."""

    id = serializers.CharField(allow_null=True, help_text="Null while there is none.")
    install_id = serializers.CharField(help_text="The install that it belongs to.")
    required = serializers.BooleanField(  # type: ignore[assignment]  # The same word as a field's.
        help_text="Whether the provider's app asks for a connection at all."
    )
    strategy = serializers.ChoiceField(
        choices=STRATEGIES, allow_null=True, help_text="How the provider's app authenticates its users."
    )
    status = serializers.ChoiceField(choices=CONNECTION_STATES, help_text="How it stands.")
    scopes = serializers.ListField(child=serializers.CharField(), help_text="What the user granted, or is asked for.")
    instructions = serializers.CharField(allow_null=True, help_text="The provider's own words for the user.")
    fields = ConnectionFieldOut(many=True, help_text="What the user fills in with the strategy credential.")  # type: ignore[assignment]  # The documents name it so.
    connected_at = serializers.DateTimeField(allow_null=True, help_text="When the user connected it.")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Of the access token; renewed ahead of it.")
