"""Answers on the health of a runtime app."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from runtime.models import CapabilityTemplate, HealthCheck, HealthStatus, RuntimeApp

UNKNOWN = "unknown"
_CONNECTIVITY = {None: UNKNOWN, True: "reachable", False: "unreachable"}


class HealthCheckOut(serializers.Serializer[Any]):
    """One check."""

    checked_at = serializers.DateTimeField()
    healthy = serializers.BooleanField()
    status_code = serializers.IntegerField(allow_null=True)
    latency_ms = serializers.IntegerField()
    error = serializers.CharField(allow_null=True)


class HandlerOut(serializers.Serializer[Any]):
    """A handler: registered as a template, or only seen in the health body."""

    name = serializers.CharField()
    capability_id = serializers.CharField(allow_null=True)
    mode = serializers.CharField(allow_null=True)
    health = serializers.CharField(help_text="As the health body says; unknown where it is silent.")


class HealthOut(serializers.Serializer[Any]):
    """The health of a runtime app."""

    id = serializers.CharField()
    app_id = serializers.CharField()
    status = serializers.ChoiceField(choices=HealthStatus.choices)
    connectivity = serializers.ChoiceField(
        choices=list(_CONNECTIVITY.values()), help_text="At the last check: whether any answer came."
    )
    consecutive_failures = serializers.IntegerField()
    health_check_url = serializers.CharField()
    provider_version = serializers.CharField(allow_null=True)
    uptime_seconds = serializers.IntegerField(allow_null=True, help_text="As the provider reports it.")
    uptime_percent_24h = serializers.FloatField(allow_null=True, help_text="Of the checks of 24 hours.")
    handlers = HandlerOut(many=True)
    last_checked_at = serializers.DateTimeField(allow_null=True)
    last_checks = HealthCheckOut(many=True)
    last_invocation_at = serializers.DateTimeField(allow_null=True)


def render_health(
    runtime_app: RuntimeApp,
    *,
    checks: Sequence[HealthCheck],
    uptime_percent: float | None,
    templates: Sequence[CapabilityTemplate],
) -> dict[str, Any]:
    """Render an app's health with its newest checks first."""
    return {
        "id": runtime_app.pk,
        "app_id": runtime_app.pk,
        "status": runtime_app.health_status,
        "connectivity": _CONNECTIVITY[checks[0].status_code is not None if checks else None],
        "consecutive_failures": runtime_app.consecutive_failures,
        "health_check_url": runtime_app.health_check_url,
        "provider_version": runtime_app.provider_version or None,
        "uptime_seconds": runtime_app.uptime_seconds,
        "uptime_percent_24h": uptime_percent,
        "handlers": _handlers(runtime_app.capability_health, templates),
        "last_checked_at": runtime_app.health_checked_at,
        "last_checks": [check.as_dict() for check in checks],
        "last_invocation_at": runtime_app.last_invocation_at,
    }


def _handlers(seen: dict[str, str], templates: Sequence[CapabilityTemplate]) -> list[dict[str, Any]]:
    registered = {template.name: template for template in templates}
    return [
        {
            "name": name,
            "capability_id": registered[name].pk if name in registered else None,
            "mode": registered[name].mode if name in registered else None,
            "health": seen.get(name, UNKNOWN),
        }
        for name in sorted(registered.keys() | seen.keys())
    ]
