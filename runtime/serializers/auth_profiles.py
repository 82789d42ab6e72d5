"""Bodies and answers for auth profiles, as the documents print them."""

from typing import Any

from django.core.validators import RegexValidator
from django.db.models import TextChoices
from rest_framework import serializers

from aiffinity.lib.outbound import UrlRefused, check_url_template, policy_from_settings
from aiffinity.lib.serializers import JsonObjectField, StrictBooleanField, StrictSerializer, TextField
from providers.serializers import ProseField, SecretTextField, UrlField
from runtime.auth_profiles import API_KEY, CREDENTIAL, OAUTH2, STRATEGIES, AuthSecrets
from runtime.serializers.fields import HeaderNameField

MAX_SCOPES = 50
MAX_CREDENTIAL_FIELDS = 20
MAX_SECRET_LENGTH = 4096
CUSTOM = "custom"

# A scope token (RFC 6749 section 3.3).
_is_scope = RegexValidator(
    r"\A[\x21\x23-\x5b\x5d-\x7e]{1,200}\Z",
    "A scope is printable ASCII without spaces, quotes and backslashes.",
    code="invalid",
)
# A name that can stand in a templated URL.
_is_field_name = RegexValidator(
    r"\A[A-Za-z_][A-Za-z0-9_]{0,63}\Z", "Use letters, digits and underscores, a letter first.", code="invalid"
)
_TEST_FIELD = {OAUTH2: "access_token", API_KEY: "api_key", CREDENTIAL: "fields"}


class TokenEndpointAuthMethod(TextChoices):
    """How the platform proves itself at the provider's token endpoint (RFC 7591 section 2)."""

    POST = "client_secret_post"
    BASIC = "client_secret_basic"
    NONE = "none"


