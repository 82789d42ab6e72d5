"""Cached answers: whose they are, how long they last, and when they stand in for a failing provider."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from capabilities.cached_states import purge_states
from capabilities.models import CachedState, Invocation
from capabilities.recording import recorder
from tests.capabilities.conftest import Installed
from tests.fakes import FakeProvider

OSLO = {"location": "Oslo"}


def test_a_fresh_answer_comes_from_the_cache(installed: Installed, fake_provider: FakeProvider) -> None:
    first = installed.invoke(OSLO).json()["data"]
    second = installed.invoke(OSLO).json()["data"]
    assert second["cached"] is True
    assert second["data"] == first["data"]
    assert second["invocation_id"] != first["invocation_id"]
    assert len(fake_provider.requests_to("execute")) == 1
    assert installed.invoke({"location": "Bergen"}).json()["data"]["cached"] is False
    assert len(fake_provider.requests_to("execute")) == 2


def test_no_cache_asks_the_provider_again(installed: Installed, fake_provider: FakeProvider) -> None:
    installed.invoke(OSLO)
    again = installed.invoke(OSLO, headers={"Cache-Control": "no-cache"}).json()["data"]
    assert again["cached"] is False
    assert len(fake_provider.requests_to("execute")) == 2


def test_users_never_share_a_cached_answer(
    installed: Installed, install: Callable[..., Installed], fake_provider: FakeProvider
) -> None:
    installed.invoke(OSLO)
    other = install(installed.published)
    assert other.invoke(OSLO).json()["data"]["cached"] is False
    users = {request.headers["x-aiffinity-user-id"] for request in fake_provider.requests_to("execute")}
    assert len(users) == 2


@pytest.mark.parametrize(("ttl", "kept"), [(0, 5), (60, 60), (1_000_000, 1800)])
def test_a_ttl_is_bounded(installed: Installed, fake_provider: FakeProvider, ttl: int, kept: int) -> None:
    fake_provider.ttl = ttl
    assert installed.invoke(OSLO).json()["data"]["ttl"] == kept


def test_a_stale_answer_stands_in_while_the_provider_fails(installed: Installed, fake_provider: FakeProvider) -> None:
    good = installed.invoke(OSLO).json()["data"]
    CachedState.objects.update(expires_at=timezone.now())
    fake_provider.wrong_schema = True
    answer = installed.invoke(OSLO).json()["data"]
    assert (answer["stale"], answer["cached"], answer["data"]) == (True, True, good["data"])
    recorder.flush()
    assert Invocation.objects.get(pk=answer["invocation_id"]).error_code == "UPSTREAM_INVALID_RESPONSE"
    assert CachedState.objects.get().data == good["data"]


def test_a_day_old_answer_does_not_stand_in(installed: Installed, fake_provider: FakeProvider) -> None:
    installed.invoke(OSLO)
    day_ago = timezone.now() - timedelta(hours=24)
    CachedState.objects.update(fetched_at=day_ago, expires_at=day_ago)
    fake_provider.stop()
    assert installed.invoke(OSLO).status_code == 502


def test_a_pending_answer_is_passed_on_and_not_kept(installed: Installed, fake_provider: FakeProvider) -> None:
    fake_provider.answers["current_weather"] = {"status": "pending", "data": None}
    assert installed.invoke(OSLO).json()["data"]["status"] == "pending"
    assert CachedState.objects.count() == 0


def test_the_state_is_read_without_a_call(installed: Installed, api: Any, fake_provider: FakeProvider) -> None:
    assert api.get(installed.path("state"), token=installed.token).status_code == 404
    invoked = installed.invoke(OSLO).json()["data"]
    state = api.get(installed.path("state"), token=installed.token).json()["data"]
    assert state["invocation_id"] == invoked["invocation_id"]
    assert (state["data"], state["ttl"]) == (invoked["data"], 900)
    assert (state["cached"], state["stale"]) == (True, False)
    CachedState.objects.update(expires_at=timezone.now())
    assert api.get(installed.path("state"), token=installed.token).json()["data"]["stale"] is True
    assert len(fake_provider.requests_to("execute")) == 1
    wrong_mode = api.get(installed.path("state", "create_task"), token=installed.token)
    assert wrong_mode.status_code == 409


@pytest.mark.django_db(transaction=True)
def test_an_answer_after_uninstalling_brings_no_state_back(
    installed: Installed, fake_provider: FakeProvider, api: Any
) -> None:
    fake_provider.latency_ms = 300
    slow = threading.Thread(target=installed.invoke, args=(OSLO,))
    slow.start()
    fake_provider.wait_for(lambda request: request.route == "execute")
    path = f"/v1/providers/packages/{installed.published.package.pk}/install"
    assert api.delete(path, token=installed.token).status_code == 200
    slow.join()
    assert CachedState.objects.count() == 0


def test_a_cached_answer_takes_few_queries(installed: Installed, django_assert_max_num_queries: Any) -> None:
    installed.invoke(OSLO)
    with django_assert_max_num_queries(7):
        assert installed.invoke(OSLO).json()["data"]["cached"] is True


def test_a_state_is_kept_as_long_as_it_is_fresh_or_may_stand_in(
    installed: Installed, api: Any, fake_provider: FakeProvider
) -> None:
    now = timezone.now()
    for place, fetched, fresh in (("Oslo", 30, 18), ("Bergen", 23, -1), ("Voss", 25, -1)):
        installed.invoke({"location": place})
        CachedState.objects.filter(data__location=place).update(
            fetched_at=now - timedelta(hours=fetched), expires_at=now + timedelta(hours=fresh)
        )
    assert purge_states(timezone.now()) == 1
    assert set(CachedState.objects.values_list("data__location", flat=True)) == {"Oslo", "Bergen"}
    CachedState.objects.filter(data__location="Bergen").delete()
    state = api.get(installed.path("state"), token=installed.token).json()["data"]
    assert (state["data"]["location"], state["stale"]) == ("Oslo", False)
