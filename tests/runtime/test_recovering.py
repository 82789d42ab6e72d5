"""Asking for what failed, or what was posted, once more: over HTTP and by command."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aiffinity.lib.models import AuditEntry
from providers.applications import delete_app
from runtime.deliveries import recovering, recovery_batches
from runtime.deliveries.claims import claim_due
from runtime.deliveries.drain import drain_due
from runtime.deliveries.recovering import recover_deliveries
from runtime.deliveries.recovery_batches import carry_out_recoveries
from runtime.management.commands.replay_webhooks import read_moment
from runtime.models import Delivery, Recovery, WebhookEndpoint
from tests.fakes import FakeProvider
from tests.runtime.endpoints import finish, make_endpoint, post

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 4, 10, 0, tzinfo=UTC)


@pytest.fixture
def endpoint(make_account, fake_provider: FakeProvider) -> WebhookEndpoint:
    """The endpoint of the fake provider, which gives up at once."""
    return make_endpoint(make_account(), fake_provider.webhook_url, max_retries=0)


@pytest.fixture
def recover(api, endpoint, access_token):
    """Return a function that posts to the app's recover route."""
    token = str(access_token(endpoint.runtime_app.app))
    return lambda body: api.post(f"/v1/providers/runtime/apps/{endpoint.pk}/webhooks/recover", body, token=token)


def ago(**delta: float) -> str:
    """Return a moment as the API takes it."""
    return (timezone.now() - timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_recover_resends_what_failed_since_and_nothing_else(recover, endpoint, fake_provider):
    failed, old, delivered, waiting = (post(endpoint, 2) for _ in range(4))
    finish(failed, "failed")
    finish(old, "failed", timedelta(hours=3))
    finish(delivered, "delivered")
    Delivery.objects.filter(pk__in=[each.pk for each in waiting]).update(
        next_attempt_at=timezone.now() + timedelta(hours=1)
    )
    response = recover({"since": ago(hours=1)})
    assert response.status_code == 202
    assert (response.json()["data"]["count"], response.json()["data"]["app_id"]) == (2, endpoint.pk)
    assert Delivery.objects.filter(status="failed").count() == 4
    assert not carry_out_recoveries()
    drain_due(linger_seconds=0)
    sent = {request.headers["x-aiffinity-delivery"]: request for request in fake_provider.requests}
    assert set(sent) == {each.pk for each in failed}
    for delivery in failed:
        assert sent[delivery.pk].body.decode() == delivery.event.body
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts_made, delivery.attempts_before_series) == ("delivered", 4, 3)
    entry = AuditEntry.objects.get(action="webhook.recovered")
    assert (entry.subject, entry.data["since"][:13]) == (endpoint.pk, ago(hours=1)[:13])
    assert entry.data["recovery_id"] == response.json()["data"]["id"]


def test_recovery_shows_how_far_it_is(recover, endpoint, api, id_token, monkeypatch):
    monkeypatch.setattr(recovery_batches, "BATCH_SIZE", 2)
    finish(post(endpoint, 3), "failed")
    asked = recover({"since": ago(hours=1)}).json()["data"]
    assert asked["id"].startswith("rcv_")
    assert asked == {
        "id": asked["id"],
        "app_id": endpoint.pk,
        "kind": "failed",
        "event": None,
        "since": asked["since"],
        "until": asked["created_at"],
        "status": "running",
        "count": 3,
        "resent_count": 0,
        "stop_reason": None,
        "created_at": asked["created_at"],
        "finished_at": None,
    }
    path = f"/v1/providers/runtime/apps/{endpoint.pk}/webhooks/recoveries"
    token = id_token(endpoint.runtime_app.app.account)
    assert carry_out_recoveries(spell_seconds=0)
    assert api.get(f"{path}/{asked['id']}", token=token).json()["data"] == {**asked, "resent_count": 2}
    assert not carry_out_recoveries()
    ended = api.get(f"{path}/{asked['id']}", token=token).json()["data"]
    assert {**ended, "finished_at": None} == {**asked, "status": "finished", "resent_count": 3}
    assert ended["finished_at"] is not None
    newer = recover({"since": ago(hours=2)}).json()["data"]
    listed = api.get(path, token=token).json()
    assert (listed["data"], listed["meta"]["pagination"]["total"]) == ([newer, ended], 2)