class OAuth2Body(StrictSerializer):
    """Authorization code with PKCE at the provider's own authorization server."""

    authorization_url = UrlField()
    token_url = UrlField()
    revocation_url = UrlField(required=False, allow_blank=True)
    scopes = serializers.ListField(child=TextField(validators=[_is_scope]), max_length=MAX_SCOPES, default=list)
    pkce_required = StrictBooleanField(default=True)
    token_endpoint_auth_method = serializers.ChoiceField(
        choices=TokenEndpointAuthMethod.values, default=TokenEndpointAuthMethod.POST.value
    )
    client_id = TextField(max_length=255, required=False, help_text="The platform's client at the provider.")
    client_secret = SecretTextField(
        max_length=MAX_SECRET_LENGTH, required=False, allow_null=True, help_text="Write-only."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Hold public clients to PKCE."""
        is_public = attrs["token_endpoint_auth_method"] == TokenEndpointAuthMethod.NONE
        if is_public and not attrs["pkce_required"]:
            raise serializers.ValidationError({"pkce_required": "PKCE is required for public clients."})
        return attrs


class ApiKeyBody(StrictSerializer):
    """A key that the user gets from the provider."""

    header_name = HeaderNameField(max_length=80)
    instructions = ProseField(max_length=1000, required=False, allow_blank=True)
    validation_url = UrlField(required=False, allow_blank=True)


class CredentialFieldBody(StrictSerializer):
    """One field that the user fills in."""

    name = TextField(max_length=64, validators=[_is_field_name])
    label = ProseField(max_length=80)  # type: ignore[assignment]  # The documents name it so.
    type = serializers.ChoiceField(choices=["text", "secret"], default="text")
    required = StrictBooleanField(default=True)  # type: ignore[assignment]  # The documents name it so.


class CredentialBody(StrictSerializer):
    """Several values that the user enters."""

    fields = serializers.ListField(  # type: ignore[assignment]  # The documents name it so.
        child=CredentialFieldBody(), min_length=1, max_length=MAX_CREDENTIAL_FIELDS
    )
    validation_url = TextField(max_length=2048, required=False, allow_blank=True)
    instructions = ProseField(max_length=1000, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a name given twice, and a URL with placeholders that aren't fields."""
        names = [field["name"] for field in attrs["fields"]]
        if len(set(names)) < len(names):
            raise serializers.ValidationError({"fields": "Each name stands once."})
        if attrs.get("validation_url"):
            try:
                check_url_template(attrs["validation_url"], names, policy_from_settings())
            except UrlRefused as refused:
                fault = serializers.ErrorDetail(refused.message, code=refused.rule)
                raise serializers.ValidationError({"validation_url": [fault]}) from None
        return attrs


class TestConnectionBody(StrictSerializer):
    """A connection of the provider's own for validation; write-only."""

    access_token = SecretTextField(max_length=MAX_SECRET_LENGTH, required=False)
    api_key = SecretTextField(max_length=MAX_SECRET_LENGTH, required=False)
    fields = JsonObjectField(required=False, write_only=True)  # type: ignore[assignment]  # Spec 2 names it so.


class AuthProfileBody(StrictSerializer):
    """How the app authenticates its users: the strategy and the object of that name."""

    strategy = serializers.ChoiceField(choices=[*STRATEGIES, CUSTOM])
    oauth2 = OAuth2Body(required=False)
    api_key = ApiKeyBody(required=False)
    credential = CredentialBody(required=False)
    custom = CredentialBody(required=False, help_text="Another word for `credential`.")
    test_connection = TestConnectionBody(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return `profile` in its stored form and `given_secrets` apart from it."""
        strategy = CREDENTIAL if attrs["strategy"] == CUSTOM else attrs["strategy"]
        section = _section(strategy, attrs)
        secrets: dict[str, Any] = {}
        if "client_secret" in section:
            secrets["client_secret"] = section.pop("client_secret")
        if "test_connection" in attrs:
            secrets["test_connection"] = _test_connection(strategy, section, attrs["test_connection"])
        return {"profile": {"strategy": strategy, strategy: section}, "given_secrets": secrets}


class AuthProfileOut(serializers.Serializer[Any]):
    """The profile as it was given, without its write-only fields."""

    app_id = serializers.CharField()
    strategy = serializers.ChoiceField(choices=STRATEGIES)
    oauth2 = OAuth2Body(required=False)
    api_key = ApiKeyBody(required=False)
    credential = CredentialBody(required=False)
    has_client_secret = serializers.BooleanField()
    has_test_connection = serializers.BooleanField()


def render_auth_profile(app_id: str, profile: dict[str, Any], secrets: AuthSecrets) -> dict[str, Any]:
    """Render a profile; of its secrets only whether they are set."""
    return {
        "app_id": app_id,
        **profile,
        "has_client_secret": secrets.client_secret is not None,
        "has_test_connection": secrets.has_test_connection,
    }


def _section(strategy: str, attrs: dict[str, Any]) -> dict[str, Any]:
    """Return the object that the strategy asks for and refuse any other."""
    names = {CREDENTIAL, CUSTOM} if strategy == CREDENTIAL else {strategy}
    given = {name for name in (*STRATEGIES, CUSTOM) if name in attrs}
    faults = dict.fromkeys(sorted(given - names), f"Leave this out with the strategy {strategy}.")
    if len(given & names) != 1:
        faults[strategy] = f"The strategy {strategy} needs this object, once."
    if faults:
        raise serializers.ValidationError(faults)
    return dict(attrs[(given & names).pop()])


def _test_connection(strategy: str, section: dict[str, Any], given: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a test connection that fits the strategy; None erases it."""
    wanted = _TEST_FIELD[strategy]
    if given is None:
        return None
    if set(given) != {wanted}:
        raise serializers.ValidationError({"test_connection": f"The strategy {strategy} takes {wanted} alone."})
    if wanted == "fields":
        _check_test_fields(section, given["fields"])
    return dict(given)


def _check_test_fields(section: dict[str, Any], values: dict[str, Any]) -> None:
    declared = {field["name"]: field["required"] for field in section["fields"]}
    faults = {name: "This is not a field of the profile." for name in values if name not in declared}
    faults |= {name: "A test needs this field." for name, must in declared.items() if must and name not in values}
    faults |= {
        name: f"Send a text of 1 to {MAX_SECRET_LENGTH} characters."
        for name, value in values.items()
        if not isinstance(value, str) or not 1 <= len(value) <= MAX_SECRET_LENGTH
    }
    if faults:
        raise serializers.ValidationError({"test_connection": {"fields": faults}})
