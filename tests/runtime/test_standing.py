"""An endpoint that fails for days: its people hear of it at half, three quarters and the end, each time once."""

import json
import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from aiffinity.lib.mail_delivery import send_due
from aiffinity.lib.models import AuditEntry, OutgoingMail
from aiffinity.lib.outbound import OutboundResponse
from aiffinity.lib.outbound.messages import Headers
from providers.applications import delete_app
from runtime.deliveries.claims import claim_due
from runtime.deliveries.drain import drain_due
from runtime.deliveries.outcomes import judge
from runtime.deliveries.recording import record_results
from runtime.models import Delivery, Event, RuntimeApp, WebhookEndpoint
from tests.fakes import FakeProvider
from tests.fakes.switches import WebhookStep
from tests.runtime.endpoints import delay_seconds, make_due, make_endpoint, post, record_as_late

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture
def endpoint(make_account, fake_provider: FakeProvider) -> WebhookEndpoint:
    """The endpoint of the fake provider."""
    return make_endpoint(make_account(), fake_provider.webhook_url)


def fail_after(hours: float) -> None:
    """Let a delivery fail when the endpoint has been failing for so long."""
    endpoint = WebhookEndpoint.objects.select_related("runtime_app__app").get()
    WebhookEndpoint.objects.update(failing_since=timezone.now() - hours * HOUR, breaker_open_until=None)
    Delivery.objects.filter(status="pending").delete()
    post(endpoint)
    record_as_late(*claim_due())


def mails() -> list[str]:
    """Return the last word of the mails' subjects, oldest first."""
    return [mail.subject.split()[-1] for mail in OutgoingMail.objects.order_by("created_at", "pk")]


def test_people_are_told_at_half_three_quarters_and_the_end_once_each(endpoint):
    for hours in (1, 35.9):
        fail_after(hours)
    assert mails() == []
    for hours in (36, 40, 53.9):
        fail_after(hours)
    assert mails() == ["fail"]
    for hours in (54, 60, 71.9):
        fail_after(hours)
    assert mails() == ["fail", "fail"]
    fail_after(72)
    assert mails() == ["fail", "fail", "off"]
    endpoint.refresh_from_db()
    assert (endpoint.disabled_reason, endpoint.warned_percent) == ("failing", 75)


def test_late_warning_is_told_once_and_not_for_each_mark(endpoint):
    fail_after(60)
    assert mails() == ["fail"]


def test_success_in_between_starts_the_days_anew(endpoint, fake_provider):
    fail_after(40)
    make_due()
    drain_due(linger_seconds=0)
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.warned_percent) == (None, 0)
    fail_after(40)
    assert mails() == ["fail", "fail"]


@pytest.mark.parametrize(("hours", "expected"), [(36, ["fail"]), (54, ["fail"]), (72, ["off"])])
def test_two_workers_tell_it_once(endpoint, hours, expected):
    WebhookEndpoint.objects.update(failing_since=timezone.now() - hours * HOUR)
    post(endpoint, 4)
    claims = claim_due()
    start = threading.Barrier(4)

    def record(number: int) -> None:
        start.wait()
        record_as_late(claims[number])
        connection.close()

    threads = [threading.Thread(target=record, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mails() == expected
    is_disabled = expected == ["off"]
    assert AuditEntry.objects.filter(action="webhook.disabled").count() == is_disabled
    assert Event.objects.filter(type="webhook.disabled").count() == is_disabled


def test_secret_that_does_not_open_is_not_held_against_the_endpoint(endpoint, fake_provider):
    RuntimeApp.objects.update(sealed_signing_secret="v1.k9.AAAA.AAAA")
    post(endpoint, 8)
    drain_due(linger_seconds=0)
    assert Delivery.objects.filter(last_error="The signing secret can't be opened.", attempts_made=1).count() == 8
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.breaker_open_until) == (None, None)


def test_disabling_makes_one_event_that_is_stopped_and_no_more(endpoint, fake_provider):
    fake_provider.webhook_script = [410] * 20
    post(endpoint, 30)
    for _ in range(3):
        drain_due(linger_seconds=0)
        make_due()
    assert Event.objects.filter(type="webhook.disabled").count() == 1
    told = Delivery.objects.get(event__type="webhook.disabled")
    assert (told.status, told.attempts_made, told.last_error) == ("failed", 0, "The endpoint is disabled.")
    assert not Delivery.objects.filter(status="pending").exists()
    assert (Event.objects.count(), AuditEntry.objects.filter(action="webhook.disabled").count()) == (31, 1)


def test_endpoint_that_did_not_subscribe_is_disabled_without_an_event(endpoint, fake_provider):
    WebhookEndpoint.objects.update(events=["install.*"])
    endpoint.refresh_from_db()
    fake_provider.webhook_script = [410]
    post(endpoint)
    drain_due(linger_seconds=0)
    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "gone"
    assert not Event.objects.filter(type="webhook.disabled").exists()


def test_failing_deliveries_post_no_events(endpoint, fake_provider):
    fake_provider.stop()
    WebhookEndpoint.objects.update(max_retries=1)
    post(endpoint, 6)
    for _ in range(4):
        WebhookEndpoint.objects.update(breaker_open_until=None)
        drain_due(linger_seconds=0)
        make_due()
    assert Event.objects.count() == Delivery.objects.count() == 6
    assert Delivery.objects.filter(status="failed", attempts_made=2).count() == 6


def test_large_backlog_of_a_disabled_endpoint_is_stopped_in_a_few_claims(endpoint):
    WebhookEndpoint.objects.update(rate_limit_per_second=1, failing_since=timezone.now())
    post(endpoint, 450)
    WebhookEndpoint.objects.update(disabled_at=timezone.now(), breaker_open_until=timezone.now() + HOUR)
    assert [len(claim_due()) for _ in range(4)] == [200, 200, 50, 0]


def say_gone_late(fake_provider: FakeProvider, meanwhile: Callable[[], object]) -> None:
    """Let a delivery be answered 410 after something else happened while it was waited for."""
    fake_provider.webhook_script = [WebhookStep(410, delay_ms=1500)]

    def drain() -> None:
        drain_due(linger_seconds=0)
        connection.close()

    thread = threading.Thread(target=drain)
    thread.start()
    fake_provider.wait_for(lambda request: request.route == "webhooks")
    meanwhile()
    thread.join()


@pytest.mark.parametrize("path", ["", "/mended"])
def test_answer_to_the_profile_of_before_is_not_held_against_the_new_one(endpoint, fake_provider, api, id_token, path):
    token = id_token(endpoint.runtime_app.app.account)
    body = {"url": f"{fake_provider.webhook_url}{path}", "events": ["*"]}
    [delivery] = post(endpoint)

    def put() -> None:
        response = api.put(f"/v1/providers/runtime/apps/{endpoint.pk}/webhooks", body, token=token)
        assert response.status_code == 200

    say_gone_late(fake_provider, put)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.last_status_code, delivery.finished_at) == ("pending", 410, None)
    assert 49 <= delay_seconds(delivery) <= 75
    endpoint.refresh_from_db()
    assert (endpoint.disabled_at, endpoint.failing_since, endpoint.recent_outcomes) == (None, None, [])
    assert mails() == []
    make_due()
    drain_due(linger_seconds=0)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("delivered", 2)
    assert fake_provider.requests[-1].path == f"/webhooks{path}"
    endpoint.refresh_from_db()
    assert endpoint.last_success_at is not None


