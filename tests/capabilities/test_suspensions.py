"""What stops a call before it reaches the provider."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from providers.models import Account, App
from tests.capabilities.conftest import Installed
from tests.fakes import FakeProvider
from tests.published import Published

OSLO = {"location": "Oslo"}


def codes_of(response: Any) -> list[str]:
    """Return the codes of an error's details."""
    return [detail["code"] for detail in response.json()["error"]["details"]]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda it: it.set_version(state="suspended"), "version_suspended"),
        (lambda it: it.set_version(state="draft"), "version_not_listed"),
        (lambda it: it.set_package(suspended_at=timezone.now()), "package_suspended"),
        (lambda it: it.set_runtime(status="paused"), "app_paused"),
        (lambda it: it.set_runtime(status="suspended"), "app_suspended"),
        (lambda it: it.set_runtime(health_status="degraded"), "app_degraded"),
        (lambda it: it.set_runtime(capability_health={"current_weather": "unhealthy"}), "capability_unhealthy"),
        (lambda it: it.set_runtime(config_hash="0" * 64), "approval_stale"),
        (lambda it: App.objects.filter(pk=it.app.pk).update(deleted_at=timezone.now()), "app_deleted"),
        (
            lambda it: Account.objects.filter(pk=it.account.pk).update(suspended_at=timezone.now()),
            "account_suspended",
        ),
    ],
)
def test_what_is_suspended_is_refused_at_once(
    installed: Installed, fake_provider: FakeProvider, change: Callable[[Published], Any], code: str
) -> None:
    installed.invoke(OSLO)
    change(installed.published)
    for response in (installed.invoke(OSLO), installed.api.get(installed.path("state"), token=installed.token)):
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "CAPABILITY_SUSPENDED"
        assert codes_of(response) == [code]
    assert len(fake_provider.requests_to("execute")) == 1


def test_a_superseded_version_runs_on(installed: Installed) -> None:
    installed.published.set_version(state="superseded")
    assert installed.invoke(OSLO).status_code == 200


def test_another_capabilitys_bad_health_stops_only_that_one(installed: Installed) -> None:
    installed.published.set_runtime(capability_health={"create_task": "unhealthy", "current_weather": "healthy"})
    assert installed.invoke(OSLO).status_code == 200


def test_an_app_with_an_auth_profile_needs_a_connection(installed: Installed) -> None:
    installed.published.set_runtime(auth_profile={"strategy": "api_key", "api_key": {"header_name": "X-Api-Key"}})
    response = installed.invoke(OSLO)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "CONNECTION_REQUIRED")
