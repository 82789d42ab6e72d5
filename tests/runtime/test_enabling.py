"""A disabled endpoint comes back by its profile, a new address or ops, with a clean record."""

from datetime import timedelta

import pytest
from django.utils import timezone

from aiffinity.lib.errors import InvalidState
from aiffinity.lib.models import AuditEntry
from runtime.deliveries.drain import drain_due
from runtime.deliveries.enabling import enable_endpoint
from runtime.deliveries.recovery_batches import carry_out_recoveries
from runtime.events import post_event
from runtime.models import Delivery, WebhookEndpoint
from tests.fakes import FakeProvider
from tests.runtime.documents import WEBHOOK_PROFILE
from tests.runtime.endpoints import make_endpoint, post

pytestmark = pytest.mark.django_db


def disable() -> None:
    """Disable every endpoint, as after three bad days."""
    now = timezone.now()
    WebhookEndpoint.objects.update(
        disabled_at=now,
        disabled_reason="failing",
        failing_since=now,
        warned_percent=75,
        recent_outcomes=["a", "b", "c", "d", "e"],
        breaker_open_until=now,
    )


def is_clean(endpoint: WebhookEndpoint) -> bool:
    """Say whether nothing is held against an endpoint."""
    held = (
        endpoint.disabled_at,
        endpoint.disabled_reason,
        endpoint.failing_since,
        endpoint.warned_percent,
        endpoint.recent_outcomes,
        endpoint.breaker_open_until,
    )
    return held == (None, "", None, 0, [], None)


@pytest.mark.parametrize(
    ("method", "path", "body", "comes_back"),
    [
        ("PUT", "/webhooks", WEBHOOK_PROFILE, True),
        ("PATCH", "", {"webhook_url": "https://acmeweather.com/webhooks/mended"}, True),
        ("PATCH", "", {"webhook_url": "https://acmeweather.com/webhooks/aiffinity"}, False),
        ("PATCH", "", {"description": "Weather"}, False),
        ("PUT", "/credential-secret", {}, False),
    ],
)
def test_provider_enables_by_the_profile_or_a_new_address(registered, method, path, body, comes_back):
    disable()
    assert registered(method, path, body).status_code == 200
    endpoint = WebhookEndpoint.objects.get()
    assert is_clean(endpoint) is comes_back
    assert registered("GET", "/webhooks").json()["data"]["enabled"] is comes_back


def test_a_new_address_of_the_app_itself_is_one_of_its_webhooks_too(registered, api):
    disable()
    path, body = f"/v1/providers/apps/{registered.app_id}", {"webhook_url": "https://acmeweather.com/webhooks/mended"}
    assert api.patch(path, {"description": "Weather"}, token=registered.token).status_code == 200
    assert not is_clean(WebhookEndpoint.objects.get())
    assert api.patch(path, body, token=registered.token).status_code == 200
    assert is_clean(WebhookEndpoint.objects.get())
    profile = registered("GET", "/webhooks").json()["data"]
    assert (profile["url"], profile["enabled"]) == (body["webhook_url"], True)


def test_a_first_address_of_the_app_itself_makes_a_profile_for_all_events(register, api):
    registered = register(webhook_url="")
    assert registered("GET", "/webhooks").status_code == 404
    body = {"webhook_url": "https://acmeweather.com/webhooks"}
    assert api.patch(f"/v1/providers/apps/{registered.app_id}", body, token=registered.token).status_code == 200
    profile = registered("GET", "/webhooks").json()["data"]
    assert (profile["url"], profile["events"], profile["enabled"]) == (body["webhook_url"], ["*"], True)
    assert registered("POST", "/webhooks/test").status_code == 202


def test_what_was_stopped_stays_failed_until_it_is_recovered(make_account, fake_provider: FakeProvider, api, id_token):
    account = make_account()
    endpoint = make_endpoint(account, fake_provider.webhook_url)
    [planned, *stopped] = post(endpoint, 3)
    Delivery.objects.filter(pk=planned.pk).update(next_attempt_at=timezone.now() + timedelta(hours=1))
    disable()
    drain_due(linger_seconds=0)
    assert post_event(endpoint.pk, "install.created", {"install_id": "inst_1"}) is None
    enable_endpoint(endpoint, actor="user:1", reason="They mended it.")
    drain_due(linger_seconds=0)
    assert fake_provider.requests == []
    recover = f"/v1/providers/runtime/apps/{endpoint.pk}/webhooks/recover"
    answer = api.post(recover, {"since": "2026-04-04T10:00:00Z"}, token=id_token(account))
    assert (answer.status_code, answer.json()["data"]["count"]) == (202, 2)
    carry_out_recoveries()
    drain_due(linger_seconds=0)
    sent = {request.headers["x-aiffinity-delivery"] for request in fake_provider.requests}
    assert sent == {each.pk for each in stopped}
    assert Delivery.objects.get(pk=planned.pk).status == "pending"


def test_enabling_is_audited_and_refused_where_there_is_nothing_to_enable(registered):
    endpoint = WebhookEndpoint.objects.get()
    with pytest.raises(InvalidState):
        enable_endpoint(endpoint, actor="user:1", reason="x")
    disable()
    assert is_clean(enable_endpoint(endpoint, actor="user:1", reason="They mended it."))
    entry = AuditEntry.objects.get(action="webhook.enabled")
    assert (entry.subject, entry.actor, entry.reason) == (endpoint.pk, "user:1", "They mended it.")
