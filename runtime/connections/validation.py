"""Checking what a user enters, a key or several fields, at the provider's validation URL."""

from typing import Any

from aiffinity.lib.crypto import Secret
from aiffinity.lib.errors import Detail, UpstreamError, ValidationFailed, field_error
from aiffinity.lib.outbound import (
    OutboundError,
    OutboundRefused,
    OutboundRequest,
    PlaceholderRefused,
    UrlRefused,
    check_header,
    policy_from_settings,
    render_url_template,
)
from runtime.connections.authority import strategy_settings
from runtime.connections.stored import Content, Grant
from runtime.models import RuntimeApp
from runtime.provider_client import api_key_header, send_outside_database, upstream_failure

MAX_VALUE_LENGTH = 4096
MAX_ANSWER_BYTES = 65_536
REFUSALS = (400, 401, 403, 404, 422)


def check_api_key(runtime_app: RuntimeApp, api_key: str) -> Grant:
    """Ask the provider whether it takes the user's key, where the profile says how.

    Raises VALIDATION_ERROR (400) at `api_key` for a key that no header can carry, and for one that the
    provider refuses; the UPSTREAM errors where it doesn't answer.
    """
    header = api_key_header(runtime_app)
    try:
        check_header(header, api_key)
    except OutboundRefused:
        raise field_error("api_key", "Send one line of printable ASCII characters.", code="invalid") from None
    url = strategy_settings(runtime_app).get("validation_url")
    if url:
        headers = (("Accept", "application/json"), (header, api_key))
        if not _is_accepted(OutboundRequest("GET", url, headers, max_response_bytes=MAX_ANSWER_BYTES)):
            raise field_error("api_key", "The provider refuses this key.", code="refused_by_provider")
    return Grant(Content(api_key=Secret(api_key)))


def check_fields(runtime_app: RuntimeApp, values: dict[str, Any]) -> Grant:
    """Check the user's fields against those declared, and ask the provider whether it takes them.

    A value stands percent-encoded in the URL, or is one DNS label of its host. Raises VALIDATION_ERROR (400)
    at `fields.<name>`, or at `fields` where the provider refuses them; the UPSTREAM errors where it doesn't
    answer.
    """
    section = strategy_settings(runtime_app)
    faults = [*_faults(section["fields"], values)]
    if faults:
        raise ValidationFailed(details=faults)
    if section.get("validation_url"):
        try:
            url = render_url_template(section["validation_url"], values, policy_from_settings())
        except PlaceholderRefused as refused:
            raise field_error(f"fields.{refused.name}", refused.message, code=refused.rule) from None
        except UrlRefused as refused:
            raise field_error("fields", refused.message, code=refused.rule) from None
        request = OutboundRequest("GET", url, (("Accept", "application/json"),), max_response_bytes=MAX_ANSWER_BYTES)
        if not _is_accepted(request):
            raise field_error("fields", "The provider refuses these values.", code="refused_by_provider")
    return Grant(Content(fields={name: Secret(value) for name, value in values.items()}))


def _faults(declared: list[dict[str, Any]], values: dict[str, Any]) -> list[Detail]:
    required = {field["name"]: field["required"] for field in declared}
    faults = [
        Detail(f"fields.{name}", "unknown_field", f"The provider asks for {', '.join(required)}.")
        for name in values
        if name not in required
    ]
    faults += [
        Detail(f"fields.{name}", "required", "The provider needs this field.")
        for name, is_required in required.items()
        if is_required and name not in values
    ]
    return faults + [
        Detail(f"fields.{name}", "invalid", f"Send a text of 1 to {MAX_VALUE_LENGTH} characters.")
        for name, value in values.items()
        if name in required and not (isinstance(value, str) and 1 <= len(value) <= MAX_VALUE_LENGTH)
    ]


def _is_accepted(request: OutboundRequest) -> bool:
    try:
        response = send_outside_database(request)
    except OutboundError as failure:
        raise upstream_failure(failure) from None
    if response.is_success:
        return True
    if response.status in REFUSALS:
        return False
    raise UpstreamError(f"The provider's validation URL answered with HTTP {response.status}.")
