"""The loop over all apps: everyone in turn, nobody twice, and the results under their fences."""

import threading
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from aiffinity.embedded.processes import wait_until
from aiffinity.lib.ratelimit import redis_client
from aiffinity.lib.wakeups import waker
from runtime.examinations import examine_health_checks
from runtime.health.claims import CheckClaim, claim_due_checks, has_due_checks
from runtime.health.history import purge_health_checks
from runtime.health.looking import Sighting
from runtime.health.loop import CheckLoop, run_due_checks
from runtime.health.recording import Seen, record_checks
from runtime.health.schedule import INTERVAL
from runtime.models import Event, HealthCheck, RuntimeApp
from runtime.tasks import deliver_due_webhooks
from tests.fakes import FakeProvider
from tests.parallel import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)

APPS_PATH = "/v1/providers/apps"


@pytest.fixture
def apps(register, fake_provider):
    """Three apps of two accounts behind one provider, all due."""
    fields = {"runtime_url": fake_provider.runtime_url, "health_check_url": fake_provider.health_check_url}
    first = register(**fields)
    return [first, register(first.account, **fields), register(**fields)]


def make_due(**ago):
    RuntimeApp.objects.update(next_health_check_at=timezone.now() - timedelta(**(ago or {"seconds": 1})))


def apart(call: Callable[[], object]) -> threading.Thread:
    """Return a thread that makes a call with a database connection of its own."""

    def run() -> None:
        try:
            call()
        finally:
            connection.close()

    return threading.Thread(target=run)


def count_reaches(count: int) -> bool:
    """Wait until so many checks are recorded."""
    return wait_until(lambda: HealthCheck.objects.count() == count, timeout_seconds=30)


def checks_by_app():
    return sorted(HealthCheck.objects.values_list("runtime_app_id", flat=True))


def ids_of(apps):
    return sorted(app.app_id for app in apps)


def test_every_due_app_is_checked_once_and_gets_its_next_turn(apps):
    tally = run_due_checks()
    assert (tally.checked, tally.failed, tally.has_left_some) == (3, 0, False)
    assert checks_by_app() == ids_of(apps)
    for app in apps:
        row = app.runtime_app
        assert (row.health_status, row.health_lease_until, row.health_fence) == ("healthy", None, 1)
        assert timedelta(0) < row.next_health_check_at - timezone.now() <= timedelta(seconds=75)
    assert run_due_checks().checked == 0


def test_after_ten_minutes_without_a_beat_each_app_is_caught_up_once(apps, fake_provider):
    run_due_checks()
    make_due(minutes=10)
    assert [run_due_checks().checked for _ in range(3)] == [3, 0, 0]
    assert len(fake_provider.requests_to("health")) == 6
    for app in apps:
        assert app.runtime_app.next_health_check_at > timezone.now()


def test_paused_suspended_and_deleted_apps_and_those_without_a_url_are_left_alone(apps, fake_provider):
    paused, suspended, deleted = apps
    assert paused("PATCH", "", {"status": "paused"}).status_code == 200
    RuntimeApp.objects.filter(pk=suspended.app_id).update(status="suspended")
    assert deleted.api.delete(f"{APPS_PATH}/{deleted.app_id}", token=deleted.token).status_code == 200
    assert not has_due_checks()
    assert run_due_checks().checked == 0
    assert fake_provider.requests_to("health") == []
    assert RuntimeApp.objects.get(pk=deleted.app_id).next_health_check_at is None

    assert paused("PATCH", "", {"status": "active"}).status_code == 200
    assert run_due_checks().checked == 1
    assert checks_by_app() == [paused.app_id]
    assert paused("PATCH", "", {"health_check_url": ""}).status_code == 200
    make_due()
    assert run_due_checks().checked == 0


