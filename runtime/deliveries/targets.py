"""Where an endpoint's deliveries go, and why none may go there."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiffinity.lib.crypto import Secret
from runtime.deliveries.retries import RetryPolicy
from runtime.models import WebhookEndpoint
from runtime.signing_secrets import live_signing_secrets

APP_DELETED = "The app was deleted."
ENDPOINT_DISABLED = "The endpoint is disabled."
NO_URL = "The app has no webhook URL."


@dataclass(frozen=True)
class Target:
    """Where an endpoint's deliveries go; `stop_reason` says why none may, `fault` why none can just now."""

    endpoint_id: str
    url: str
    signature_header: str
    timeout_ms: int
    policy: RetryPolicy
    secrets: tuple[Secret, ...] = ()
    stop_reason: str = ""
    fault: str = ""


def load_targets(endpoint_ids: Iterable[str]) -> dict[str, Target]:
    """Return the targets of endpoints by their ids; one query."""
    endpoints = WebhookEndpoint.objects.filter(pk__in=endpoint_ids).select_related("runtime_app__app")
    return {endpoint.pk: _build_target(endpoint) for endpoint in endpoints}


def _build_target(endpoint: WebhookEndpoint) -> Target:
    stop_reason = _stop_reason(endpoint)
    secrets, fault = ((), "") if stop_reason else _open_secrets(endpoint)
    return Target(
        endpoint_id=endpoint.pk,
        url=endpoint.runtime_app.app.webhook_url,
        signature_header=endpoint.signature_header,
        timeout_ms=endpoint.timeout_ms,
        policy=RetryPolicy(
            max_retries=endpoint.max_retries,
            initial_delay_ms=endpoint.initial_delay_ms,
            max_delay_ms=endpoint.max_delay_ms,
            max_elapsed_hours=endpoint.max_elapsed_hours,
        ),
        secrets=secrets,
        stop_reason=stop_reason,
        fault=fault,
    )


def _stop_reason(endpoint: WebhookEndpoint) -> str:
    if endpoint.runtime_app.app.deleted_at is not None:
        return APP_DELETED
    if endpoint.disabled_at is not None:
        return ENDPOINT_DISABLED
    return "" if endpoint.runtime_app.app.webhook_url else NO_URL


def _open_secrets(endpoint: WebhookEndpoint) -> tuple[tuple[Secret, ...], str]:
    try:
        return tuple(live_signing_secrets(endpoint.runtime_app)), ""
    except ValueError:
        # One unreadable row must not keep all others waiting; its deliveries are retried until it opens.
        return (), "The signing secret can't be opened."
