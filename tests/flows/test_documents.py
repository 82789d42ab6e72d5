"""The documents' curl commands, sent as printed with only the host and ids put in (tests/documents)."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from examples.demo import story as demo
from examples.demo.http import Caller
from examples.demo.processes import read_mail_token, running_platform, running_provider
from tests.flows.commands import commands, data_of, read_command, send
from tests.runtime import documents

pytestmark = pytest.mark.timeout(180)

REFERENCE, RUNTIME, OVERVIEW = "api_reference", "runtime_configuration", "platform_overview"
TIME = re.compile(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")
PROVIDER_STEPS = (
    demo.sign_up,
    demo.verify,
    demo.log_in,
    demo.create_app,
    demo.get_token,
    demo.register_runtime,
    demo.register_templates,
    demo.create_package,
    demo.validate,
    demo.submit,
    demo.install,
)
TEMPLATES = {
    "create_state_template": documents.STATE,
    "create_action_template": documents.ACTION,
    "create_history_template": documents.HISTORY,
    "create_realtime_template": documents.REALTIME,
    "create_webhook_template": documents.WEBHOOK,
}
AUTH_PROFILES = {
    "put_auth_profile_oauth2": documents.OAUTH2,
    "put_auth_profile_api_key": documents.API_KEY,
    "put_auth_profile_credential": documents.CREDENTIAL,
}
FIRST_PROFILE = next(iter(AUTH_PROFILES))
ADDED_BY_THE_PLATFORM = {"id", "app_id", "created_at", "updated_at"}
LISTING = {"id", "slug", "name", "description", "publisher", "risk_tier", "install_count", "rating", "version"}
Send = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[demo.Story]:
    """Start the platform and Acme Weather, with a listed package and a second user who has installed it."""
    data_dir = tmp_path_factory.mktemp("documents")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATABASE_URL", "REDIS_URL"):
            patch.delenv(name, raising=False)
        with running_platform(data_dir) as base_url, running_provider() as provider_url:
            told = demo.Story(Caller(base_url), Caller(provider_url), data_dir)
            for step in PROVIDER_STEPS:
                step(told)
            yield told


@pytest.fixture
def as_server(story: demo.Story) -> Send:
    """Return a sender with the app's access token, as the Runtime API asks for it."""
    return sender(story, story.server)


@pytest.fixture
def as_developer(story: demo.Story) -> Send:
    """Return a sender with the developer's ID token."""
    return sender(story, story.developer)


@pytest.fixture
def as_user(story: demo.Story) -> Send:
    """Return a sender with the second user's ID token."""
    return sender(story, story.user)


def sender(story: demo.Story, caller: Caller | None) -> Send:
    known = {
        "BASE": story.platform.base_url,
        "TOKEN": caller.token if caller else "",
        "APP_ID": story.app["id"],
        "CLIENT_ID": story.app["client_id"],
        "CLIENT_SECRET": story.app["client_secret"],
        "PACKAGE_ID": story.package_id,
        "VERSION_ID": story.version_id,
        "CAPABILITY_ID": story.capability_id,
    }
    return lambda name, **variables: send(name, {**known, **variables})


def register(as_server: Send) -> dict[str, Any]:
    data: dict[str, Any] = data_of(as_server(f"{RUNTIME}/register_runtime_app"), 201)
    return data


def has_times(item: dict[str, Any]) -> bool:
    return all(TIME.match(item[name]) for name in ("created_at", "updated_at"))


def test_every_command_is_sent_by_a_test():
    source = Path(__file__).read_text(encoding="utf-8")
    assert len(commands()) == 56
    assert [name for name in commands() if name.partition("/")[2] not in source] == []


def test_a_command_is_read_as_bash_reads_it():
    variables = {"BASE": "http://127.0.0.1:1", "TOKEN": "t0", "APP_ID": "app_1"}
    request = read_command(f"{RUNTIME}/create_action_template", variables)
    assert (request.method, request.url) == ("POST", "http://127.0.0.1:1/v1/providers/runtime/apps/app_1/capabilities")
    assert request.headers == {"Authorization": "Bearer t0", "Content-Type": "application/json"}
    assert b"Create a new task in the user's project" in (request.body or b"")


def test_a_runtime_app_is_registered_as_printed(as_server):
    data = register(as_server)
    assert re.fullmatch(r"app_[0-9A-HJKMNP-TV-Z]{26}", data["app_id"])
    assert re.fullmatch(r"ci_acmeweather_[0-9a-f]{8}", data["client_id"])
    assert re.fullmatch(r"cs_live_[A-Za-z0-9_-]{32,}", data["client_secret"])
    assert (data["name"], data["status"]) == ("Acme Weather", "active")
    assert has_times(data)


def test_auth_profiles_of_all_strategies_are_saved_as_printed(as_server, story):
    app_id = register(as_server)["app_id"]
    for name, printed in AUTH_PROFILES.items():
        data = data_of(as_server(f"{RUNTIME}/{name}", APP_ID=app_id), 201 if name == FIRST_PROFILE else 200)
        assert {key: data[key] for key in printed} == printed
        assert story.as_server("GET", f"/v1/providers/runtime/apps/{app_id}/auth").data == data


