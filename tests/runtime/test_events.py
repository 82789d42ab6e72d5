"""Events are written with what they tell, for those who subscribed."""

import json
import re
import time
from datetime import UTC, datetime

import pytest
from django.db import transaction
from django.utils import timezone

from aiffinity.celery import celery_app
from aiffinity.lib.wakeups import waker
from runtime.events import (
    EVENT_TYPES,
    is_event_pattern,
    is_subscribed,
    post_event,
    post_event_to,
    post_events,
)
from runtime.models import Delivery, Event, WebhookEndpoint
from tests.runtime.endpoints import make_endpoint

URL = "https://acmeweather.com/webhooks/aiffinity"
INSTALL = {"install_id": "inst_1", "package_id": "pkg_1", "user_id": "usr_1"}
DOCUMENTED = {
    "package.submitted",
    "package.published",
    "package.suspended",
    "install.created",
    "install.removed",
    "capability.invoked",
    "capability.failed",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(make_account) -> WebhookEndpoint:
    """An endpoint that subscribed to everything."""
    return make_endpoint(make_account(), URL)


def test_documents_seven_types_are_registered_with_their_data():
    assert EVENT_TYPES.keys() >= DOCUMENTED
    for name, event_type in EVENT_TYPES.items():
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", name)
        assert event_type.description.endswith(".")
        assert event_type.data_fields
        assert len({field.name for field in event_type.data_fields}) == len(event_type.data_fields)


@pytest.mark.parametrize(
    ("pattern", "is_valid"),
    [
        ("*", True),
        ("package.*", True),
        ("install.created", True),
        ("weather.*", False),
        ("package.", False),
        ("package.*.*", False),
        (".*", False),
        ("**", False),
        ("Install.created", False),
        ("install.created\n", False),
        ("", False),
    ],
)
def test_patterns_are_types_groups_and_everything(pattern: str, is_valid: bool):
    assert is_event_pattern(pattern) is is_valid


def test_subscription_takes_in_types_groups_and_everything():
    assert is_subscribed(["*"], "install.created")
    assert is_subscribed(["package.*", "install.*"], "install.created")
    assert is_subscribed(["install.created"], "install.created")
    assert not is_subscribed(["install.removed", "package.*"], "install.created")
    assert not is_subscribed([], "install.created")


def test_event_freezes_its_body_and_makes_one_due_delivery(endpoint):
    before = timezone.now()
    event = post_event(endpoint.pk, "install.created", INSTALL)
    assert event is not None
    stored = Event.objects.get()
    body = json.loads(stored.body)
    assert list(body) == ["id", "type", "created_at", "app_id", "idempotency_key", "data"]
    assert body["id"] == body["idempotency_key"] == event.pk
    assert re.fullmatch(r"evt_[0-9A-HJKMNP-TV-Z]{26}", event.pk)
    assert body["type"] == stored.type == "install.created"
    assert body["app_id"] == stored.app_id == endpoint.pk
    assert body["data"] == INSTALL
    assert body["created_at"] == stored.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    delivery = Delivery.objects.get()
    assert (delivery.event_id, delivery.endpoint_id, delivery.status) == (event.pk, endpoint.pk, "pending")
    assert delivery.next_attempt_at is not None
    assert before <= delivery.next_attempt_at <= timezone.now()


def test_body_keeps_times_and_text_of_every_script(endpoint):
    data = {"reason": "höchste Zeit ☂", "disabled_at": datetime(2026, 4, 4, 10, tzinfo=UTC)}
    event = post_event(endpoint.pk, "webhook.disabled", data)
    assert event is not None
    assert '"data":{"reason":"höchste Zeit ☂","disabled_at":"2026-04-04T10:00:00Z"}' in event.body


def test_nothing_is_written_where_nobody_subscribes(make_account, make_app):
    account = make_account()
    subscribed = make_endpoint(account, URL, events=["package.*", "install.removed"])
    unbound = make_app(account, webhook_url=URL)
    assert post_event(subscribed.pk, "install.created", INSTALL) is None
    assert post_event(unbound, "install.created", INSTALL) is None
    assert (Event.objects.count(), Delivery.objects.count()) == (0, 0)


@pytest.mark.parametrize("why", ["disabled", "deleted", "no url"])
def test_nothing_is_written_for_an_endpoint_that_gets_none(endpoint, why):
    app = endpoint.runtime_app.app
    if why == "disabled":
        WebhookEndpoint.objects.update(disabled_at=timezone.now())
    elif why == "deleted":
        app.deleted_at = timezone.now()
    else:
        app.webhook_url = ""
    app.save()
    assert post_event(app, "install.created", INSTALL) is None
    assert Event.objects.count() == 0


def test_batch_of_any_size_takes_three_statements(make_account, django_assert_num_queries):
    account = make_account()
    everything = make_endpoint(account, URL)
    packages = make_endpoint(account, URL, events=["package.*"])
    batch = [
        posting
        for number in range(50)
        for posting in (
            (everything.pk, "install.created", {**INSTALL, "install_id": f"inst_{number}"}),
            (packages.runtime_app.app, "install.created", INSTALL),
            (packages.pk, "package.resumed", {"package_id": f"pkg_{number}"}),
        )
    ]
    with django_assert_num_queries(3):
        events = post_events(batch)
    assert [event is None for event in events] == [False, True, False] * 50
    assert Delivery.objects.filter(endpoint=everything).count() == 50
    assert Delivery.objects.filter(endpoint=packages).count() == 50
    written = [json.loads(event.body)["data"] for event in events[::3] if event is not None]
    assert [data["install_id"] for data in written] == [f"inst_{number}" for number in range(50)]


def test_empty_batch_writes_nothing(endpoint):
    assert post_events([]) == []


def test_unknown_type_and_undocumented_data_are_refused(endpoint):
    with pytest.raises(ValueError, match=r"no event type 'install\.made'"):
        post_event(endpoint.pk, "install.made", {})
    with pytest.raises(ValueError, match="no documented data named email, password"):
        post_event(endpoint.pk, "install.created", {"password": "x", "email": "y"})
    assert Event.objects.count() == 0


def test_ping_reaches_an_endpoint_that_did_not_subscribe(make_account):
    endpoint = make_endpoint(make_account(), URL, events=["package.submitted"])
    delivery = post_event_to(endpoint, "platform.ping", {"message": "Hello."})
    assert Delivery.objects.get().pk == delivery.pk
    assert Event.objects.get().type == "platform.ping"


def test_event_vanishes_with_the_change_that_it_tells(endpoint):
    with transaction.atomic():
        post_event(endpoint.pk, "install.created", INSTALL)
        assert Event.objects.count() == 1
        transaction.set_rollback(True)
    assert (Event.objects.count(), Delivery.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_event_outside_a_transaction_is_refused(make_account):
    endpoint = make_endpoint(make_account(), URL)
    with pytest.raises(transaction.TransactionManagementError, match="inside transaction"):
        post_event(endpoint.pk, "install.created", INSTALL)
    assert Event.objects.count() == 0


@pytest.fixture
def broker_away():
    """A Celery application whose broker refuses connections."""
    broker_url = celery_app.conf.broker_url
    for url in ("redis://127.0.0.1:1/0", broker_url):
        celery_app.conf.update(broker_url=url, broker_write_url=url)
        # It forgets its open connections as in a child process.
        celery_app._after_fork()  # type: ignore[attr-defined]
        if url != broker_url:
            yield


@pytest.mark.django_db(transaction=True)
def test_event_commits_without_delay_while_the_broker_is_away(make_account, broker_away, caplog):
    endpoint = make_endpoint(make_account(), URL)
    began_at = time.monotonic()
    with transaction.atomic():
        post_event(endpoint.pk, "install.created", INSTALL)
    assert time.monotonic() - began_at < 1
    assert Delivery.objects.filter(status="pending").count() == 1
    assert waker.flush(10)
    assert "no wake-up for runtime.tasks.deliver_due_webhooks" in caplog.text
