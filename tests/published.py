"""A published package, made with the verbs of its rooms where they exist and with rows where a state is wanted."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from packages.descriptors import freeze_capabilities, hash_of
from packages.models import Package, Version
from providers.models import Account, App
from runtime.models import RuntimeApp
from runtime.registration import register_runtime_app
from runtime.signing_secrets import set_signing_secret
from tests.approvals import approve_as_rows
from tests.fakes.switches import SIGNING_SECRET

UNREACHABLE_URL = "http://127.0.0.1:9/aiffinity"
WEATHER: dict[str, Any] = {
    "name": "current_weather",
    "mode": "state",
    "description": "Current weather conditions for a location",
    "refresh_interval_seconds": 900,
    "permissions": ["weather:read"],
    "schema": {
        "input": {"type": "object", "properties": {"location": {"type": "string"}}, "additionalProperties": False},
        "output": {
            "type": "object",
            "properties": {
                "location": {"type": "string"},
                "temperature_c": {"type": "number"},
                "condition": {"type": "string"},
                "humidity_pct": {"type": "number", "minimum": 0, "maximum": 100},
            },
            "required": ["location", "temperature_c", "condition"],
        },
    },
}
TASK: dict[str, Any] = {
    "name": "create_task",
    "mode": "action",
    "description": "Create a new task in the user's project",
    "permissions": ["tasks:write"],
    "schema": {
        "input": {
            "type": "object",
            "properties": {"title": {"type": "string", "maxLength": 255}},
            "required": ["title"],
        },
        "output": {"type": "object", "properties": {"task_id": {"type": "string"}, "url": {"type": "string"}}},
    },
}
TRANSACTIONS: dict[str, Any] = {
    "name": "recent_transactions",
    "mode": "history",
    "description": "Paginated list of recent financial transactions",
    "max_items_per_page": 50,
    "cursor_field": "id",
    "schema": {
        "type": "object",
        "properties": {"id": {"type": "string"}, "amount": {"type": "number"}},
        "required": ["id", "amount"],
    },
}
TICKER: dict[str, Any] = {
    "name": "price_ticker",
    "mode": "realtime",
    "description": "Live stock price updates via SSE",
    "protocol": "sse",
    "schema": {"type": "object", "properties": {"symbol": {"type": "string"}, "price": {"type": "number"}}},
}

_numbers = itertools.count(1)


@dataclass
class Published:
    """A listed version with everything behind it."""

    account: Account
    app: App
    runtime_app: RuntimeApp
    package: Package
    version: Version

    def capability_id(self, name: str = "current_weather") -> str:
        """Return the id of a capability of the version."""
        return next(str(item["capability_id"]) for item in self.version.capabilities if item["name"] == name)

    def set_package(self, **fields: Any) -> None:
        """Change columns of the package."""
        Package.objects.filter(pk=self.package.pk).update(**fields)

    def set_version(self, **fields: Any) -> None:
        """Change columns of the version."""
        Version.objects.filter(pk=self.version.pk).update(**fields)

    def set_runtime(self, **fields: Any) -> None:
        """Change columns of the runtime app."""
        RuntimeApp.objects.filter(pk=self.runtime_app.pk).update(**fields)


@pytest.fixture
def publish(make_account: Callable[..., Account]) -> Callable[..., Published]:
    """Return a factory of listed packages; further keywords are columns of the package."""

    def make(
        *capabilities: dict[str, Any],
        runtime_url: str = UNREACHABLE_URL,
        webhook_url: str = "",
        account: Account | None = None,
        risk_tier: str = "action_capable",
        **columns: Any,
    ) -> Published:
        owner = account or make_account()
        runtime_app = _runtime_app(owner, runtime_url, webhook_url)
        number = next(_numbers)
        listing = {
            "name": "Acme Weather",
            "slug": f"acme-weather-{number}",
            "description": "Forecasts for every place",
            "category": "weather",
            "keywords": ["rain", "sunshine"],
            **columns,
        }
        now = timezone.now()
        package = Package.objects.create(account=owner, app=runtime_app.app, listed_at=now, **listing)
        with transaction.atomic():
            frozen = freeze_capabilities(runtime_app, capabilities or (WEATHER, TASK, TRANSACTIONS), actor="test")
        content_hash = hash_of(frozen, risk_tier)
        with transaction.atomic():
            version = Version.objects.create(
                package=package,
                version="1.0.0",
                risk_tier=risk_tier,
                state="listed",
                capabilities=frozen,
                content_hash=content_hash,
                approved_content_hash=content_hash,
                approved_config_hash=runtime_app.config_hash,
                listed_at=now,
            )
            approve_as_rows(version, runtime_app.config_hash)
        return Published(owner, runtime_app.app, runtime_app, package, version)

    return make


def _runtime_app(owner: Account, runtime_url: str, webhook_url: str) -> RuntimeApp:
    fields = {"name": "Acme Weather", "runtime_url": runtime_url, "redirect_uris": [], "description": "Weather"}
    if webhook_url:
        fields["webhook_url"] = webhook_url
    runtime_app = register_runtime_app(owner, actor="test", fields=fields).runtime_app
    set_signing_secret(runtime_app, actor="test", value=SIGNING_SECRET)
    return RuntimeApp.objects.select_related("app__account").get(pk=runtime_app.pk)