def test_recoveries_of_an_app_are_listed_with_the_same_queries_for_any_page(endpoint, api, id_token):
    path = f"/v1/providers/runtime/apps/{endpoint.pk}/webhooks/recoveries"
    token = id_token(endpoint.runtime_app.app.account)
    counts = []
    for hour in range(4):
        recover_deliveries(endpoint, since=NOW - timedelta(hours=hour), actor="test")
        with CaptureQueriesContext(connection) as captured:
            assert len(api.get(path, token=token).json()["data"]) == hour + 1
        counts.append(len(captured))
    assert len(set(counts[1:])) == 1


def test_recover_asked_for_twice_is_one_recovery_that_takes_what_failed_meanwhile(recover, endpoint, monkeypatch):
    monkeypatch.setattr(recovery_batches, "BATCH_SIZE", 2)
    finish(post(endpoint, 3), "failed")
    since = ago(hours=1)
    first = recover({"since": since}).json()["data"]
    assert carry_out_recoveries(spell_seconds=0)
    finish(post(endpoint), "failed")
    second = recover({"since": since}).json()["data"]
    assert (second["id"], second["count"], second["resent_count"]) == (first["id"], 4, 2)
    assert not carry_out_recoveries()
    assert Delivery.objects.filter(status="pending", fence=1).count() == 4
    assert Recovery.objects.get().resent_count == 4
    assert AuditEntry.objects.filter(action="webhook.recovered").count() == 2
    third = recover({"since": since}).json()["data"]
    assert third["id"] != first["id"]
    assert third["count"] == 0


def test_very_many_are_counted_by_a_worker(recover, endpoint, monkeypatch):
    monkeypatch.setattr(recovering, "COUNTED_AT_ONCE", 4)
    monkeypatch.setattr(recovery_batches, "BATCH_SIZE", 2)
    finish(post(endpoint, 5), "failed")
    assert recover({"since": ago(hours=1)}).json()["data"]["count"] is None
    assert carry_out_recoveries(spell_seconds=0)
    recovery = Recovery.objects.get()
    assert (recovery.count, recovery.resent_count) == (5, 2)