def test_gone_at_the_address_of_before_ends_a_delivery_that_may_not_be_tried_again(endpoint, fake_provider):
    WebhookEndpoint.objects.update(max_retries=0)
    [delivery] = post(endpoint)
    say_gone_late(fake_provider, lambda: WebhookEndpoint.objects.get().save())
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made, delivery.next_attempt_at) == ("failed", 1, None)
    assert WebhookEndpoint.objects.get().disabled_at is None


def test_gone_of_a_deleted_app_is_told_to_nobody(endpoint, fake_provider):
    [delivery] = post(endpoint)
    say_gone_late(fake_provider, lambda: delete_app(endpoint.runtime_app.app, actor="test"))
    make_due()
    drain_due(linger_seconds=0)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("failed", 1)
    assert delivery.last_error == "The app was deleted."
    assert (mails(), AuditEntry.objects.filter(action="webhook.disabled").count()) == ([], 0)


def test_answer_of_the_address_of_before_is_not_held_against_the_new_one(endpoint, fake_provider, api, id_token):
    token = id_token(endpoint.runtime_app.app.account)
    post(endpoint)
    [claim] = claim_due()
    body = {"url": f"{fake_provider.webhook_url}/mended", "events": ["*"]}
    assert api.put(f"/v1/providers/runtime/apps/{endpoint.pk}/webhooks", body, token=token).status_code == 200
    record_as_late(claim)
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.recent_outcomes) == (None, [])


def test_mails_say_since_when_and_what_to_call(endpoint, settings):
    api_path = f"{settings.BASE_URL}/v1/providers/runtime/apps/{endpoint.pk}"
    for hours in (36, 72):
        fail_after(hours)
    endpoint.refresh_from_db()
    send_due()
    warned, ended = [message.body for message in mail.outbox]
    since = f"{endpoint.failing_since:%Y-%m-%d %H:%M} UTC"
    for call in ("GET {}/webhook-deliveries", "GET {}/webhook-deliveries/<id>", "POST {}/webhooks/test"):
        assert call.format(api_path) in warned
    recover = f"POST {api_path}/webhooks/recover with "
    [said] = re.findall(re.escape(recover) + r"(\{.*?\})", str(warned))
    assert (datetime.fromisoformat(json.loads(said)["since"]) + 36 * HOUR - endpoint.disabled_at) < HOUR
    assert f"was switched off at {endpoint.disabled_at:%Y-%m-%d %H:%M} UTC" in ended
    assert f"no delivery has succeeded since {since}" in ended
    assert f"PUT {api_path}/webhooks" in ended
    assert f'POST {api_path}/webhooks/recover with {{"since": "{endpoint.failing_since:%Y-%m-%dT%H:%M:%SZ}"}}' in ended


def test_mail_about_an_endpoint_that_was_well_a_moment_ago_says_when_it_ended(endpoint):
    post(endpoint, 2)
    now = timezone.now()
    answers = [OutboundResponse(status, Headers(), b"", elapsed_ms=1, effective_ip="") for status in (200, 410)]
    claims = claim_due()
    record_results([judge(claim, answers.pop(0), attempted_at=now, now=now) for claim in claims])
    endpoint.refresh_from_db()
    assert (endpoint.disabled_reason, endpoint.failing_since) == ("gone", None)
    send_due()
    [message] = mail.outbox
    assert f'{{"since": "{endpoint.disabled_at:%Y-%m-%dT%H:%M:%SZ}"}}' in message.body
