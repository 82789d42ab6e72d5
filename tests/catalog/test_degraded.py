"""An app that fails its health checks, from the first strike to the recovery: calls, catalog, installs, events."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from capabilities.installs import install_package
from runtime.health.loop import run_due_checks
from runtime.models import Event, RuntimeApp
from runtime.provider_client import breaker
from runtime.registration import update_runtime_app
from tests.fakes import FakeProvider
from tests.published import Published

pytestmark = pytest.mark.django_db(transaction=True)

CAPABILITIES = "/v1/providers/capabilities"
OSLO = {"params": {"location": "Oslo"}}


@pytest.fixture
def published(publish: Callable[..., Published], fake_provider: FakeProvider) -> Published:
    """A listed package whose provider has a health URL and a subscribed webhook."""
    made = publish(runtime_url=fake_provider.runtime_url, webhook_url=fake_provider.webhook_url)
    made.set_runtime(health_check_url=fake_provider.health_check_url)
    return made


@pytest.fixture
def user(
    api: Any, published: Published, make_user: Callable[..., Any], id_token: Callable[..., str]
) -> Callable[..., Any]:
    """Return a function that calls the API as a user who has the package installed."""
    consumer = make_user()
    install_package(consumer, published.package, actor="test")
    token = id_token(consumer)
    return lambda method, path, body=None: api(method, path, body, token=token)


def check_now() -> None:
    """Let the loop check every app."""
    RuntimeApp.objects.update(next_health_check_at=timezone.now() - timedelta(seconds=1))
    assert run_due_checks().checked == 1


def invoke(user: Callable[..., Any], published: Published, name: str = "current_weather", **body: Any) -> Any:
    """Invoke a capability."""
    return user("POST", f"{CAPABILITIES}/{published.capability_id(name)}/invoke", body or OSLO)


def badges(user: Callable[..., Any], published: Published) -> tuple[list[str], list[str]]:
    """Return the badges in the catalog, which list, page and installability agree on, and in the user's installs."""
    page = user("GET", f"/v1/providers/packages/{published.package.slug}").json()["data"]
    [listing] = user("GET", "/v1/providers/packages/catalog").json()["data"]
    [install] = user("GET", "/v1/space/installs").json()["data"]
    assert listing["badges"] == page["badges"]
    judged = user("GET", f"/v1/providers/packages/{published.package.pk}/installability").json()["data"]
    reasons = [each for each in judged["reasons"] if each["code"] == "app_degraded"]
    assert [each["blocking"] for each in reasons] == [False] * ("degraded" in page["badges"])
    return page["badges"], install["badges"]


def test_three_strikes_suspend_everything_and_the_first_success_restores_it(
    published: Published, user: Callable[..., Any], fake_provider: FakeProvider
) -> None:
    fake_provider.health_status = 500
    for _ in range(2):
        check_now()
    assert invoke(user, published).status_code == 200
    assert badges(user, published) == ([], [])
    check_now()
    refused = invoke(user, published)
    assert (refused.status_code, refused.json()["error"]["details"][0]["code"]) == (503, "app_degraded")
    assert badges(user, published) == (["degraded"], ["degraded"])
    fake_provider.health_status = 200
    check_now()
    assert invoke(user, published).status_code == 200
    assert badges(user, published) == ([], [])
    told = Event.objects.filter(app_id=published.app.pk).exclude(type__startswith="capability.invoked")
    types = list(told.order_by("created_at", "pk").values_list("type", flat=True))
    assert types.count("capability.failed") == 3
    assert [each for each in types if each.startswith("app.")] == ["app.degraded", "app.recovered"]


def test_a_capability_that_is_called_unhealthy_is_suspended_alone_and_comes_back(
    published: Published, user: Callable[..., Any], fake_provider: FakeProvider
) -> None:
    fake_provider.capability_health = {"current_weather": "unhealthy"}
    check_now()
    refused = invoke(user, published)
    assert (refused.status_code, refused.json()["error"]["details"][0]["code"]) == (503, "capability_unhealthy")
    assert invoke(user, published, "recent_transactions", params={}).status_code == 200
    assert badges(user, published) == ([], [])
    fake_provider.capability_health = {}
    check_now()
    assert invoke(user, published).status_code == 200


def test_a_provider_that_drops_its_health_url_is_called_again(
    published: Published, user: Callable[..., Any], fake_provider: FakeProvider
) -> None:
    fake_provider.health_status, fake_provider.capability_health = 500, {"current_weather": "down"}
    for _ in range(3):
        check_now()
    assert invoke(user, published).status_code == 503
    update_runtime_app(published.runtime_app, actor="test", fields={"health_check_url": ""})
    assert invoke(user, published).status_code == 200
    assert badges(user, published) == ([], [])
    told = Event.objects.filter(app_id=published.app.pk, type__startswith="app.")
    assert list(told.order_by("created_at", "pk").values_list("type", flat=True)) == ["app.degraded", "app.recovered"]


def test_health_checks_pass_an_open_circuit_breaker(published: Published, fake_provider: FakeProvider) -> None:
    key = (published.app.pk, fake_provider.runtime_url.split("/")[2], False, "")
    for _ in range(5):
        breaker.record(key, ok=False)
    assert not breaker.allow(key)
    check_now()
    assert published.runtime_app.pk == RuntimeApp.objects.get(health_status="healthy").pk
    assert len(fake_provider.requests_to("health")) == 1
