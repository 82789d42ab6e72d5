"""Installing over HTTP, on both paths, and what a user has."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from capabilities.models import Install
from tests.catalog.conftest import Consumer
from tests.parallel import in_parallel
from tests.published import Published

PACKAGES = "/v1/providers/packages"
MARKETPLACE = "/v1/space/marketplace"
INSTALLS = "/v1/space/installs"


@pytest.mark.parametrize("base", [PACKAGES, MARKETPLACE])
@pytest.mark.parametrize("by", ["pk", "slug"])
def test_both_paths_install_and_uninstall(
    api: Any, publish: Callable[..., Published], consumer: Consumer, base: str, by: str
) -> None:
    published = publish()
    path = f"{base}/{getattr(published.package, by)}/install"
    first = api.post(path, {}, token=consumer.token)
    second = api.post(path, token=consumer.token)
    assert (first.status_code, second.status_code) == (201, 200)
    install = first.json()["data"]
    assert second.json()["data"] == install
    assert (install["status"], install["package"]["slug"]) == ("active", published.package.slug)
    assert (install["version"], install["version_id"]) == ("1.0.0", published.version.pk)
    assert install["permissions"] == ["tasks:write", "weather:read"]
    assert (install["params"], install["badges"], install["removed_at"]) == ({}, [], None)
    removed = api.delete(path, token=consumer.token)
    assert (removed.status_code, removed.json()["data"]["status"]) == (200, "removed")
    assert removed.json()["data"]["id"] == install["id"]
    assert api.delete(path, token=consumer.token).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_make_one_install(api: Any, publish: Callable[..., Published], consumer: Consumer) -> None:
    path = f"{PACKAGES}/{publish().package.pk}/install"
    responses = in_parallel(10, lambda: api.post(path, {}, token=consumer.token))
    assert sorted(response.status_code for response in responses) == [200] * 9 + [201]
    assert len({response.json()["data"]["id"] for response in responses}) == 1
    assert Install.objects.count() == 1


def test_a_suspended_package_is_not_installable(
    api: Any, publish: Callable[..., Published], consumer: Consumer
) -> None:
    published = publish()
    published.set_version(state="suspended")
    path = f"{PACKAGES}/{published.package.slug}"
    response = api.post(f"{path}/install", {}, token=consumer.token)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "NOT_INSTALLABLE")
    assert [detail["code"] for detail in response.json()["error"]["details"]] == ["suspended"]
    shown = api.get(f"{path}/installability").json()["data"]
    assert shown["installable"] is False
    assert shown["reasons"][0] == {
        "code": "suspended",
        "message": "The package is suspended.",
        "blocking": True,
        "action": None,
    }
    assert Install.objects.count() == 0


def test_reasons_are_the_users_own_with_a_token(
    api: Any, publish: Callable[..., Published], consumer: Consumer
) -> None:
    path = f"{PACKAGES}/{publish().package.pk}"
    api.post(f"{path}/install", {}, token=consumer.token)
    anonymous = api.get(f"{path}/installability").json()["data"]
    own = api.get(f"{path}/installability", token=consumer.token).json()["data"]
    assert [reason["code"] for reason in anonymous["reasons"]] == ["consent_required"]
    assert [(reason["code"], reason["action"]) for reason in own["reasons"]] == [("already_installed", "open")]
    assert own["installable"] is True


def test_an_app_that_needs_a_connection_says_so(api: Any, publish: Callable[..., Published]) -> None:
    published = publish()
    published.set_runtime(auth_profile={"strategy": "oauth2"})
    reasons = api.get(f"{PACKAGES}/{published.package.pk}/installability").json()["data"]["reasons"]
    assert ("connection_required", False, "connect") in {
        (reason["code"], reason["blocking"], reason["action"]) for reason in reasons
    }


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"consent": {"permissions": ["tasks:write", "weather:read"]}}, 201, None),
        ({"consent": None}, 201, None),
        ({"consent": {"permissions": []}}, 400, "consent.permissions"),
        ({"consent": {"permissions": "all"}}, 400, "consent.permissions"),
        ({"consent": {"permissions": [5]}}, 400, "consent.permissions[0]"),
        ({"consent": {}}, 400, "consent.permissions"),
        ({"consents": {}}, 400, "consents"),
        ([], 400, ""),
    ],
)
def test_a_consent_has_to_fit_the_listing(
    api: Any, publish: Callable[..., Published], consumer: Consumer, body: Any, status: int, field: str | None
) -> None:
    response = api.post(f"{PACKAGES}/{publish().package.pk}/install", body, token=consumer.token)
    assert response.status_code == status
    if field is not None:
        assert response.json()["error"]["details"][0]["field"] == field
        assert Install.objects.count() == 0


def test_only_a_user_installs(api: Any, publish: Callable[..., Published], access_token: Any) -> None:
    published = publish()
    path = f"{PACKAGES}/{published.package.pk}/install"
    assert api.post(path, {}).status_code == 401
    assert api.post(path, {}, token=access_token(published.app)).status_code == 403
    assert Install.objects.count() == 0


def test_a_users_installs_are_listed_with_their_badges(
    api: Any, publish: Callable[..., Published], consumer: Consumer, make_user: Any, id_token: Any
) -> None:
    first, second = publish(), publish()
    for published in (first, second):
        api.post(f"{PACKAGES}/{published.package.pk}/install", {}, token=consumer.token)
    first.set_package(suspended_at=timezone.now())
    second.set_runtime(health_status="degraded")
    listed = api.get(INSTALLS, token=consumer.token).json()
    assert [item["badges"] for item in listed["data"]] == [["degraded"], ["suspended"]]
    assert listed["meta"]["pagination"]["total"] == 2
    assert api.get(INSTALLS, token=id_token(make_user())).json()["data"] == []


def test_params_of_an_install_are_set_by_its_user_alone(
    api: Any, publish: Callable[..., Published], consumer: Consumer, make_user: Any, id_token: Any
) -> None:
    path = f"{PACKAGES}/{publish().package.pk}/install"
    install_id = api.post(path, {}, token=consumer.token).json()["data"]["id"]
    body = {"params": {"current_weather": {"location": "Bergen"}}}
    stranger = id_token(make_user())
    assert api.patch(f"{INSTALLS}/{install_id}", body, token=stranger).status_code == 404
    assert Install.objects.get().params == {}
    answer = api.patch(f"{INSTALLS}/{install_id}", body, token=consumer.token)
    assert answer.json()["data"]["params"] == body["params"]
    for wrong, field in (
        ({"params": {"current_weather": {"location": 1}}}, "params.current_weather.location"),
        ({"params": []}, "params"),
        ({"version": "2.0.0"}, "version"),
    ):
        refused = api.patch(f"{INSTALLS}/{install_id}", wrong, token=consumer.token)
        assert refused.status_code == 400
        assert refused.json()["error"]["details"][0]["field"] == field
    for unknown in ("inst_01J8XKWM3N4QR5STVYZ2BCDEFG", "a%00b"):
        assert api.patch(f"{INSTALLS}/{unknown}", body, token=consumer.token).status_code == 404
