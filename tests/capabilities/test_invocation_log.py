"""The log of calls and the list of capabilities, over HTTP."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from capabilities.invocation_log import purge_invocations
from capabilities.models import Invocation
from tests.capabilities.conftest import CAPABILITIES, Installed
from tests.fakes import FakeProvider


def test_the_log_is_newest_first_and_says_why_a_call_failed(
    installed: Installed, fake_provider: FakeProvider, api: Any
) -> None:
    good = installed.invoke().json()["data"]
    fake_provider.status_code = 500
    installed.invoke({"location": "Bergen"})
    body = api.get(installed.path("history"), token=installed.token).json()
    failed, succeeded = body["data"]
    assert succeeded["id"] == good["invocation_id"]
    assert (succeeded["status"], succeeded["error"]) == ("ok", None)
    assert failed["error"] == {"code": "UPSTREAM_ERROR", "message": "The provider answered with HTTP 500."}
    page = {"total": 2, "limit": 100, "offset": 0, "hasMore": False, "nextCursor": None}
    assert body["meta"]["pagination"] == page


def test_a_user_sees_their_own_calls_and_the_account_all(
    installed: Installed, install: Callable[..., Installed], api: Any, id_token: Any, access_token: Any
) -> None:
    other = install(installed.published)
    installed.invoke()
    other.invoke()
    path = installed.path("history")
    [own] = api.get(path, token=installed.token).json()["data"]
    assert own["install_id"] == installed.install.pk
    assert own["user_id"].startswith("usr_")
    for token in (access_token(installed.published.app), id_token(installed.published.account)):
        assert len(api.get(path, token=token).json()["data"]) == 2


def test_others_see_nothing(
    installed: Installed, api: Any, id_token: Any, make_user: Any, make_account: Any, access_token: Any, make_app: Any
) -> None:
    installed.invoke()
    for token in (id_token(make_user()), access_token(make_app(make_account("Other Company")))):
        assert api.get(installed.path("history"), token=token).status_code == 404


def test_since_and_limit_cut_the_log(installed: Installed, api: Any) -> None:
    for location in ("Oslo", "Bergen", "Tromsø"):
        installed.invoke({"location": location})
    rows = api.get(installed.path("history"), token=installed.token).json()["data"]
    middle = Invocation.objects.get(pk=rows[1]["id"])
    since = middle.created_at.isoformat().replace("+00:00", "Z")
    newer = api.get(f"{installed.path('history')}?since={since}", token=installed.token).json()["data"]
    assert [row["id"] for row in newer] == [rows[0]["id"], rows[1]["id"]]
    page = api.get(f"{installed.path('history')}?limit=1&offset=1", token=installed.token).json()
    assert [row["id"] for row in page["data"]] == [rows[1]["id"]]
    place = page["meta"]["pagination"]
    assert place.pop("nextCursor")
    assert place == {"total": 3, "limit": 1, "offset": 1, "hasMore": True}


def test_the_log_is_walked_by_cursor_while_new_calls_come(installed: Installed, api: Any) -> None:
    for number in range(5):
        installed.invoke({"location": f"City {number}"})
    wanted = list(Invocation.objects.order_by("-created_at", "-pk").values_list("pk", flat=True))
    found: list[str] = []
    query = "?limit=2"
    for number in range(3):
        body = api.get(f"{installed.path('history')}{query}", token=installed.token).json()
        found += [row["id"] for row in body["data"]]
        installed.invoke({"location": f"Village {number}"})
        query = f"?limit=2&cursor={body['meta']['pagination']['nextCursor']}"
    assert found == wanted
    assert body["meta"]["pagination"]["nextCursor"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=101", "limit"),
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("since=yesterday", "since"),
        ("offset=-1", "offset"),
        ("cursor=x", "cursor"),
    ],
)
def test_bad_filters_are_refused(installed: Installed, api: Any, query: str, field: str) -> None:
    response = api.get(f"{installed.path('history')}?{query}", token=installed.token)
    assert response.status_code == 400
    assert response.json()["error"]["details"][0]["field"] == field


def test_old_calls_are_purged(installed: Installed) -> None:
    installed.invoke({"location": "Oslo"})
    installed.invoke({"location": "Bergen"})
    old = Invocation.objects.order_by("created_at").first()
    assert old is not None
    Invocation.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert purge_invocations(timezone.now()) == 1
    assert not Invocation.objects.filter(pk=old.pk).exists()
    assert Invocation.objects.count() == 1


def test_the_account_lists_its_capabilities(
    installed: Installed, api: Any, access_token: Any, make_account: Any, make_app: Any, id_token: Any, make_user: Any
) -> None:
    token = access_token(installed.published.app)
    listed = api.get(CAPABILITIES, token=token).json()
    assert {item["name"] for item in listed["data"]} == {"current_weather", "create_task", "recent_transactions"}
    assert listed["meta"]["pagination"]["total"] == 3
    assert {item["app_id"] for item in listed["data"]} == {installed.published.app.pk}
    for app_id, count in ((installed.published.app.pk, 3), ("app_01J8XKWM3N4QR5STVYZ2BCDEFG", 0), ("x", 0)):
        assert len(api.get(f"{CAPABILITIES}?app_id={app_id}", token=token).json()["data"]) == count
    other = access_token(make_app(make_account("Other Company")))
    assert api.get(CAPABILITIES, token=other).json()["data"] == []
    assert api.get(CAPABILITIES, token=id_token(make_user())).status_code == 403


def test_a_long_list_takes_as_many_queries_as_a_short_one(
    installed: Installed, api: Any, access_token: Any, django_assert_max_num_queries: Any
) -> None:
    token = access_token(installed.published.app)
    for location in ("Oslo", "Bergen", "Tromsø", "Bodø"):
        installed.invoke({"location": location})
    api.get(CAPABILITIES, token=token)
    with django_assert_max_num_queries(4):
        assert len(api.get(installed.path("history"), token=token).json()["data"]) == 4
    with django_assert_max_num_queries(4):
        api.get(CAPABILITIES, token=token)
