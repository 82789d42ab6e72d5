"""Updates of installs: those that ask for nothing more happen by themselves, the others wait for the user."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from aiffinity.lib.models import AuditEntry
from capabilities.installs import uninstall_package
from capabilities.models import Install
from capabilities.updates import follow_updates
from packages.descriptors import freeze_capabilities, hash_of
from packages.models import Version
from tests.approvals import approve_as_rows
from tests.capabilities.conftest import Installed
from tests.fakes import FakeProvider
from tests.published import WEATHER, Published

INSTALLS = "/v1/space/installs"
WIDER = {**WEATHER, "permissions": ["weather:read", "location:read"]}
ASKED = ["location:read", "weather:read"]


def release(published: Published, *capabilities: dict[str, Any]) -> Version:
    """List a second version in the place of the first one."""
    with transaction.atomic():
        frozen = freeze_capabilities(published.runtime_app, capabilities, actor="test")
    published.set_version(state="superseded")
    content_hash = hash_of(frozen, "action_capable")
    with transaction.atomic():
        version = Version.objects.create(
            package=published.package,
            version="1.1.0",
            risk_tier="action_capable",
            state="listed",
            capabilities=frozen,
            content_hash=content_hash,
            approved_content_hash=content_hash,
            approved_config_hash=published.runtime_app.config_hash,
            listed_at=timezone.now(),
        )
        approve_as_rows(version, published.runtime_app.config_hash)
    return version


@pytest.fixture
def weather(
    publish: Callable[..., Published], install: Callable[..., Installed], fake_provider: FakeProvider
) -> Installed:
    """An install of a package with one capability."""
    return install(publish(WEATHER, runtime_url=fake_provider.runtime_url))


def version_of(installed: Installed) -> str:
    """Return the version that an install is pinned to."""
    return str(Install.objects.values_list("version_id", flat=True).get(pk=installed.install.pk))


def consent(installed: Installed, permissions: list[str], token: str = "") -> Any:
    """Agree to the permissions of an update."""
    body = {"consent": {"permissions": permissions}}
    return installed.api.patch(f"{INSTALLS}/{installed.install.pk}", body, token=token or installed.token)


def test_an_update_that_asks_for_nothing_more_is_followed(
    weather: Installed, install: Callable[..., Installed]
) -> None:
    gone = install(weather.published)
    uninstall_package(gone.user, weather.published.package, actor="test")
    assert follow_updates() == 0
    update = release(weather.published, {**WEATHER, "permissions": []})
    assert follow_updates() == 1
    assert version_of(weather) == update.pk
    assert version_of(gone) == weather.published.version.pk
    assert Install.objects.get(pk=weather.install.pk).consented_permissions == []
    entry = AuditEntry.objects.get(action="package.installs_followed")
    assert entry.data == {"from": weather.published.version.pk, "to": update.pk, "installs": 1}
    assert weather.invoke({"location": "Oslo"}).status_code == 200
    assert follow_updates() == 0


def test_an_update_that_widens_permissions_waits_for_the_user(weather: Installed) -> None:
    update = release(weather.published, WIDER)
    assert follow_updates() == 0
    assert version_of(weather) == weather.published.version.pk
    assert weather.invoke({"location": "Oslo"}).status_code == 200
    path = f"/v1/providers/packages/{weather.published.package.pk}/installability"
    reasons = {item["code"]: item for item in weather.api.get(path, token=weather.token).json()["data"]["reasons"]}
    assert (reasons["consent_required"]["action"], reasons["consent_required"]["blocking"]) == ("consent", False)
    answer = consent(weather, ASKED)
    assert answer.status_code == 200, answer.content
    assert (answer.json()["data"]["version_id"], answer.json()["data"]["permissions"]) == (update.pk, ASKED)
    entry = AuditEntry.objects.get(action="install.updated")
    assert entry.data == {"version_id": update.pk, "permissions": ASKED}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"consent": {"permissions": ["weather:read"]}}, "consent.permissions"),
        ({"consent": {}}, "consent.permissions"),
        ({"consent": None}, "consent"),
        ({"consent": {"permissions": ASKED}, "params": {"nothing": {}}}, "params.nothing"),
    ],
)
def test_a_consent_that_does_not_fit_changes_nothing(weather: Installed, body: Any, field: str) -> None:
    release(weather.published, WIDER)
    answer = weather.api.patch(f"{INSTALLS}/{weather.install.pk}", body, token=weather.token)
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (400, field)
    assert version_of(weather) == weather.published.version.pk
    assert not AuditEntry.objects.filter(action="install.updated").exists()


def test_there_is_nothing_to_consent_to_without_an_update(weather: Installed) -> None:
    answer = consent(weather, ["weather:read"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "INVALID_STATE")


def test_nobody_consents_for_somebody_else(weather: Installed, install: Callable[..., Installed]) -> None:
    release(weather.published, WIDER)
    assert consent(weather, ASKED, token=install(weather.published).token).status_code == 404
    assert version_of(weather) == weather.published.version.pk


def test_a_version_of_a_suspended_package_is_not_followed(weather: Installed) -> None:
    release(weather.published, WEATHER)
    weather.published.set_package(suspended_at=timezone.now())
    assert follow_updates() == 0
    assert version_of(weather) == weather.published.version.pk