@pytest.mark.parametrize(
    "body", [{}, {"since": None}, {"since": 5}, {"since": "yesterday"}, {"since": "2999-01-01T00:00:00Z"}, {"from": 1}]
)
def test_recover_names_a_wrong_field(recover, endpoint, body):
    finish(post(endpoint), "failed")
    response = recover(body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert {detail["field"] for detail in response.json()["error"]["details"]} & {"since", "from"}
    assert Delivery.objects.get().status == "failed"


@pytest.mark.parametrize("why", ["disabled", "no profile", "no url"])
def test_recover_is_refused_where_nothing_is_sent(recover, endpoint, why):
    finish(post(endpoint), "failed")
    if why == "disabled":
        WebhookEndpoint.objects.update(disabled_at=timezone.now())
    elif why == "no url":
        endpoint.runtime_app.app.webhook_url = ""
        endpoint.runtime_app.app.save()
    else:
        Delivery.objects.all().delete()
        WebhookEndpoint.objects.all().delete()
    response = recover({"since": ago(hours=1)})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_STATE")
    assert not Delivery.objects.filter(status="pending").exists()
    assert not AuditEntry.objects.filter(action="webhook.recovered").exists()
    assert not Recovery.objects.exists()


def test_what_is_recovered_is_spread_at_half_the_rate_limit(endpoint, monkeypatch):
    monkeypatch.setattr(recovery_batches, "BATCH_SIZE", 7)
    WebhookEndpoint.objects.update(rate_limit_per_second=10)
    endpoint.refresh_from_db()
    finish(post(endpoint, 25), "failed")
    assert recover_deliveries(endpoint, since=NOW, actor="test").count == 25
    assert not carry_out_recoveries()
    times = sorted(moment for moment in Delivery.objects.values_list("next_attempt_at", flat=True) if moment)
    offsets = [round((moment - times[0]).total_seconds()) for moment in times]
    assert offsets == [0] * 10 + [2] * 10 + [4] * 5


def replay(*arguments: str) -> str:
    """Run the command and return what it printed."""
    out = StringIO()
    call_command("replay_webhooks", *arguments, stdout=out)
    return out.getvalue()


def test_command_resends_everything_that_is_over_and_was_posted_since(endpoint, fake_provider):
    failed, delivered, pending, old = (post(endpoint, 1) for _ in range(4))
    finish(failed, "failed")
    finish([*delivered, *old], "delivered")
    Delivery.objects.filter(pk=old[0].pk).update(created_at=timezone.now() - timedelta(days=2))
    arguments = ("--app", endpoint.pk, "--since", "24h")
    assert replay(*arguments, "--dry-run").startswith(f"2 deliveries to {endpoint.pk} since ")
    assert replay(*arguments, "--failed-only", "--dry-run").startswith("1 deliveries")
    assert replay(*arguments, "--event", "package.published", "--dry-run").startswith("0 deliveries")
    assert Delivery.objects.filter(status="pending").count() == 1
    assert not AuditEntry.objects.filter(action="webhook.replayed").exists()
    told = replay(*arguments, "--event", "install.created").splitlines()
    recovery = Recovery.objects.get()
    assert told[0].startswith(f"2 deliveries to {endpoint.pk} since ")
    assert told[0].endswith(" are sent again by the workers")
    assert told[1] == f"{recovery.pk} in the staff console shows how far it is"
    assert (recovery.kind, recovery.requested_by) == ("posted", "command:replay_webhooks")
    carry_out_recoveries()
    drain_due(linger_seconds=0)
    sent = {request.headers["x-aiffinity-delivery"] for request in fake_provider.requests}
    assert sent == {each.pk for each in (*failed, *delivered, *pending)}
    assert AuditEntry.objects.get(action="webhook.replayed").actor == "command:replay_webhooks"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--app", "app_none", "--since", "1h"], "--app: there is no app 'app_none' with a webhook profile."),
        (["--app", "{app}", "--since", "soon"], "--since: 'soon' is no time; write 2026-04-04T10:00:00Z, or 90m"),
        (["--app", "{app}", "--since", "2026-13-01T00:00:00Z"], "--since: '2026-13-01T00:00:00Z' is no time"),
        (["--app", "{app}", "--since", "999999d"], "--since: '999999d' is no time"),
        (
            ["--app", "{app}", "--since", "2999-01-01T00:00:00"],
            "--since: 2999-01-01T00:00:00+00:00 lies in the future.",
        ),
        (
            ["--app", "{app}", "--since", "1h", "--event", "install.creatd"],
            "--event: there is no event type 'install.creatd'; did you mean install.created?",
        ),
        (["--app", "{app}"], "the following arguments are required: --since"),
    ],
)
def test_command_says_what_is_wrong(endpoint, arguments, message):
    finish(post(endpoint), "failed")
    with pytest.raises(CommandError) as refused:
        replay(*(each.format(app=endpoint.pk) for each in arguments))
    assert message in str(refused.value)
    assert Delivery.objects.get().status == "failed"


def test_command_is_refused_for_a_deleted_app(endpoint):
    finish(post(endpoint), "failed")
    delete_app(endpoint.runtime_app.app, actor="test")
    with pytest.raises(CommandError, match="--app: The app was deleted"):
        replay("--app", endpoint.pk, "--since", "1h")
    assert Delivery.objects.get().status == "failed"


def test_command_is_refused_for_a_disabled_endpoint(endpoint):
    finish(post(endpoint), "failed")
    WebhookEndpoint.objects.update(disabled_at=timezone.now())
    with pytest.raises(CommandError, match="--app: The app's webhook endpoint is disabled"):
        replay("--app", endpoint.pk, "--since", "1h")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-04-04T09:00:00Z", NOW - timedelta(hours=1)),
        ("2026-04-04T09:00:00", NOW - timedelta(hours=1)),
        ("2026-04-04T11:00:00+02:00", NOW - timedelta(hours=1)),
    ],
)
def test_moments_are_times_or_times_ago(text, expected):
    assert read_moment(text, now=NOW) == expected


def test_claim_of_before_counts_no_longer_after_a_recovery(endpoint):
    [delivery] = post(endpoint)
    [claim] = claim_due()
    finish([delivery], "failed")
    assert recover_deliveries(endpoint, since=NOW, actor="test").count == 1
    carry_out_recoveries()
    delivery.refresh_from_db()
    assert delivery.fence == claim.fence + 1
    assert json.loads(delivery.event.body)["id"] == delivery.event_id
