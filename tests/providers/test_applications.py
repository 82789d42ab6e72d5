"""Apps and their client secrets, over HTTP."""

import pytest

from aiffinity.lib.errors import NotFound
from aiffinity.lib.models import AuditEntry
from providers.applications import delete_app, rotate_client_secret
from providers.models import App, ClientSecret
from tests.parallel import in_parallel

APP = {
    "name": "Acme Weather",
    "description": "Real-time weather data and forecasts",
    "homepage_url": "https://acmeweather.com",
    "redirect_uris": ["https://acmeweather.com/callback"],
    "webhook_url": "https://acmeweather.com/webhooks/aiffinity",
    "logo_url": "https://acmeweather.com/logo-512.png",
}

pytestmark = pytest.mark.django_db


def token_for(api, client_id, client_secret):
    body = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    return api.post("/v1/providers/auth/token", body)


def test_a_new_app_shows_its_secret_once(api, make_account, id_token):
    token = id_token(make_account())
    created = api.post("/v1/providers/apps", APP, token=token)

    assert created.status_code == 201
    data = created.json()["data"]
    assert data["id"] == data["app_id"]
    assert data["id"].startswith("app_")
    assert data["client_id"].startswith("ci_acmeweather_")
    assert data["client_secret"].startswith("cs_live_")
    assert len(data["client_secret"]) >= len("cs_live_") + 32
    shown = api.get(f"/v1/providers/apps/{data['id']}", token=token)
    assert "client_secret" not in shown.json()["data"]
    assert {name: shown.json()["data"][name] for name in APP} == APP
    assert not ClientSecret.objects.filter(secret_hash__contains=data["client_secret"]).exists()


def test_an_unverified_account_gets_no_app(api, make_account, id_token):
    response = api.post("/v1/providers/apps", APP, token=id_token(make_account(verified=False)))
    assert (response.status_code, response.json()["error"]["code"]) == (403, "EMAIL_NOT_VERIFIED")


def test_a_user_without_an_account_is_told_to_make_one(api, make_user, id_token):
    response = api.post("/v1/providers/apps", APP, token=id_token(make_user()))
    assert (response.status_code, response.json()["error"]["code"]) == (403, "PERMISSION_DENIED")


def test_an_access_token_may_not_manage_apps(api, make_account, make_app, access_token):
    response = api.get("/v1/providers/apps", token=access_token(make_app(make_account())))
    assert (response.status_code, response.json()["error"]["code"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"description": "x" * 281}, "description"),
        ({"redirect_uris": ["https://a.com/cb"] * 6}, "redirect_uris"),
        ({"redirect_uris": "https://a.com/cb"}, "redirect_uris"),
        ({"redirect_uris": ["https://a.com/cb", 5]}, "redirect_uris[1]"),
        ({"webhook_url": "http://acmeweather.com/hook\n"}, "webhook_url"),
        ({"webhook_url": "https://10.0.0.1/hook"}, "webhook_url"),
        ({"webhook_url": "https://2130706433.example/../"}, None),
        ({"logo_url": "javascript:alert(1)"}, "logo_url"),
        ({"homepage_url": "https://user:pw@acmeweather.com"}, "homepage_url"),
        ({"client_id": "ci_mine"}, "client_id"),
        ({"clientSecret": "cs_live_mine"}, "clientSecret"),
    ],
)
def test_wrong_app_fields_are_named(api, make_account, id_token, change, field):
    account = make_account()
    response = api.post("/v1/providers/apps", {**APP, **change}, token=id_token(account))
    if field is None:
        assert response.status_code == 201
        return
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert error["details"][0]["field"] == field
    assert not App.objects.exists()


def test_the_list_is_paged_and_costs_four_queries(api, make_account, make_app, id_token, django_assert_num_queries):
    account = make_account()
    names = [make_app(account, name=f"App {n}").name for n in range(5)]
    make_app(make_account("Other"), name="Foreign")
    token = id_token(account)
    api.get("/v1/providers/apps", token=token)

    with django_assert_num_queries(3):
        response = api.get("/v1/providers/apps?limit=2&offset=1", token=token)

    assert [app["name"] for app in response.json()["data"]] == [names[3], names[2]]
    assert response.json()["meta"]["pagination"] == {
        "total": 5,
        "limit": 2,
        "offset": 1,
        "hasMore": True,
    }


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "offset=-1", "offset=1e3"])
def test_a_wrong_page_is_refused(api, make_account, id_token, query):
    response = api.get(f"/v1/providers/apps?{query}", token=id_token(make_account()))
    assert response.status_code == 400
    assert response.json()["error"]["details"][0]["field"] == query.split("=")[0]


