"""Recoveries by many workers at once, by one that is killed and one that nobody woke: nothing is lost or sent twice."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection, transaction

from aiffinity.embedded.processes import wait_until
from aiffinity.lib.ratelimit import redis_client
from runtime.deliveries.recovering import recover_deliveries, replay_since
from runtime.deliveries.recovery_batches import carry_out_recoveries, send_batch_again
from runtime.models import Delivery, Recovery, WebhookEndpoint
from tests.runtime.endpoints import finish, make_endpoint, post

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 4, 4, 10, 0, tzinfo=UTC)
DELIVERIES = 3_000
# Batches as small as these take a while to get through, so that the signal comes in the middle of one.
CARRY_OUT = """
import django
django.setup()
from runtime.deliveries import recovery_batches
recovery_batches.BATCH_SIZE = 10
recovery_batches.carry_out_recoveries(spell_seconds=60)
"""
# As another one would see it at one moment.
STANDING = """
SELECT r.resent_count, (SELECT count(*) FROM runtime_delivery WHERE status = 'pending') FROM runtime_recovery r
"""
COPY = """
WITH event AS (
    INSERT INTO runtime_event (id, app_id, type, body, created_at)
    SELECT v.id || n, v.app_id, v.type, v.body, v.created_at
    FROM runtime_event v CROSS JOIN generate_series(1, %(copies)s) n RETURNING id, app_id
)
INSERT INTO runtime_delivery (id, event_id, endpoint_id, status, attempts_made, attempts_before_series, fence,
                              last_error, finished_at, created_at)
SELECT 'dlv_' || e.id, e.id, e.app_id, 'failed', 3, 0, 0, '', d.finished_at - random() * interval '1 second',
       d.created_at
FROM event e JOIN runtime_delivery d ON d.endpoint_id = e.app_id
"""


@pytest.fixture
def endpoint(make_account, fake_provider) -> WebhookEndpoint:
    """The endpoint of the fake provider, which gives up at once."""
    return make_endpoint(make_account(), fake_provider.webhook_url, max_retries=0)


def start(*command: str) -> "subprocess.Popen[bytes]":
    """Start a process of the platform on this test's database."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    path = f"{parts.path.rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    url = urlunsplit(parts._replace(path=path))
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "aiffinity.settings"}
    return subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment)


def standing() -> tuple[int, int]:
    """Return how many deliveries the recovery says are sent again, and how many are."""
    with connection.cursor() as cursor:
        cursor.execute(STANDING)
        said, pending = cursor.fetchone()
    return said, pending


def test_what_a_killed_worker_began_is_ended_by_another(endpoint):
    finish(post(endpoint), "failed")
    with connection.cursor() as cursor:
        cursor.execute(COPY, {"copies": DELIVERIES - 1})
    assert recover_deliveries(endpoint, since=NOW, actor="test").count == DELIVERIES
    process = start("-c", CARRY_OUT)
    try:
        assert wait_until(lambda: standing()[0] > 100, timeout_seconds=60)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    said, pending = standing()
    assert said == pending
    assert 100 < said < DELIVERIES
    assert not carry_out_recoveries(spell_seconds=60)
    recovery = Recovery.objects.get()
    assert (recovery.status, recovery.count, recovery.resent_count) == ("finished", DELIVERIES, DELIVERIES)
    assert Delivery.objects.filter(status="pending", fence=1).count() == DELIVERIES


def test_a_worker_whose_wake_up_was_lost_with_redis_finds_the_recovery(endpoint, fake_provider):
    deliveries = post(endpoint, 5)
    finish(deliveries, "failed")
    recover_deliveries(endpoint, since=NOW, actor="test")
    redis_client().flushdb()
    worker = start("-m", "celery", "--quiet", "-A", "aiffinity", "worker", "--pool", "threads", "--concurrency", "4")
    try:
        fake_provider.wait_for(lambda request: request.route == "webhooks", timeout=30)
        assert wait_until(lambda: not Delivery.objects.exclude(status="delivered").exists(), timeout_seconds=30)
    finally:
        worker.terminate()
        worker.wait(20)
    assert Recovery.objects.get().status == "finished"
    sent = [request.headers["x-aiffinity-delivery"] for request in fake_provider.requests_to("webhooks")]
    assert sorted(sent) == sorted(delivery.pk for delivery in deliveries)


def test_a_delivery_that_somebody_holds_is_waited_for_and_not_left_out(endpoint):
    held, *_ = post(endpoint, 5)
    finish(list(Delivery.objects.all()), "failed")
    recover_deliveries(endpoint, since=NOW, actor="test")
    is_held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Delivery.objects.select_for_update().get(pk=held.pk)
                is_held.set()
                may_end.wait(10)
                transaction.set_rollback(True)
        finally:
            connection.close()

    def carry_out() -> None:
        try:
            carry_out_recoveries()
        finally:
            connection.close()

    threads = [threading.Thread(target=each) for each in (hold, carry_out)]
    threads[0].start()
    assert is_held.wait(10)
    threads[1].start()
    threads[1].join(0.5)
    assert threads[1].is_alive()
    may_end.set()
    for thread in threads:
        thread.join(10)
    assert Delivery.objects.filter(status="pending", fence=1).count() == 5
    assert Recovery.objects.get().status == "finished"


def test_what_is_asked_for_while_the_last_batch_commits_is_a_recovery_of_its_own(endpoint):
    finish(post(endpoint, 5), "failed")
    first = recover_deliveries(endpoint, since=NOW, actor="test")
    asked: list[Recovery] = []

    def ask() -> None:
        try:
            asked.append(recover_deliveries(endpoint, since=NOW, actor="test"))
        finally:
            connection.close()

    thread = threading.Thread(target=ask)
    with transaction.atomic():
        assert send_batch_again()
        finish(post(endpoint), "failed")
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(10)
    [second] = asked
    assert second.pk != first.pk
    carry_out_recoveries()
    assert Delivery.objects.filter(status="pending", fence=1).count() == 6
    assert set(Recovery.objects.values_list("status", flat=True)) == {"finished"}


def test_recoveries_at_once_by_many_workers_send_each_delivery_once(endpoint, api, access_token):
    finish(post(endpoint, 90), "failed")
    token = str(access_token(endpoint.runtime_app.app))
    answers: list[dict[str, Any]] = []
    start = threading.Barrier(4)

    def run(since: str) -> None:
        try:
            start.wait(10)
            path = f"/v1/providers/runtime/apps/{endpoint.pk}/webhooks/recover"
            answers.append(api.post(path, {"since": since}, token=token).json()["data"])
            if since == "2026-04-04T10:00:00Z":
                replay_since(endpoint, since=NOW, is_failed_only=True, actor="test")
            # As in processes of their own.
            while send_batch_again():
                pass
        finally:
            connection.close()

    times = ["2026-04-04T09:00:00Z", "2026-04-04T09:00:00Z", "2026-04-04T10:00:00Z", "2026-04-04T10:00:00Z"]
    threads = [threading.Thread(target=run, args=(since,)) for since in times]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == 4
    carry_out_recoveries()
    assert Delivery.objects.filter(status="pending", fence=1).count() == 90
    assert set(Recovery.objects.values_list("status", flat=True)) == {"finished"}
    assert sum(Recovery.objects.values_list("resent_count", flat=True)) == 90