def test_templates_of_all_modes_are_registered_as_printed(as_server):
    app_id = register(as_server)["app_id"]
    for name, printed in TEMPLATES.items():
        data = data_of(as_server(f"{RUNTIME}/{name}", APP_ID=app_id), 201)
        assert set(data) >= {*printed, *ADDED_BY_THE_PLATFORM}
        assert {key: data[key] for key in printed} == printed
        assert re.fullmatch(r"cap_[0-9A-HJKMNP-TV-Z]{26}", data["id"])
        assert has_times(data)


def test_the_webhook_profile_is_set_as_printed(as_server):
    app_id = register(as_server)["app_id"]
    data = data_of(as_server(f"{RUNTIME}/put_webhook_profile", APP_ID=app_id), 200)
    printed = {**documents.WEBHOOK_PROFILE, "signature": dict(documents.WEBHOOK_PROFILE["signature"])}
    del printed["signature"]["secret"]
    assert {key: data[key] for key in printed} == printed


def test_secrets_are_set_listed_and_deleted_as_printed(as_server):
    app_id = register(as_server)["app_id"]
    data = data_of(as_server(f"{RUNTIME}/set_secret", APP_ID=app_id), 201)
    assert (set(data), data["key"]) == ({"key", "created_at", "updated_at"}, "WEATHER_API_KEY")
    assert has_times(data)
    listed = as_server(f"{RUNTIME}/list_secrets", APP_ID=app_id)
    assert data_of(listed, 200) == [data]
    assert listed.json()["meta"]["pagination"] == {"total": 1, "limit": 20, "offset": 0, "hasMore": False}
    assert data_of(as_server(f"{RUNTIME}/delete_secret", APP_ID=app_id), 200) == data
    assert data_of(as_server(f"{RUNTIME}/list_secrets", APP_ID=app_id), 200) == []


def test_the_health_check_url_is_changed_as_printed(as_server):
    app_id = register(as_server)["app_id"]
    data = data_of(as_server(f"{RUNTIME}/update_health_check_url", APP_ID=app_id), 200)
    assert data["health_check_url"] == "https://acmeweather.com/healthz"


def test_account_calls_of_the_reference(as_developer, story):
    who = {"COMPANY_NAME": "Third Company", "EMAIL": "dev@example.org", "PASSWORD": demo.PASSWORD}
    account = data_of(as_developer(f"{REFERENCE}/create_account", **who), 201)
    assert account["verification_status"] == "pending"
    token = read_mail_token(story.data_dir, who["EMAIL"])
    verified = data_of(as_developer(f"{REFERENCE}/verify_account", EMAIL_TOKEN=token), 200)
    assert (verified["id"], verified["verification_status"]) == (account["id"], "verified")
    signed_in = data_of(as_developer(f"{REFERENCE}/login", **who), 200)
    assert set(signed_in) == {"id_token", "refresh_token", "expires_in", "account"}
    read = data_of(as_developer(f"{REFERENCE}/get_account", TOKEN=signed_in["id_token"]), 200)
    assert (read["company_name"], read["email"], read["plan_tier"]) == ("Third Company", "dev@example.org", "free")
    changed = data_of(as_developer(f"{REFERENCE}/update_account", TOKEN=signed_in["id_token"]), 200)
    assert changed["company_name"] == "Acme Weather Inc."


def test_app_calls_of_the_reference(as_developer):
    app = data_of(as_developer(f"{REFERENCE}/create_app"), 201)
    assert app["client_secret"].startswith("cs_live_")
    listed = as_developer(f"{REFERENCE}/list_apps")
    assert [row["id"] for row in data_of(listed, 200)] == [app["id"]]
    assert listed.json()["meta"]["pagination"]["limit"] == 1
    read = data_of(as_developer(f"{REFERENCE}/get_app", APP_ID=app["id"]), 200)
    assert set(read) == set(app) - {"client_secret"}
    changed = data_of(as_developer(f"{REFERENCE}/update_app", APP_ID=app["id"]), 200)
    assert changed["description"] == "Real-time weather data and forecasts"
    assert TIME.match(data_of(as_developer(f"{REFERENCE}/delete_app", APP_ID=app["id"]), 200)["deleted_at"])
    assert as_developer(f"{REFERENCE}/get_app", APP_ID=app["id"]).status_code == 404


def test_the_token_request_of_the_reference(as_developer):
    response = as_developer(f"{REFERENCE}/request_access_token")
    body = response.json()
    assert response.status_code == 200
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert body["access_token"].startswith("eyJ")
    assert int(response.headers["X-RateLimit-Limit"]) > int(response.headers["X-RateLimit-Remaining"])