def test_a_deleted_app_that_is_still_in_the_schedule_falls_out_of_it(apps, fake_provider):
    gone = apps[0].runtime_app.app
    gone.deleted_at = timezone.now()
    gone.save()
    assert {claim.app_id for claim in claim_due_checks()} == {apps[1].app_id, apps[2].app_id}
    assert RuntimeApp.objects.get(pk=gone.pk).next_health_check_at is None


def test_an_app_that_is_resumed_is_due_now_and_not_since_its_pause(apps):
    paused = apps[0]
    assert paused("PATCH", "", {"status": "paused"}).status_code == 200
    RuntimeApp.objects.filter(pk=paused.app_id).update(next_health_check_at=timezone.now() - timedelta(hours=3))
    assert paused("PATCH", "", {"status": "active"}).status_code == 200
    assert list(examine_health_checks()) == []
    assert run_due_checks().checked == 3
    turn = paused.runtime_app.next_health_check_at
    assert paused("PATCH", "", {"status": "active"}).status_code == 200
    assert paused.runtime_app.next_health_check_at == turn


def test_checking_what_was_due_by_a_moment_ends_although_more_becomes_due(apps):
    RuntimeApp.objects.filter(pk=apps[0].app_id).update(next_health_check_at=timezone.now() - timedelta(seconds=30))
    assert run_due_checks(due_by=timezone.now() - timedelta(seconds=20)).checked == 1
    assert checks_by_app() == [apps[0].app_id]
    assert run_due_checks().checked == 2


def test_a_new_url_is_asked_at_once(apps, fake_provider):
    run_due_checks()
    assert not has_due_checks()
    apps[0]("PATCH", "", {"health_check_url": f"{fake_provider.url}/health?v=2"})
    assert has_due_checks()
    assert run_due_checks().checked == 1


def test_workers_at_once_check_nothing_twice(register, fake_provider):
    account = register().account
    RuntimeApp.objects.all().update(health_check_url="")
    fields = {"runtime_url": fake_provider.runtime_url, "health_check_url": fake_provider.health_check_url}
    apps = [register(account, **fields) for _ in range(9)]
    fake_provider.latency_ms, fake_provider.faulty_routes = 50, {"health"}
    tallies = in_parallel(4, lambda: CheckLoop(spell_seconds=10).run())
    assert sum(tally.checked for tally in tallies) == 9
    assert len(fake_provider.requests_to("health")) == 9
    assert checks_by_app() == ids_of(apps)


def test_a_second_loop_of_a_process_ends_at_once(apps, fake_provider):
    fake_provider.latency_ms, fake_provider.faulty_routes = 500, {"health"}
    first = apart(run_due_checks)
    first.start()
    fake_provider.wait_for(lambda request: request.route == "health")
    RuntimeApp.objects.update(next_health_check_at=timezone.now() - INTERVAL)
    assert run_due_checks().checked == 0
    first.join()


def test_what_a_killed_worker_held_is_due_again_and_its_late_result_is_dropped(apps):
    lost = claim_due_checks()
    assert len(lost) == 3
    assert claim_due_checks() == []
    assert all(app.runtime_app.next_health_check_at == lost[0].lease_until for app in apps)
    make_due()
    assert run_due_checks().checked == 3
    assert record_checks([Seen(claim, Sighting(1, error="late")) for claim in lost]) == ([], [])
    assert checks_by_app() == ids_of(apps)
    assert {app.runtime_app.health_status for app in apps} == {"healthy"}


def test_an_app_that_is_locked_keeps_no_other_waiting(apps):
    held, *others = apps
    claims = {claim.app_id: claim for claim in claim_due_checks()}
    with transaction.atomic():
        RuntimeApp.objects.get_locked(held.app_id)
        seen = [Seen(claim, Sighting(3, 200, body={"status": "ok"})) for claim in claims.values()]
        result: list[Any] = []
        thread = apart(lambda: result.append(record_checks(seen)))
        thread.start()
        thread.join(5)
        assert not thread.is_alive()
    [(kept, left)] = result
    assert sorted(check.runtime_app_id for check in kept) == ids_of(others)
    assert [each.claim.app_id for each in left] == [held.app_id]
    kept, left = record_checks(left)
    assert [check.runtime_app_id for check in kept] == [held.app_id]


