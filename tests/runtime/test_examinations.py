"""What the doctor says of health checks, deliveries, endpoints and connections, when it is really so."""

from datetime import timedelta

import pytest
from django.utils import timezone

from aiffinity.lib import doctor
from runtime import examinations
from runtime.deliveries.claims import claim_due
from runtime.deliveries.recovering import recover_deliveries
from runtime.deliveries.recovery_batches import carry_out_recoveries
from runtime.models import Connection, Delivery, Recovery, RuntimeApp, WebhookEndpoint
from tests.runtime.endpoints import make_endpoint, post

pytestmark = pytest.mark.django_db

HOOKS = "https://acmeweather.com/hooks"


def codes(findings):
    return [(finding.code, finding.severity.name) for finding in findings]


def ago(**span):
    return timezone.now() - timedelta(**span)


@pytest.fixture
def endpoint(make_account):
    return make_endpoint(make_account(), HOOKS)


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (timedelta(seconds=10), []),
        (timedelta(seconds=40), [("health_checks_late", "WARNING")]),
        (timedelta(minutes=4), [("health_checks_late", "FAULT")]),
    ],
)
def test_late_health_checks(register, late, expected):
    app = register().runtime_app
    RuntimeApp.objects.update(next_health_check_at=timezone.now() - late)
    assert codes(examinations.examine_health_checks()) == expected
    RuntimeApp.objects.filter(pk=app.pk).update(status="paused")
    assert list(examinations.examine_health_checks()) == []


def test_few_degraded_apps_are_a_note_and_many_a_warning(register):
    apps = [register() for _ in range(4)]
    assert list(examinations.examine_apps()) == []
    RuntimeApp.objects.filter(pk=apps[0].app_id).update(health_status="degraded")
    [finding] = examinations.examine_apps()
    assert (finding.severity.name, finding.what) == ("NOTE", "1 of 4 apps fail their health checks.")
    RuntimeApp.objects.update(health_status="degraded")
    [finding] = examinations.examine_apps()
    assert (finding.severity.name, "way out" in finding.remedy) == ("WARNING", True)


def test_late_deliveries_of_endpoints_that_are_well(endpoint):
    post(endpoint, 2)
    assert list(examinations.examine_deliveries()) == []
    Delivery.objects.update(next_attempt_at=ago(minutes=3))
    [finding] = examinations.examine_deliveries()
    assert (finding.code, finding.severity.name) == ("deliveries_late", "WARNING")
    assert finding.what == "2 webhook deliveries are due; the longest waits for 3 min."
    Delivery.objects.update(next_attempt_at=ago(minutes=11))
    assert codes(examinations.examine_deliveries()) == [("deliveries_late", "FAULT")]
    # What fails or is held back is late by design.
    WebhookEndpoint.objects.update(failing_since=ago(minutes=20))
    assert list(examinations.examine_deliveries()) == []
    WebhookEndpoint.objects.update(failing_since=None, breaker_open_until=timezone.now() + timedelta(seconds=30))
    assert list(examinations.examine_deliveries()) == []


@pytest.mark.parametrize(
    ("fields", "count"), [({"rate_limit_per_second": 1}, 3), ({"rate_limit_per_second": 1000}, 30)]
)
def test_deliveries_that_wait_for_their_endpoints_own_limits_are_nobodys_delay(endpoint, make_account, fields, count):
    WebhookEndpoint.objects.update(**fields)
    post(endpoint, count)
    assert 0 < len(claim_due()) < count
    Delivery.objects.filter(lease_until=None).update(next_attempt_at=ago(minutes=11))
    assert list(examinations.examine_deliveries()) == []
    # Others are late all the same, and so is it where nobody claims any more.
    post(make_endpoint(make_account("Other Company"), HOOKS))
    Delivery.objects.exclude(endpoint=endpoint).update(next_attempt_at=ago(minutes=3))
    assert codes(examinations.examine_deliveries()) == [("deliveries_late", "WARNING")]
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(paced_until=ago(minutes=10))
    Delivery.objects.exclude(lease_until=None).update(lease_until=ago(minutes=10), next_attempt_at=ago(minutes=10))
    assert codes(examinations.examine_deliveries()) == [("deliveries_late", "FAULT")]


def test_deliveries_that_a_dead_worker_held_are_late_like_all_others(endpoint):
    post(endpoint)
    assert len(claim_due()) == 1
    assert list(examinations.examine_deliveries()) == []
    Delivery.objects.update(lease_until=ago(minutes=3), next_attempt_at=ago(minutes=3))
    assert codes(examinations.examine_deliveries()) == [("deliveries_late", "WARNING")]
    # What it held of an endpoint that fails waits behind that one's backlog, however long that is.
    WebhookEndpoint.objects.update(failing_since=ago(minutes=20))
    assert [code for code, _ in codes(doctor.examine_all()) if "deliveries" in code] == []


def test_recoveries_that_get_no_further(endpoint):
    recover_deliveries(endpoint, since=ago(hours=1), actor="test")
    assert list(examinations.examine_recoveries()) == []
    Recovery.objects.update(updated_at=ago(minutes=2))
    [finding] = examinations.examine_recoveries()
    assert (finding.code, finding.severity.name) == ("recoveries_late", "WARNING")
    assert finding.what == "1 webhook recoveries are running; one has got no further for 2 min."
    Recovery.objects.update(updated_at=ago(minutes=11))
    assert codes(examinations.examine_recoveries()) == [("recoveries_late", "FAULT")]
    carry_out_recoveries()
    assert list(examinations.examine_recoveries()) == []


def test_disabled_and_failing_endpoints_are_notes(endpoint):
    assert list(examinations.examine_endpoints()) == []
    WebhookEndpoint.objects.update(failing_since=ago(hours=2))
    assert codes(examinations.examine_endpoints()) == [("endpoints_failing", "NOTE")]
    WebhookEndpoint.objects.update(disabled_at=timezone.now())
    assert codes(examinations.examine_endpoints()) == [("endpoints_disabled", "NOTE")]


def test_late_refreshes(register, make_user):
    app = register().runtime_app
    assert list(examinations.examine_connections()) == []
    Connection.objects.create(
        runtime_app=app,
        user=make_user(),
        install_id="inst_1",
        strategy="oauth2",
        sealed_content="",
        authority_hash="",
        connected_at=timezone.now(),
        next_attempt_at=ago(minutes=6),
    )
    assert codes(examinations.examine_connections()) == [("connections_late", "WARNING")]
    Connection.objects.update(next_attempt_at=ago(hours=3))
    [finding] = examinations.examine_connections()
    assert (finding.severity.name, "3 h overdue" in finding.what) == ("FAULT", True)