def test_runtime_calls_of_the_reference(as_server, as_developer):
    app = data_of(as_developer(f"{REFERENCE}/create_app"), 201)
    made = data_of(as_server(f"{REFERENCE}/register_runtime_app", APP_ID=app["id"]), 201)
    assert "client_secret" not in made
    ids = {row["app_id"] for row in data_of(as_server(f"{REFERENCE}/list_runtime_apps"), 200)}
    assert made["app_id"] in ids
    profile = data_of(as_server(f"{REFERENCE}/put_auth_profile", APP_ID=app["id"]), 201)
    assert profile["strategy"] == "credential"
    template = data_of(as_server(f"{REFERENCE}/put_capability_template", APP_ID=app["id"]), 201)
    webhooks = data_of(as_server(f"{REFERENCE}/put_webhook_profile", APP_ID=app["id"]), 201)
    rotated = data_of(as_server(f"{REFERENCE}/put_credential_secret", APP_ID=app["id"]), 200)
    assert rotated["signing_secret"].startswith("whsec_")
    changed = data_of(as_server(f"{REFERENCE}/update_runtime_app", APP_ID=app["id"]), 200)
    assert (changed["runtime_url"], changed["status"]) == ("https://api.acmeweather.com/aiffinity/v2", "active")
    read = data_of(as_server(f"{REFERENCE}/get_runtime_app", APP_ID=app["id"]), 200)
    assert (read["auth_profile"], read["webhook_profile"], read["capabilities"]) == (profile, webhooks, [template])
    secret = data_of(as_server(f"{REFERENCE}/rotate_client_secret", APP_ID=app["id"]), 200)["client_secret"]
    assert secret.startswith("cs_live_")


def test_the_health_call_of_the_reference(as_server):
    health = data_of(as_server(f"{REFERENCE}/get_health"), 200)
    assert (health["connectivity"], health["status"]) == ("reachable", "healthy")
    assert {"handlers", "uptime_seconds", "last_invocation_at"} <= set(health)


def test_package_calls_of_the_reference(as_developer):
    package = data_of(as_developer(f"{REFERENCE}/create_package"), 201)
    ids = {"PACKAGE_ID": package["id"], "VERSION_ID": package["versions"][0]["id"]}
    assert package["id"] in [row["id"] for row in data_of(as_developer(f"{REFERENCE}/list_packages"), 200)]
    changed = data_of(as_developer(f"{REFERENCE}/update_package", **ids), 200)
    assert changed["description"] == "Current weather for every place on earth"
    run = data_of(as_developer(f"{REFERENCE}/validate_version", **ids), 200)
    assert 80 <= run["score"] <= 100
    assert len(run["dimensions"]) == 6
    steps = (("submit_version", "listed"), ("publish_version", "listed"), ("suspend_version", "suspended"))
    for name, state in steps:
        assert data_of(as_developer(f"{REFERENCE}/{name}", **ids), 200)["state"] == state
    version = data_of(as_developer(f"{REFERENCE}/create_version", **ids), 201)
    assert (version["state"], version["changelog"]) == ("draft", "Fewer capabilities")
    read = data_of(as_developer(f"{REFERENCE}/get_package", **ids), 200)
    assert [row["id"] for row in read["versions"]] == [version["id"], ids["VERSION_ID"]]
    assert (read["install_count"], read["status"]) == (0, "suspended")


def test_invocation_calls_of_the_reference(as_user):
    answer = data_of(as_user(f"{REFERENCE}/invoke_capability"), 200)
    assert (answer["status"], answer["data"]["location"], answer["ttl"]) == ("ok", "Oslo", 900)
    state = data_of(as_user(f"{REFERENCE}/get_state"), 200)
    assert (state["data"], state["invocation_id"]) == (answer["data"], answer["invocation_id"])
    refused = as_user(f"{REFERENCE}/run_action")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "INVALID_STATE")
    listed = as_user(f"{REFERENCE}/list_invocations")
    assert isinstance(data_of(listed, 200), list)
    assert listed.json()["meta"]["pagination"]["limit"] == 10


def test_catalog_calls_of_the_documents(as_developer, story):
    for name in (f"{REFERENCE}/browse_marketplace", f"{OVERVIEW}/browse_catalog"):
        found = {row["id"]: row for row in data_of(as_developer(name), 200)}
        assert set(found[story.package_id]) >= LISTING
    page = data_of(as_developer(f"{OVERVIEW}/get_package_page"), 200)
    assert page["installability"] == data_of(as_developer(f"{OVERVIEW}/get_installability"), 200)
    install = data_of(as_developer(f"{REFERENCE}/install_package"), 201)
    assert (install["package_id"], install["status"]) == (story.package_id, "active")
    assert data_of(as_developer(f"{OVERVIEW}/install_package"), 200)["id"] == install["id"]
    removed = data_of(as_developer(f"{REFERENCE}/uninstall_package"), 200)
    assert (removed["id"], removed["status"]) == (install["id"], "removed")


def test_the_retired_api_answers_gone(as_developer):
    response = as_developer(f"{OVERVIEW}/retired_partners")
    assert (response.status_code, response.json()["error"]["code"]) == (410, "GONE")
    assert set(response.json()["error"]["migration"]) == {"replacement", "documentation_url", "sunset_at", "guide"}
