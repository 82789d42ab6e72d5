"""Deliveries to a real endpoint: what is sent, and what an answer means."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from aiffinity.lib.models import AuditEntry, OutgoingMail
from providers.models import Account
from runtime.deliveries.drain import drain_due
from runtime.deliveries.outcomes import parse_retry_after
from runtime.models import Delivery, DeliveryAttempt, RuntimeApp, WebhookEndpoint
from runtime.signing_secrets import set_signing_secret
from tests.fakes import FakeProvider, WebhookStep
from tests.fakes.switches import SIGNING_SECRET
from tests.runtime.endpoints import delay_seconds, make_due, make_endpoint, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(make_account, fake_provider: FakeProvider) -> WebhookEndpoint:
    """The endpoint of the fake provider."""
    return make_endpoint(make_account(), fake_provider.webhook_url)


def test_delivery_carries_frozen_bytes_and_headers_that_verify(endpoint, fake_provider):
    [delivery] = post(endpoint)
    assert drain_due(linger_seconds=0) is False
    [request] = fake_provider.requests_to("webhooks")
    assert request.body.decode() == delivery.event.body
    assert request.signatures == {"hex": True, "standard_webhooks": True}
    headers = request.headers
    assert headers["content-type"] == "application/json"
    assert headers["x-aiffinity-event"] == "install.created"
    assert headers["x-aiffinity-delivery"] == delivery.pk
    assert headers["webhook-id"] == delivery.event_id
    assert headers["webhook-timestamp"] == headers["x-aiffinity-timestamp"]
    assert abs(int(headers["x-aiffinity-timestamp"]) - time.time()) < 10
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made, delivery.last_status_code) == ("delivered", 1, 200)
    assert (delivery.next_attempt_at, delivery.lease_until, delivery.last_error) == (None, None, "")
    attempt = delivery.attempts.get()
    assert (attempt.number, attempt.status_code, attempt.error) == (1, 200, "")
    assert attempt.response_excerpt == '{"received": true}'
    assert delivery.finished_at is not None
    assert delivery.finished_at >= attempt.attempted_at
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.last_success_at) == (None, delivery.finished_at)


def test_configured_header_carries_the_hex_signature(endpoint, fake_provider):
    WebhookEndpoint.objects.update(signature_header="X-Signature-256")
    fake_provider.signature_header = "X-Signature-256"
    post(endpoint)
    drain_due(linger_seconds=0)
    [request] = fake_provider.requests_to("webhooks")
    assert request.is_verified
    assert "x-aiffinity-signature" not in request.headers


def test_secret_without_base64_leaves_the_standard_headers_out(endpoint, fake_provider):
    runtime_app = RuntimeApp.objects.select_related("app").get()
    RuntimeApp.objects.update(sealed_previous_signing_secret="", previous_signing_secret_expires_at=None)
    set_signing_secret(runtime_app, actor="test", value="whsec_your-signing-secret")
    RuntimeApp.objects.update(sealed_previous_signing_secret="")
    fake_provider.signing_secret = "whsec_your-signing-secret"
    post(endpoint)
    drain_due(linger_seconds=0)
    [request] = fake_provider.requests_to("webhooks")
    assert request.signatures == {"hex": True}
    assert not {"webhook-id", "webhook-timestamp", "webhook-signature"} & set(request.headers)


def test_both_secrets_sign_during_a_rotation(endpoint, fake_provider):
    runtime_app = RuntimeApp.objects.select_related("app").get()
    fresh = set_signing_secret(runtime_app, actor="test").reveal()
    fake_provider.accept_bad_signatures = True
    for secret, expected in (
        (fresh, {"hex": True, "standard_webhooks": True}),
        (SIGNING_SECRET, {"hex": False, "standard_webhooks": True}),
    ):
        fake_provider.reset()
        fake_provider.accept_bad_signatures = True
        fake_provider.signing_secret = secret
        post(endpoint)
        drain_due(linger_seconds=0)
        [request] = fake_provider.requests_to("webhooks")
        assert request.signatures == expected


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(endpoint, fake_provider, status):
    fake_provider.webhook_script = [WebhookStep(status, content=b"")]
    post(endpoint)
    drain_due(linger_seconds=0)
    assert Delivery.objects.get().status == "delivered"


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 429, 500, 502, 503])
def test_other_answers_are_tried_again_with_the_same_bytes(endpoint, fake_provider, status):
    fake_provider.webhook_script = [status, 200]
    [delivery] = post(endpoint)
    drain_due(linger_seconds=0)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made, delivery.last_status_code) == ("pending", 1, status)
    assert delivery.last_error == f"The endpoint answered {status}."
    delay = delay_seconds(delivery)
    assert 48 <= delay <= 73
    endpoint.refresh_from_db()
    assert endpoint.failing_since is not None
    make_due()
    drain_due(linger_seconds=0)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made, delivery.last_error) == ("delivered", 2, "")
    first, second = fake_provider.requests_to("webhooks")
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert [attempt.status_code for attempt in delivery.attempts.order_by("number")] == [status, 200]
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_a_failure_and_not_followed(endpoint, fake_provider, status):
    elsewhere = f"{fake_provider.url}/webhooks/elsewhere"
    fake_provider.webhook_script = [WebhookStep(status, headers={"Location": elsewhere})]
    post(endpoint)
    drain_due(linger_seconds=0)
    delivery = Delivery.objects.get()
    assert delivery.status == "pending"
    assert delivery.last_error == f"The endpoint answered {status}; redirects are not followed."
    assert len(fake_provider.requests_to("webhooks")) == 1


def test_410_ends_the_delivery_and_disables_the_endpoint(endpoint, fake_provider):
    fake_provider.webhook_script = [410]
    [first] = post(endpoint)
    drain_due(linger_seconds=0)
    first.refresh_from_db()
    assert (first.status, first.next_attempt_at) == ("failed", None)
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is not None
    assert endpoint.disabled_reason == "gone"
    entry = AuditEntry.objects.get(action="webhook.disabled")
    assert (entry.subject, entry.actor, entry.reason) == (endpoint.pk, "system", "gone")
    [told] = Delivery.objects.filter(event__type="webhook.disabled")
    assert json.loads(told.event.body)["data"]["reason"] == "gone"
    assert OutgoingMail.objects.get().to == endpoint.runtime_app.app.account.email
    drain_due(linger_seconds=0)
    assert len(fake_provider.requests_to("webhooks")) == 1


@pytest.mark.parametrize(("failing_for", "is_disabled"), [(timedelta(days=3), True), (timedelta(days=2.9), False)])
def test_endpoint_without_a_success_for_three_days_is_disabled(endpoint, fake_provider, failing_for, is_disabled):
    WebhookEndpoint.objects.update(failing_since=timezone.now() - failing_for)
    fake_provider.webhook_script = [500]
    post(endpoint)
    drain_due(linger_seconds=0)
    endpoint.refresh_from_db()
    assert (endpoint.disabled_at is not None) is is_disabled
    assert endpoint.disabled_reason == ("failing" if is_disabled else "")
    assert AuditEntry.objects.filter(action="webhook.disabled").count() == is_disabled
    [mail] = OutgoingMail.objects.all()
    assert ("switched off" in mail.subject) is is_disabled


def test_account_that_wants_no_mail_on_failures_gets_none(endpoint, fake_provider):
    Account.objects.update(notification_preferences={"webhook_failures": False})
    fake_provider.webhook_script = [410]
    post(endpoint)
    drain_due(linger_seconds=0)
    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "gone"
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize(("status", "is_honoured"), [(429, True), (503, True), (500, False)])
def test_retry_after_is_honoured_where_it_means_patience(endpoint, fake_provider, status, is_honoured):
    fake_provider.webhook_script = [WebhookStep(status, headers={"Retry-After": "600"})]
    [delivery] = post(endpoint)
    drain_due(linger_seconds=0)
    delivery.refresh_from_db()
    delay = delay_seconds(delivery)
    assert (600 <= delay < 610) if is_honoured else (48 <= delay < 73)


def test_retry_after_is_honoured_beyond_the_policys_delays_up_to_four_hours(endpoint, fake_provider):
    WebhookEndpoint.objects.update(max_delay_ms=120_000)
    fake_provider.webhook_script = [WebhookStep(429, headers={"Retry-After": "999999"})]
    [delivery] = post(endpoint)
    drain_due(linger_seconds=0)
    delivery.refresh_from_db()
    assert 14_400 <= delay_seconds(delivery) < 14_410


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("Sat, 04 Apr 2026 10:02:00 GMT", 120),
        ("Sat, 04 Apr 2026 09:00:00 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("9" * 9, 999_999_999),
        ("9" * 10, 14_400),
        ("9" * 30_000, 14_400),
        ("0" * 20 + "60", 60),
        ("٣", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    now = datetime(2026, 4, 4, 10, 0, tzinfo=UTC)
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert parse_retry_after(value, now) == expected


def test_retries_end_with_their_count(endpoint, fake_provider):
    WebhookEndpoint.objects.update(max_retries=2)
    fake_provider.webhook_script = [500] * 10
    [delivery] = post(endpoint)
    for _ in range(5):
        drain_due(linger_seconds=0)
        make_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("failed", 3)
    assert delivery.finished_at is not None
    assert len(fake_provider.requests_to("webhooks")) == 3


def test_retries_end_with_the_hours(endpoint, fake_provider):
    fake_provider.webhook_script = [500] * 10
    [delivery] = post(endpoint)
    drain_due(linger_seconds=0)
    Delivery.objects.update(series_started_at=timezone.now() - timedelta(hours=24))
    make_due()
    drain_due(linger_seconds=0)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("failed", 2)


def test_near_retries_are_waited_for_and_on_time(endpoint, fake_provider):
    WebhookEndpoint.objects.update(initial_delay_ms=100)
    fake_provider.webhook_script = [500, 500, 200]
    [delivery] = post(endpoint)
    drain_due(linger_seconds=2)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("delivered", 3)
    first, second, third = delivery.attempts.order_by("number")
    assert 0.08 <= (second.attempted_at - first.attempted_at).total_seconds() < 0.5
    assert 0.16 <= (third.attempted_at - second.attempted_at).total_seconds() < 0.6


def test_endpoint_that_is_down_is_a_failed_attempt_without_status(endpoint, fake_provider):
    fake_provider.stop()
    [delivery] = post(endpoint)
    drain_due(linger_seconds=0)
    attempt = delivery.attempts.get()
    assert (attempt.status_code, attempt.response_excerpt) == (None, "")
    assert attempt.error == "The host does not accept the connection."


def test_answer_after_the_time_limit_is_a_failure(endpoint, fake_provider):
    WebhookEndpoint.objects.update(timeout_ms=200)
    fake_provider.webhook_script = [WebhookStep(delay_ms=2000)]
    [delivery] = post(endpoint)
    drain_due(linger_seconds=0)
    attempt = delivery.attempts.get()
    assert (attempt.status_code, attempt.error) == (None, "There was no complete answer in time.")
    assert 180 <= attempt.latency_ms <= 700


def test_only_the_first_2_kib_of_an_answer_are_kept(endpoint, fake_provider):
    content = b"\x00\xff" + b"a" * 5000
    fake_provider.webhook_script = [WebhookStep(content=content)]
    [delivery] = post(endpoint)
    drain_due(linger_seconds=0)
    kept = delivery.attempts.get().response_excerpt
    assert kept == "\ufffd\ufffd" + "a" * 2046
    delivery.refresh_from_db()
    assert delivery.status == "delivered"


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b"a" * 2047 + "é".encode(), "a" * 2047),
        (b"a" * 2045 + "😀".encode(), "a" * 2045),
        (b"a" * 2044 + "😀".encode() + b"b", "a" * 2044 + "😀"),
        ("é".encode()[:1], "\ufffd"),
    ],
)
def test_an_answer_is_not_cut_inside_a_character(endpoint, fake_provider, content, kept):
    fake_provider.webhook_script = [WebhookStep(content=content)]
    [delivery] = post(endpoint)
    drain_due(linger_seconds=0)
    assert delivery.attempts.get().response_excerpt == kept


def test_refused_address_is_a_failed_attempt_and_never_connected(endpoint, fake_provider, settings):
    settings.EGRESS_ALLOW = []
    settings.EGRESS_ALLOW_HTTP = False
    [delivery] = post(endpoint)
    drain_due(linger_seconds=0)
    assert fake_provider.requests == []
    attempt = delivery.attempts.get()
    assert attempt.error == "The URL must begin with https://."


@pytest.mark.parametrize("why", ["disabled", "deleted", "no url"])
def test_endpoint_that_gets_none_any_more_stops_what_was_waiting(endpoint, fake_provider, why):
    deliveries = post(endpoint, 3)
    app = endpoint.runtime_app.app
    if why == "disabled":
        WebhookEndpoint.objects.update(disabled_at=timezone.now())
    elif why == "deleted":
        app.deleted_at = timezone.now()
    else:
        app.webhook_url = ""
    app.save()
    drain_due(linger_seconds=0)
    assert fake_provider.requests == []
    reason = {
        "disabled": "The endpoint is disabled.",
        "deleted": "The app was deleted.",
        "no url": "The app has no webhook URL.",
    }
    for delivery in deliveries:
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts_made) == ("failed", 0)
        assert delivery.last_error == reason[why]
    assert DeliveryAttempt.objects.count() == 0


def test_unreadable_secret_delays_its_own_deliveries_alone(make_account, fake_provider):
    account = make_account()
    broken = make_endpoint(account, fake_provider.webhook_url)
    good = make_endpoint(account, fake_provider.webhook_url)
    RuntimeApp.objects.filter(pk=broken.pk).update(sealed_signing_secret="v1.k9.AAAA.AAAA")
    [stuck] = post(broken)
    [sent] = post(good)
    drain_due(linger_seconds=0)
    stuck.refresh_from_db()
    sent.refresh_from_db()
    assert sent.status == "delivered"
    assert (stuck.status, stuck.last_error) == ("pending", "The signing secret can't be opened.")
