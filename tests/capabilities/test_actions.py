"""Actions: the user's yes, a record before the call, one act for one key."""

from collections.abc import Callable
from typing import Any

import pytest

from capabilities.actions import provider_key
from capabilities.models import Invocation
from providers.models import User
from tests.capabilities.conftest import Installed
from tests.conftest import Api
from tests.fakes import FakeProvider
from tests.parallel import in_parallel
from tests.published import TASK, Published


def test_a_confirmed_action_runs_once_with_its_key(installed: Installed, fake_provider: FakeProvider) -> None:
    response = installed.act(confirmed=True)
    assert response.status_code == 200
    answer = response.json()["data"]
    assert answer["data"]["task_id"].startswith("task_")
    assert (answer["cached"], answer["ttl"], answer["expires_at"]) == (False, None, None)
    [request] = fake_provider.requests_to("execute")
    assert request.headers["idempotency-key"] == answer["invocation_id"]
    assert request.json["mode"] == "action"
    row = Invocation.objects.get()
    assert (row.pk, row.status, row.mode) == (answer["invocation_id"], "ok", "action")
    assert fake_provider.store.count_tasks() == 1


@pytest.mark.parametrize("body", [{}, {"confirmed": False}])
def test_without_the_users_yes_nothing_happens(
    installed: Installed, fake_provider: FakeProvider, body: dict[str, Any]
) -> None:
    response = installed.act(**body)
    assert response.status_code == 400
    [detail] = response.json()["error"]["details"]
    assert (detail["field"], detail["code"]) == ("confirmed", "confirmation_required")
    assert fake_provider.requests == []
    assert Invocation.objects.count() == 0


@pytest.mark.parametrize("confirmed", ["yes", 1, None])
def test_a_yes_is_true_and_nothing_else(installed: Installed, confirmed: Any) -> None:
    response = installed.act(confirmed=confirmed)
    assert response.status_code == 400
    assert response.json()["error"]["details"][0]["field"] == "confirmed"


def test_an_action_that_needs_no_confirmation_runs_without(
    publish: Callable[..., Published], install: Callable[..., Installed], fake_provider: FakeProvider
) -> None:
    published = publish({**TASK, "confirmation_required": False}, runtime_url=fake_provider.runtime_url)
    assert install(published).act().status_code == 200


def test_params_of_an_action_are_judged(installed: Installed, fake_provider: FakeProvider) -> None:
    response = installed.act({}, confirmed=True)
    assert response.status_code == 400
    assert response.json()["error"]["details"][0]["field"] == "params.title"
    assert fake_provider.requests == []


def test_only_mode_action_is_an_action(installed: Installed) -> None:
    body = {"params": {}, "confirmed": True}
    response = installed.api.post(installed.path("action"), body, token=installed.token)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_STATE")


def test_an_app_cannot_act_for_a_user(
    installed: Installed, api: Any, access_token: Callable[..., str], fake_provider: FakeProvider
) -> None:
    body = {"params": {"title": "x"}, "confirmed": True, "install_id": installed.install.pk}
    path = installed.path("action", "create_task")
    response = api.post(path, body, token=access_token(installed.published.app))
    assert (response.status_code, response.json()["error"]["code"]) == (403, "PERMISSION_DENIED")
    assert fake_provider.requests == []


def test_a_failed_action_is_recorded_and_not_retried(
    installed: Installed, fake_provider: FakeProvider, settings: Any
) -> None:
    settings.EXECUTE_TIMEOUT_MS = 300
    fake_provider.hang = True
    response = installed.act(confirmed=True)
    assert response.status_code == 504
    row = Invocation.objects.get()
    assert (row.status, row.error_code) == ("error", "UPSTREAM_TIMEOUT")
    assert len(fake_provider.requests_to("execute")) == 1


@pytest.mark.django_db(transaction=True)
def test_the_record_precedes_the_call(installed: Installed, fake_provider: FakeProvider) -> None:
    seen: list[str] = []

    def look(call: Any) -> dict[str, Any]:
        seen.extend(Invocation.objects.values_list("status", flat=True))
        return {"data": {"task_id": "t1"}}

    fake_provider.answers["create_task"] = look
    assert installed.act(confirmed=True).status_code == 200
    assert seen == ["pending"]


def test_a_callers_key_makes_a_retry_the_same_act(installed: Installed, fake_provider: FakeProvider, api: Any) -> None:
    path, body = installed.path("action", "create_task"), {"params": {"title": "x"}, "confirmed": True}
    headers = {"Idempotency-Key": "my-key"}
    fake_provider.malformed_json = True
    assert api.post(path, body, token=installed.token, headers=headers).status_code == 502
    fake_provider.malformed_json = False
    assert api.post(path, body, token=installed.token, headers=headers).status_code == 200
    assert fake_provider.store.count_tasks() == 1
    replayed = api.post(path, body, token=installed.token, headers=headers)
    assert replayed.headers["Idempotency-Replayed"] == "true"
    assert len(fake_provider.requests_to("execute")) == 2


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_calls_at_once_with_one_key_one_acts(installed: Installed, fake_provider: FakeProvider) -> None:
    path, body = installed.path("action", "create_task"), {"params": {"title": "x"}, "confirmed": True}
    headers = {"Idempotency-Key": "my-key"}
    fake_provider.latency_ms = 200
    answers = in_parallel(100, lambda: Api().post(path, body, token=installed.token, headers=headers))
    assert {answer.status_code for answer in answers} <= {200, 409}
    # Who comes later gets the first answer again.
    good = [answer.json()["data"]["data"] for answer in answers if answer.status_code == 200]
    assert good == [good[0]] * len(good)
    assert len(fake_provider.requests_to("execute")) == fake_provider.store.count_tasks() == 1
    assert Invocation.objects.count() == 1


def test_two_users_with_one_key_never_meet(
    installed: Installed, install: Callable[..., Installed], make_user: Callable[..., User]
) -> None:
    other = install(installed.published)
    keys = {provider_key(each.install.pk, "inv_1", "my-key") for each in (installed, other)}
    assert len(keys) == 2
    assert provider_key(installed.install.pk, "inv_1", None) == "inv_1"