def test_the_schedule_passes_over_a_locked_app(apps):
    claimed: list[CheckClaim] = []
    with transaction.atomic():
        RuntimeApp.objects.get_locked(apps[0].app_id)
        thread = apart(lambda: claimed.extend(claim_due_checks()))
        thread.start()
        thread.join(5)
        assert not thread.is_alive()
    assert sorted(claim.app_id for claim in claimed) == ids_of(apps[1:])


def test_a_slow_provider_delays_nobody(register, fake_provider):
    with FakeProvider(hang=True, faulty_routes={"health"}) as slow:
        register(runtime_url=slow.runtime_url, health_check_url=slow.health_check_url)
        quick = register(runtime_url=fake_provider.runtime_url, health_check_url=fake_provider.health_check_url)
        thread = apart(run_due_checks)
        thread.start()
        slow.wait_for(lambda request: request.route == "health")
        # The loop goes on claiming while it waits for the slow one.
        for count in (1, 2):
            fake_provider.wait_for_count(count, lambda request: request.route == "health")
            assert count_reaches(count)
            RuntimeApp.objects.filter(pk=quick.app_id).update(next_health_check_at=timezone.now())
        slow.stop()
        thread.join(10)


def test_nobody_subscribed_means_no_rows(apps, fake_provider):
    fake_provider.health_status = 500
    for _ in range(4):
        make_due()
        assert run_due_checks().failed == 3
    assert {app.runtime_app.health_status for app in apps} == {"degraded"}
    assert Event.objects.filter(app_id__in=ids_of(apps), type="capability.failed").count() == 12
    for app in apps:
        app("PUT", "/webhook-profile", {"url": "https://acmeweather.com/hooks", "events": ["install.created"]})
    before = Event.objects.count()
    make_due()
    assert run_due_checks().failed == 3
    assert Event.objects.count() == before


def test_old_checks_are_purged_and_young_ones_stay(apps, monkeypatch):
    monkeypatch.setattr("runtime.health.history.PURGE_BATCH", 4)
    for _ in range(4):
        make_due()
        run_due_checks()
    old = list(HealthCheck.objects.order_by("pk").values_list("pk", flat=True))[:9]
    # One young row among the old must not end the walk.
    HealthCheck.objects.filter(pk__in=[*old[:2], *old[3:]]).update(checked_at=timezone.now() - timedelta(hours=25))
    assert purge_health_checks(timezone.now()) == 8
    assert purge_health_checks(timezone.now()) == 0
    assert HealthCheck.objects.count() == 4


def test_deliveries_drive_the_checks_where_no_beat_does(apps):
    redis_client().delete("celery")
    deliver_due_webhooks()
    assert waker.flush()
    waiting: Any = redis_client().lrange("celery", 0, -1)
    assert b"runtime.tasks.run_due_health_checks" in b"".join(waiting)


def run(**options):
    output = StringIO()
    call_command("run_health_checks", stdout=output, **options)
    return output.getvalue()


def test_the_command_checks_what_is_due_or_one_app(apps, fake_provider):
    assert run() == "3 apps checked, 0 of them failed.\n"
    assert run() == "0 apps checked, 0 of them failed.\n"
    fake_provider.health_status = 500
    told = run(app=apps[0].app_id)
    assert told.startswith(f"{apps[0].app_id}: The answer was HTTP 500, not 200. (")
    assert told.endswith("status healthy\n")
    for nobody in ("app_none", ""):
        with pytest.raises(CommandError, match="there is no runtime app"):
            run(app=nobody)
    apps[1]("PATCH", "", {"health_check_url": ""})
    with pytest.raises(CommandError, match="has none"):
        run(app=apps[1].app_id)