def test_patch_changes_only_the_given_fields(api, make_account, make_app, id_token):
    account = make_account()
    app = make_app(account, description="Before", redirect_uris=["https://a.com/cb"])
    response = api.patch(f"/v1/providers/apps/{app.pk}", {"redirectUris": []}, token=id_token(account))

    assert response.status_code == 200
    app.refresh_from_db()
    assert (app.description, app.redirect_uris) == ("Before", [])


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_another_accounts_app_does_not_exist(api, make_account, make_app, id_token, method):
    app = make_app(make_account("Owner"))
    body = {"name": "Mine"} if method == "PATCH" else None
    token = id_token(make_account("Stranger"))
    foreign = api(method, f"/v1/providers/apps/{app.pk}", body, token=token)
    missing = api(method, "/v1/providers/apps/app_01J8XKWM3N4QR5STVYZ2BCDEFG", body, token=token)

    assert foreign.status_code == missing.status_code == 404
    assert foreign.json()["error"]["message"] == missing.json()["error"]["message"]
    app.refresh_from_db()
    assert (app.name, app.deleted_at) == ("Acme Weather", None)


@pytest.mark.django_db(transaction=True)
def test_fifty_parallel_requests_from_nine_apps_make_one(api, make_account, make_app, id_token):
    account = make_account()
    for n in range(9):
        make_app(account, name=f"App {n}")
    token = id_token(account)
    statuses = in_parallel(50, lambda: api.post("/v1/providers/apps", APP, token=token).status_code)

    assert sorted(statuses) == [201] + [409] * 49
    assert App.objects.for_account(account).count() == 10


def test_the_eleventh_app_exceeds_the_quota_and_deleting_frees_a_slot(api, make_account, make_app, id_token):
    account = make_account()
    apps = [make_app(account, name=f"App {n}") for n in range(10)]
    token = id_token(account)
    refused = api.post("/v1/providers/apps", APP, token=token)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "QUOTA_EXCEEDED")

    deleted = api.delete(f"/v1/providers/apps/{apps[0].pk}", token=token)
    assert deleted.status_code == 200
    assert deleted.json()["data"]["deleted_at"] is not None
    assert api.post("/v1/providers/apps", APP, token=token).status_code == 201


def test_a_deleted_apps_tokens_and_secrets_die_at_once(api, make_account, make_app, id_token, access_token):
    account = make_account()
    app = make_app(account)
    bearer = access_token(app)
    api.delete(f"/v1/providers/apps/{app.pk}", token=id_token(account))

    response = api.get("/v1/providers/runtime/apps", token=bearer)
    assert (response.status_code, response.json()["error"]["code"]) == (401, "TOKEN_INVALID")
    assert token_for(api, app.client_id, app.plain_client_secret).status_code in (400, 401)
    assert not ClientSecret.objects.exists()


def test_a_rotation_keeps_two_secrets_alive(api, make_account, make_app):
    app = make_app(make_account())
    second = rotate_client_secret(app, actor="test").reveal()
    assert token_for(api, app.client_id, app.plain_client_secret).status_code == 200
    assert token_for(api, app.client_id, second).status_code == 200

    third = rotate_client_secret(app, actor="test", grace_period_seconds=0).reveal()
    assert token_for(api, app.client_id, app.plain_client_secret).status_code == 401
    assert token_for(api, app.client_id, second).status_code == 401
    assert token_for(api, app.client_id, third).status_code == 200


def test_an_idempotent_creation_replays_without_the_secret(api, make_account, id_token):
    token, headers = id_token(make_account()), {"Idempotency-Key": "create-acme"}
    first = api.post("/v1/providers/apps", APP, token=token, headers=headers)
    second = api.post("/v1/providers/apps", APP, token=token, headers=headers)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.json()["data"]["id"] == first.json()["data"]["id"]
    assert "client_secret" not in second.json()["data"]
    assert App.objects.count() == 1


def test_every_change_leaves_an_audit_row(api, make_account, id_token):
    token = id_token(make_account())
    app_id = api.post("/v1/providers/apps", APP, token=token).json()["data"]["id"]
    api.patch(f"/v1/providers/apps/{app_id}", {"name": "Acme"}, token=token)
    api.delete(f"/v1/providers/apps/{app_id}", token=token)

    actions = AuditEntry.objects.filter(subject=app_id).order_by("sequence").values_list("action", flat=True)
    assert list(actions) == ["app.created", "app.updated", "app.deleted"]


def test_an_app_that_is_being_deleted_gets_no_new_client_secret(make_account, make_app):
    app = make_app(make_account())
    delete_app(App.objects.get(pk=app.pk), actor="test")
    with pytest.raises(NotFound):
        rotate_client_secret(app, actor="test")
    assert not ClientSecret.objects.exists()
