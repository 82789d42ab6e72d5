"""Registering, retrieving and changing runtime apps over HTTP."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from aiffinity.lib.errors import QuotaExceeded
from aiffinity.lib.models import AuditEntry
from providers.applications import is_client_secret
from providers.models import App
from runtime.models import NamedSecret, RuntimeApp, RuntimeStatus, WebhookEndpoint
from runtime.registration import register_runtime_app
from runtime.signing_secrets import signing_secret
from tests.runtime.conftest import APPS, REGISTRATION, error_of
from tests.runtime.documents import API_KEY

pytestmark = pytest.mark.django_db


def test_registering_makes_a_new_app_with_credentials_that_are_shown_once(registered):
    answer = registered.answer
    assert re.fullmatch(r"app_[0-9A-HJKMNP-TV-Z]{26}", answer["app_id"])
    assert answer["id"] == answer["app_id"]
    assert re.fullmatch(r"ci_acmeweather_[0-9a-f]{8}", answer["client_id"])
    assert re.fullmatch(r"cs_live_\S{32,}", answer["client_secret"])
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", answer["signing_secret"])
    assert (answer["name"], answer["status"]) == ("Acme Weather", "active")
    assert {name: answer[name] for name in REGISTRATION} == REGISTRATION
    app = App.objects.get(pk=registered.app_id)
    assert is_client_secret(app, answer["client_secret"])
    assert signing_secret(registered.runtime_app).reveal() == answer["signing_secret"]
    shown = registered("GET")
    assert shown.status_code == 200
    assert not {"client_secret", "signing_secret"} & shown.json()["data"].keys()
    for secret in (answer["client_secret"], answer["signing_secret"]):
        assert secret not in shown.content.decode()


def test_registering_takes_camel_case_too(api, make_account, id_token):
    body = {"name": "Acme", "description": "Weather", "runtimeUrl": "https://api.acmeweather.com/aiffinity"}
    response = api.post(APPS, body, token=id_token(make_account()))
    assert response.status_code == 201
    assert response.json()["data"]["runtime_url"] == "https://api.acmeweather.com/aiffinity"
    assert response.json()["data"]["webhook_profile"] is None


def test_a_webhook_url_makes_a_profile_for_every_event(registered):
    profile = registered("GET", "/webhooks").json()["data"]
    assert profile["url"] == REGISTRATION["webhook_url"]
    assert profile["events"] == ["*"]
    assert profile["enabled"] is True
    assert profile["retry_policy"] == {
        "max_retries": 18,
        "backoff": "exponential",
        "initial_delay_ms": 1000,
        "max_delay_ms": 14_400_000,
        "max_elapsed_hours": 24,
    }


def test_registering_binds_to_an_app_of_the_account_without_new_credentials(api, make_account, make_app, access_token):
    account = make_account()
    app = make_app(account, name="Console app", webhook_url="https://acmeweather.com/hooks")
    body = {"app_id": app.pk, "runtime_url": "https://api.acmeweather.com/aiffinity"}
    response = api.post(APPS, body, token=access_token(app))
    assert response.status_code == 201
    answer = response.json()["data"]
    assert (answer["app_id"], answer["client_id"], answer["name"]) == (app.pk, app.client_id, "Console app")
    assert "client_secret" not in answer
    assert answer["signing_secret"].startswith("whsec_")
    assert WebhookEndpoint.objects.get(pk=app.pk).events == ["*"]
    assert App.objects.for_account(account).count() == 1
    again = api.post(APPS, body, token=access_token(app))
    assert (again.status_code, error_of(again)["code"]) == (409, "CONFLICT")


def test_another_accounts_app_is_not_there(api, make_account, make_app, stranger):
    app = make_app(make_account())
    body = {"app_id": app.pk, "runtime_url": "https://api.acmeweather.com/aiffinity"}
    response = api.post(APPS, body, token=stranger)
    missing = api.post(APPS, {**body, "app_id": "app_01J8XKWM3N4QR5STVYZ2BCDEFG"}, token=stranger)
    assert (response.status_code, error_of(response)["code"]) == (404, "NOT_FOUND")
    assert error_of(response)["message"] == error_of(missing)["message"]
    assert not RuntimeApp.objects.exists()


def test_what_is_missing_is_named(api, make_account, id_token):
    token = id_token(make_account())
    assert {detail["field"] for detail in error_of(api.post(APPS, {}, token=token))["details"]} == {"runtime_url"}
    error = error_of(api.post(APPS, {"runtime_url": "https://acmeweather.com"}, token=token))
    assert {detail["field"] for detail in error["details"]} == {"name", "description"}
    assert not App.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": 7}, "name"),
        ({"name": "<script>alert(1)</script>"}, "name"),
        ({"description": "x" * 281}, "description"),
        ({"redirect_uris": ["https://a.acmeweather.com"] * 6}, "redirect_uris"),
        ({"redirect_uris": "https://acmeweather.com"}, "redirect_uris"),
        ({"redirect_uris": ["https://acmeweather.com", "http://acmeweather.com"]}, "redirect_uris[1]"),
        ({"runtime_url": "https://api.acmeweather.com/?key=1"}, "runtime_url"),
        ({"runtime_url": None}, "runtime_url"),
        ({"homepage_url": "javascript:alert(1)"}, "homepage_url"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_made(api, make_account, id_token, fields, field):
    response = api.post(APPS, {**REGISTRATION, **fields}, token=id_token(make_account()))
    assert (response.status_code, error_of(response)["code"]) == (400, "VALIDATION_ERROR")
    assert error_of(response)["details"][0]["field"] == field
    assert not App.objects.exists()


@pytest.mark.parametrize(
    "field", ["runtime_url", "health_check_url", "webhook_url", "homepage_url", "logo_url", "redirect_uris[0]"]
)
@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://127.0.0.1/x", "private_address"),
        ("https://0x7f.1/x", "private_address"),
        ("https://169.254.169.254/latest", "private_address"),
        ("https://[::ffff:10.0.0.1]/", "private_address"),
        ("https://localhost/x", "local_name"),
        ("https://intranet/x", "single_label"),
        ("http://acmeweather.com/x", "scheme"),
        ("https://acmeweather.com:22/x", "port"),
        ("https://user:pw@acmeweather.com/", "userinfo"),
    ],
)
def test_every_url_field_refuses_what_may_not_be_called(api, registered, settings, field, url, rule):
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP, settings.EGRESS_PORTS = [], False, [443, 8443]
    name = field.removesuffix("[0]")
    before = registered("GET").json()["data"]
    response = registered("PATCH", "", {name: [url] if name != field else url})
    assert response.status_code == 400
    detail = error_of(response)["details"][0]
    assert (detail["field"], detail["code"]) == (field, rule)
    assert registered("GET").json()["data"] == before


def test_an_unknown_field_is_refused_with_a_hint(registered):
    error = error_of(registered("PATCH", "", {"runtimeURI": "https://acmeweather.com"}))
    assert error["message"] == "runtimeURI: Unknown field. Did you mean 'runtime_url'?"
    assert error_of(registered("PATCH", "", {"client_id": "ci_x"}))["details"][0]["code"] == "unknown_field"


def test_patching_changes_only_the_given_fields(registered):
    before = registered("GET").json()["data"]
    response = registered("PATCH", "", {"health_check_url": "https://acmeweather.com/healthz"})
    assert response.status_code == 200
    after = response.json()["data"]
    changed = {name for name in before if before[name] != after[name]} - {"updated_at"}
    assert changed == {"health_check_url"}
    assert registered("PATCH", "", {"name": "Acme", "webhookUrl": ""}).json()["data"]["name"] == "Acme"
    assert registered("GET", "/webhook-profile").json()["data"]["enabled"] is False


def test_a_provider_pauses_and_resumes_but_never_lifts_a_suspension(registered):
    assert registered("PATCH", "", {"status": "paused"}).json()["data"]["status"] == "paused"
    assert registered("PATCH", "", {"status": "active"}).json()["data"]["status"] == "active"
    refused = registered("PATCH", "", {"status": "suspended"})
    assert (refused.status_code, error_of(refused)["details"][0]["field"]) == (400, "status")
    RuntimeApp.objects.update(status=RuntimeStatus.SUSPENDED)
    response = registered("PATCH", "", {"status": "active", "name": "New name"})
    assert (response.status_code, error_of(response)["code"]) == (409, "INVALID_STATE")
    assert registered.runtime_app.status == RuntimeStatus.SUSPENDED
    assert registered.runtime_app.app.name == "Acme Weather"


def test_the_configuration_hash_follows_what_an_approval_saw(registered):
    before = registered.runtime_app.config_hash
    registered("PATCH", "", {"name": "Another", "health_check_url": "https://acmeweather.com/other"})
    assert registered.runtime_app.config_hash == before
    registered("PATCH", "", {"runtime_url": "https://api.acmeweather.com/other"})
    assert registered.runtime_app.config_hash != before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"name": "Mine now"}),
        ("PUT", "/auth-profile", {"strategy": "api_key", "api_key": {"header_name": "X-Key"}}),
        ("GET", "/auth", None),
        ("POST", "/capabilities", {"name": "x"}),
        ("GET", "/capabilities", None),
        ("PUT", "/capability-template", {}),
        ("PATCH", "/capabilities/current_weather", {}),
        ("DELETE", "/capabilities/current_weather", None),
        ("PUT", "/webhooks", {"url": "https://evil.example.com", "events": ["*"]}),
        ("GET", "/webhook-profile", None),
        ("PUT", "/credential-secret", {}),
        ("POST", "/rotate-secret", {}),
        ("PUT", "/secrets/WEATHER_API_KEY", {"value": "x"}),
        ("GET", "/secrets", None),
        ("DELETE", "/secrets/WEATHER_API_KEY", None),
        ("GET", "/health", None),
        ("GET", "/health/checks", None),
    ],
)
def test_another_accounts_runtime_app_is_not_there(registered, stranger, method, path, body):
    registered("PUT", "/secrets/WEATHER_API_KEY", {"value": "mine"})
    before = registered("GET").json()["data"]
    audited = AuditEntry.objects.count()
    response = registered(method, path, body, token=stranger)
    assert (response.status_code, error_of(response)["code"]) == (404, "NOT_FOUND")
    assert registered("GET").json()["data"] == before
    assert AuditEntry.objects.count() == audited
    assert registered(method, path, body, token="").status_code == 401


def test_any_app_of_the_account_configures_all_and_a_users_token_none(registered, app_token, make_user, id_token):
    token = app_token(registered.account)
    assert registered("PATCH", "", {"name": "By token"}, token=token).json()["data"]["name"] == "By token"
    response = registered("GET", "", token=id_token(make_user()))
    assert (response.status_code, error_of(response)["code"]) == (403, "PERMISSION_DENIED")


def test_the_list_holds_the_accounts_apps_newest_first(api, register, registered, django_assert_max_num_queries):
    second = register(registered.account, name="Second")
    register(name="Of another account")
    with django_assert_max_num_queries(12):
        response = api.get(APPS, token=registered.token)
    body = response.json()
    assert [app["app_id"] for app in body["data"]] == [second.app_id, registered.app_id]
    assert body["meta"]["pagination"] == {"total": 2, "limit": 20, "offset": 0, "hasMore": False}


def test_a_deleted_app_is_gone_here_too_and_its_secrets_are_erased(api, registered):
    registered("PUT", "/secrets/KEY", {"value": "x"})
    registered("PUT", "/auth", {**API_KEY, "test_connection": {"api_key": "k"}})
    registered("PUT", "/credential-secret", {})
    api.delete(f"/v1/providers/apps/{registered.app_id}", token=registered.token)
    assert registered("GET").status_code == 404
    assert api.get(APPS, token=registered.token).json()["data"] == []
    row = registered.runtime_app
    assert not NamedSecret.objects.exists()
    assert row.sealed_auth_secrets == row.sealed_previous_signing_secret == ""
    assert signing_secret(row).reveal() != registered.answer["signing_secret"]


def test_an_unverified_account_binds_nothing_new(api, make_account, id_token):
    response = api.post(APPS, REGISTRATION, token=id_token(make_account(verified=False)))
    assert (response.status_code, error_of(response)["code"]) == (403, "EMAIL_NOT_VERIFIED")
    assert not App.objects.exists()


def test_the_client_secret_rotates_with_a_grace_period(registered):
    response = registered("POST", "/rotate-secret", {"grace_period_seconds": 0})
    answer = response.json()["data"]
    assert response.status_code == 200
    app = App.objects.get(pk=registered.app_id)
    assert is_client_secret(app, answer["client_secret"])
    assert not is_client_secret(app, registered.answer["client_secret"])
    kept = registered("POST", "/rotate-secret").json()["data"]
    assert is_client_secret(app, kept["client_secret"])
    assert is_client_secret(app, answer["client_secret"])
    assert kept["previous_secret_expires_at"].endswith("Z")
    for wrong in (-1, 604_801, "60", True):
        refused = registered("POST", "/rotate-secret", {"grace_period_seconds": wrong})
        assert error_of(refused)["details"][0]["field"] == "grace_period_seconds"


def test_a_replay_of_the_registration_keeps_no_secret(api, make_account, id_token):
    token, key = id_token(make_account()), {"Idempotency-Key": "register-1"}
    first = api.post(APPS, REGISTRATION, token=token, headers=key)
    again = api.post(APPS, REGISTRATION, token=token, headers=key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["data"]["app_id"] == first.json()["data"]["app_id"]
    assert not {"client_secret", "signing_secret"} & again.json()["data"].keys()
    assert App.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_registrations_at_once_make_ten_apps(make_account):
    account = make_account()

    def attempt(number):
        fields = {"name": f"App {number}", "description": "x", "runtime_url": "https://acmeweather.com/a"}
        try:
            register_runtime_app(account, actor="test", fields=fields)
        except QuotaExceeded:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(20))) == 10
    assert App.objects.for_account(account).count() == RuntimeApp.objects.count() == 10
