"""The leak hunt: secrets of every kind go through the whole platform and are found nowhere afterwards."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from aiffinity.lib.models import IdempotencyRecord, OutgoingMail
from capabilities.models import Invocation
from capabilities.recording import recorder
from examples.acme_weather.capabilities import Call
from packages.conformance import runner
from packages.models import ValidationRun
from providers.models import Account, User
from runtime.deliveries.drain import drain_due
from runtime.models import Delivery
from tests.fakes import FakeProvider
from tests.flows.leaks import (
    Canaries,
    admin_pages,
    collected_logs,
    command_outputs,
    database_rows,
    log_in_to_admin,
    redis_entries,
)
from tests.published import Published
from tests.runtime import documents

pytestmark = pytest.mark.django_db(transaction=True)

ACCOUNT = "/v1/providers/account"
APPS = "/v1/providers/apps"
RUNTIME = "/v1/providers/runtime/apps"
MANAGE = "/v1/providers/packages/manage"
EMAIL = "dev@acmeweather.com"


@dataclass
class Hunt:
    """One provider on its way through the platform, with its secrets."""

    canaries: Canaries
    provider: FakeProvider
    token: str = ""
    app_id: str = ""

    def call(self, method: str, path: str, body: Any = None, **kwargs: Any) -> Any:
        """Call as the provider; the call must succeed."""
        response = self.canaries.call(method, path, body, **{"token": self.token, **kwargs})
        assert response.status_code < 300, (path, response.content)
        return response.json().get("data")

    def runtime(self, path: str = "") -> str:
        """Return a path below the runtime app."""
        return f"{RUNTIME}/{self.app_id}{path}"

    def refuse(self, method: str, path: str, body: Any = None, **kwargs: Any) -> None:
        """Call with something wrong in it; the refusal must not repeat the secret."""
        response = self.canaries.call(method, path, body, **{"token": self.token, **kwargs})
        assert 400 <= response.status_code < 500, (path, response.content)


def test_no_secret_is_found_anywhere_but_where_it_is_shown(
    api: Any,
    fake_provider: FakeProvider,
    publish: Callable[..., Published],
    make_user: Callable[..., User],
    id_token: Callable[..., str],
    mail_tokens: Callable[[str], list[str]],
) -> None:
    hunt = Hunt(Canaries(api), fake_provider)
    staff = Client()
    with collected_logs() as logs:
        _sign_up(hunt, mail_tokens)
        _make_apps(hunt)
        _set_secrets(hunt)
        _validate(hunt)
        _send_secrets_that_are_refused(hunt)
        _invoke(hunt, publish, make_user, id_token)
        _read_everything(hunt)
        log_in_to_admin(hunt.canaries, staff)
        pages = list(admin_pages(staff))
        outputs = list(command_outputs())
    canaries = hunt.canaries
    assert len(canaries.values) >= 20
    assert set(canaries.shown_in) < set(canaries.values)
    assert canaries.leaks_in_answers() == []
    assert canaries.leaks_in(database_rows()) == []
    assert canaries.leaks_in(redis_entries()) == []
    assert canaries.leaks_in((line[:300], line) for line in logs.getvalue().splitlines()) == []
    assert canaries.leaks_in(iter(pages)) == []
    assert canaries.leaks_in(iter(outputs)) == []
    assert IdempotencyRecord.objects.exclude(body=None).count() == 3
    assert len(pages) > 40
    assert "request" in logs.getvalue()


def _sign_up(hunt: Hunt, mail_tokens: Callable[[str], list[str]]) -> None:
    canaries = hunt.canaries
    password = canaries.give("password")
    hunt.call("POST", ACCOUNT, {"company_name": "Acme Weather", "email": EMAIL, "password": password}, token="")
    assert canaries.leaks_in(database_rows()) == []
    assert OutgoingMail.objects.count() == 1
    [token] = mail_tokens(EMAIL)
    canaries.values["mail_token"] = token
    hunt.call("POST", f"{ACCOUNT}/verify", {"token": token}, token="")
    wrong = {"email": EMAIL, "password": canaries.give("wrong_password")}
    hunt.refuse("POST", f"{ACCOUNT}/login", wrong, token="")
    password = _reset_password(hunt, mail_tokens)
    for step, path, body in (
        ("login", "login", lambda: {"email": EMAIL, "password": password}),
        ("refresh", "token/refresh", lambda: {"refresh_token": canaries.values["refresh_token_of_login"]}),
    ):
        signed_in = hunt.call("POST", f"{ACCOUNT}/{path}", body(), token="")
        canaries.show(f"refresh_token_of_{step}", signed_in["refresh_token"])
    # Both ID tokens may be of the same second and the same then, so one of them is enough.
    hunt.token = canaries.show("id_token", signed_in["id_token"])
    canaries.answers[-2] = ("login", canaries.answers[-2][1].replace(hunt.token, ""))
    Account.objects.update(plan_tier="enterprise")


def _reset_password(hunt: Hunt, mail_tokens: Callable[[str], list[str]]) -> str:
    """Ask for a reset, fail at it with a weak password, and set a new one."""
    canaries = hunt.canaries
    hunt.call("POST", f"{ACCOUNT}/password-reset", {"email": EMAIL}, token="")
    assert canaries.leaks_in(database_rows()) == []
    body = {"token": mail_tokens(EMAIL)[-1], "password": canaries.give("new_password")}
    canaries.values["reset_token"] = body["token"]
    hunt.refuse("POST", f"{ACCOUNT}/password-reset/confirm", {**body, "password": "canary"}, token="")
    hunt.call("POST", f"{ACCOUNT}/password-reset/confirm", body, token="")
    hunt.refuse("POST", f"{ACCOUNT}/password-reset/confirm", body, token="")
    return body["password"]


def _make_apps(hunt: Hunt) -> None:
    canaries = hunt.canaries
    app = canaries.call_twice(APPS, {"name": "Console"}, {"client_secret": "client_secret"}, token=hunt.token)
    credentials = {
        "grant_type": "client_credentials",
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
    }
    response = canaries.call("POST", "/v1/providers/auth/token", credentials)
    access_token = canaries.show("access_token", response.json()["access_token"])
    basic = base64.b64encode(f"{app['client_id']}:{canaries.give('wrong_client_secret')}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    canaries.values["basic"] = basic
    refused = canaries.call("POST", "/v1/providers/auth/token", {"grant_type": "client_credentials"}, headers=headers)
    assert refused.status_code == 401
    for number, path in enumerate(("introspect", "revoke", "introspect")):
        token = canaries.give(f"no_token_{number}") if number else access_token
        answer = canaries.call("POST", f"/v1/providers/auth/{path}", {**credentials, "token": token})
        assert answer.status_code == 200
    registration = {
        "name": "Acme Weather",
        "description": "Real-time weather data",
        "runtime_url": hunt.provider.runtime_url,
        "health_check_url": hunt.provider.health_check_url,
        "webhook_url": hunt.provider.webhook_url,
        "logo_url": "https://acmeweather.com/logo-512.png",
    }
    shows = {"client_secret": "runtime_client_secret", "signing_secret": "made_signing_secret"}
    hunt.app_id = canaries.call_twice(RUNTIME, registration, shows, token=access_token)["app_id"]
    rotated = {"client_secret": "rotated_client_secret"}
    canaries.call_twice(hunt.runtime("/rotate-secret"), {"grace_period_seconds": 60}, rotated, token=access_token)


def _set_secrets(hunt: Hunt) -> None:
    canaries = hunt.canaries
    made = hunt.call("PUT", hunt.runtime("/credential-secret"), {})
    canaries.show("second_signing_secret", made["signing_secret"])
    given = canaries.give("given_signing_secret")
    hunt.call("PUT", hunt.runtime("/credential-secret"), {"secret": given})
    canaries.show("given_signing_secret", given)
    signing_secret = canaries.give_signing_secret("webhook_signing_secret")
    profile = {
        **documents.WEBHOOK_PROFILE,
        "url": hunt.provider.webhook_url,
        "events": ["*"],
        "signature": {**documents.WEBHOOK_PROFILE["signature"], "secret": signing_secret},
    }
    hunt.call("PUT", hunt.runtime("/webhook-profile"), profile)
    hunt.provider.signing_secret = signing_secret
    for name in ("named_secret", "replaced_named_secret", "replacing_named_secret"):
        key = name.removeprefix("replaced_").removeprefix("replacing_").upper()
        hunt.call("PUT", hunt.runtime(f"/secrets/{key}"), {"value": canaries.give(name)})
    credential = {
        **documents.CREDENTIAL,
        "test_connection": {"fields": {"subdomain": "acme", "api_token": canaries.give("test_field")}},
    }
    hunt.call("PUT", hunt.runtime("/auth-profile"), credential)
    api_key = {**documents.API_KEY, "test_connection": {"api_key": canaries.give("test_api_key")}}
    hunt.call("PUT", hunt.runtime("/auth-profile"), api_key)
    hunt.call("PUT", hunt.runtime("/auth"), _oauth2(hunt, "oauth2_client_secret", "test_access_token"))


def _oauth2(hunt: Hunt, client_secret: str, access_token: str) -> dict[str, Any]:
    return {
        "strategy": "oauth2",
        "oauth2": {**documents.OAUTH2["oauth2"], "client_secret": hunt.canaries.give(client_secret)},
        "test_connection": {"access_token": hunt.canaries.give(access_token)},
    }


def _validate(hunt: Hunt) -> None:
    hunt.call("PUT", hunt.runtime("/capability-template"), documents.STATE)
    package = hunt.call(
        "POST",
        MANAGE,
        {
            "appId": hunt.app_id,
            "name": "Acme Weather",
            "slug": "acme-weather-leaks",
            "description": "Current conditions and forecasts for any place.",
            "riskTier": "data_only",
            "capabilities": ["current_weather"],
        },
    )
    version = f"{MANAGE}/{package['id']}/versions/{package['versions'][0]['id']}"
    hunt.provider.echo_secrets = True
    run = hunt.call("POST", f"{version}/validate", {}, headers={"Prefer": "respond-async"})
    runner.run_validation(run["id"])
    assert ValidationRun.objects.get().finished_at is not None
    hunt.provider.echo_secrets = False
    hunt.call("GET", f"{version}/validations/{run['id']}")
    hunt.call("GET", version)


def _send_secrets_that_are_refused(hunt: Hunt) -> None:
    give = hunt.canaries.give
    hunt.refuse("PUT", hunt.runtime("/secrets/KEY"), {"value": [give("in_a_list")]})
    hunt.refuse("PUT", hunt.runtime("/secrets/KEY"), {"valeu": give("under_a_typo")})
    hunt.refuse("PUT", hunt.runtime("/secrets/KEY"), {"value": give("too_long") * 200})
    hunt.refuse("PUT", hunt.runtime("/secrets/KEY"), b'{"value": "%s' % give("in_broken_json").encode())
    hunt.refuse("PUT", hunt.runtime("/auth"), {**_oauth2(hunt, "refused_client_secret", "refused_token"), "x": 1})
    wrong_strategy = {**documents.API_KEY, "test_connection": {"access_token": give("of_another_strategy")}}
    hunt.refuse("PUT", hunt.runtime("/auth"), wrong_strategy)
    signature = {"algorithm": "md5", "secret": give("beside_a_wrong_algorithm")}
    hunt.refuse("PUT", hunt.runtime("/webhooks"), {**documents.WEBHOOK_PROFILE, "signature": signature})
    hunt.refuse("POST", f"{ACCOUNT}/verify", {"token": give("unknown_mail_token")})
    hunt.refuse("POST", f"{ACCOUNT}/token/refresh", {"refresh_token": give("unknown_refresh_token")})
    unknown = {"token": give("unknown_reset_token"), "password": give("unused_password")}
    hunt.refuse("POST", f"{ACCOUNT}/password-reset/confirm", unknown)
    hunt.refuse("GET", f"{APPS}?limit=0&api_key={give('in_a_query')}")
    hunt.refuse("GET", APPS, token=give("forged_token"))
    weak = {"company_name": "Acme", "email": "weak@example.com", "password": "canaryword"}
    hunt.canaries.values["weak_password"] = "canaryword"
    hunt.refuse("POST", ACCOUNT, {**weak, "email": "canaryword@example.org", "password": "canaryword"}, token="")
    del hunt.canaries.values["weak_password"]


def _invoke(
    hunt: Hunt, publish: Callable[..., Published], make_user: Callable[..., User], id_token: Callable[..., str]
) -> None:
    """Let a user call a provider that tells its secrets in metadata, in data and in the message of an error."""
    published = publish(
        account=Account.objects.get(email=EMAIL),
        runtime_url=hunt.provider.runtime_url,
        webhook_url=f"{hunt.provider.webhook_url}/second",
    )
    user_token = id_token(make_user())
    app_id, hunt.app_id = hunt.app_id, published.app.pk
    secret = hunt.canaries.give("secret_of_the_call")
    hunt.call("PUT", hunt.runtime("/secrets/WEATHER_KEY"), {"value": secret})
    hunt.call("PUT", hunt.runtime("/credential-secret"), {"secret": hunt.provider.signing_secret})
    hunt.canaries.answers.pop()
    hunt.call("POST", f"/v1/space/marketplace/{published.package.pk}/install", {}, token=user_token)
    capability = f"/v1/providers/capabilities/{published.capability_id()}"
    weather = {"location": "Oslo", "temperature_c": 4.5, "condition": "rainy"}

    def tell(call: Call) -> dict[str, Any]:
        if call.params["location"] == "Oslo":
            return {"data": weather, "metadata": {"echo": secret}}
        if call.params["location"] == "Paris":
            return {"data": {**weather, "condition": f"rainy, {secret}"}}
        error = {"code": "bad_key", "message": f"The key {secret} has expired.", "retryable": False}
        return {"status": "error", "error": error}

    hunt.provider.answers["current_weather"] = tell
    hunt.call("POST", f"{capability}/invoke", {"params": {"location": "Oslo"}}, token=user_token)
    for location, code in (("Rome", "UPSTREAM_ERROR"), ("Paris", "UPSTREAM_INVALID_RESPONSE")):
        body = {"params": {"location": location}}
        failed = hunt.canaries.call("POST", f"{capability}/invoke", body, token=user_token)
        assert (failed.status_code, failed.json()["error"]["code"]) == (502, code)
    sent = hunt.provider.requests_to("execute")[-1]
    assert sent.json["context"]["secrets"] == {"WEATHER_KEY": secret}
    hunt.call("GET", f"{capability}/state", token=user_token)
    recorder.flush()
    assert Invocation.objects.filter(status="error").count() == 2
    hunt.call("GET", f"{capability}/history")
    hunt.app_id = app_id
    drain_due(linger_seconds=0)
    assert Delivery.objects.filter(status="delivered").exists()


def _read_everything(hunt: Hunt) -> None:
    for path in (
        ACCOUNT,
        APPS,
        f"{APPS}/{hunt.app_id}",
        RUNTIME,
        MANAGE,
        "/v1/providers/capabilities",
        "/v1/providers/packages/catalog",
        *(
            hunt.runtime(part)
            for part in (
                "",
                "/auth-profile",
                "/webhook-profile",
                "/capabilities",
                "/secrets",
                "/secrets/NAMED_SECRET",
                "/health",
                "/health/checks",
                "/webhook-deliveries",
            )
        ),
    ):
        hunt.call("GET", path)
    for delivery in Delivery.objects.all():
        hunt.call("GET", f"{RUNTIME}/{delivery.endpoint_id}/webhook-deliveries/{delivery.pk}")
