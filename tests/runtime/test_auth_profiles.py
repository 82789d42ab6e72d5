"""Auth profiles over HTTP: the documents' bodies, what is refused, and secrets that never come back."""

import copy

import pytest

from runtime.auth_profiles import auth_secrets
from tests.runtime.conftest import error_of
from tests.runtime.documents import API_KEY, CREDENTIAL, OAUTH2

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/auth", "/auth-profile"])
@pytest.mark.parametrize("body", [OAUTH2, API_KEY, CREDENTIAL], ids=lambda body: body["strategy"])
def test_the_documents_bodies_are_taken_on_both_paths(registered, path, body):
    response = registered("PUT", path, body)
    assert response.status_code == 201
    expected = {"app_id": registered.app_id, **body, "has_client_secret": False, "has_test_connection": False}
    assert response.json()["data"] == expected
    for other in ("/auth", "/auth-profile"):
        assert registered("GET", other).json()["data"] == expected
    assert registered("GET").json()["data"]["auth_profile"] == expected
    assert registered("PUT", path, body).status_code == 200


def test_camel_case_is_stored_as_snake_case(registered):
    body = {
        "strategy": "oauth2",
        "oauth2": {
            "authorizationUrl": "https://acmeweather.com/oauth/authorize",
            "tokenUrl": "https://acmeweather.com/oauth/token",
            "revocationUrl": "https://acmeweather.com/oauth/revoke",
            "scopes": ["weather:read", "forecast:read"],
            "pkceRequired": True,
            "tokenEndpointAuthMethod": "client_secret_post",
        },
    }
    assert registered("PUT", "/auth", body).json()["data"]["oauth2"] == OAUTH2["oauth2"]


@pytest.mark.parametrize("section", ["custom", "credential"])
def test_custom_is_another_word_for_credential(registered, section):
    body = {"strategy": "custom", section: CREDENTIAL["credential"]}
    answer = registered("PUT", "/auth-profile", body).json()["data"]
    assert (answer["strategy"], answer["credential"]) == ("credential", CREDENTIAL["credential"])
    assert "custom" not in answer


def test_without_a_profile_there_is_none(registered):
    assert registered("GET", "/auth").status_code == 404
    assert registered("GET").json()["data"]["auth_profile"] is None


def test_secrets_go_in_and_never_come_out(registered):
    body = copy.deepcopy(OAUTH2)
    body["oauth2"] |= {"client_id": "aiffinity", "client_secret": "canary-client-secret"}
    body["test_connection"] = {"access_token": "canary-access-token"}
    response = registered("PUT", "/auth", body)
    answer = response.json()["data"]
    assert (answer["has_client_secret"], answer["has_test_connection"]) == (True, True)
    assert answer["oauth2"]["client_id"] == "aiffinity"
    row = registered.runtime_app
    stored = f"{row.auth_profile} {row.sealed_auth_secrets}"
    for text in (response.content.decode(), registered("GET").content.decode(), stored):
        assert "canary" not in text
    opened = auth_secrets(row)
    assert opened.client_secret is not None
    assert opened.client_secret.reveal() == "canary-client-secret"
    assert opened.test_access_token is not None
    assert opened.test_access_token.reveal() == "canary-access-token"


def test_a_secret_left_out_stays_and_null_erases_it(registered):
    body = copy.deepcopy(OAUTH2)
    body["oauth2"]["client_secret"] = "keep-me"
    registered("PUT", "/auth", body)
    assert registered("PUT", "/auth", OAUTH2).json()["data"]["has_client_secret"] is True
    body["oauth2"]["client_secret"] = None
    assert registered("PUT", "/auth", body).json()["data"]["has_client_secret"] is False
    body["oauth2"]["client_secret"] = "old strategy"
    registered("PUT", "/auth", body)
    registered("PUT", "/auth", API_KEY)
    assert registered("PUT", "/auth", OAUTH2).json()["data"]["has_client_secret"] is False


@pytest.mark.parametrize(
    ("body", "test_connection"),
    [
        (OAUTH2, {"access_token": "t"}),
        (API_KEY, {"apiKey": "k"}),
        (CREDENTIAL, {"fields": {"subdomain": "acme", "api_token": "t"}}),
    ],
    ids=["oauth2", "api_key", "credential"],
)
def test_a_test_connection_fits_its_strategy(registered, body, test_connection):
    answer = registered("PUT", "/auth", {**body, "test_connection": test_connection}).json()["data"]
    assert answer["has_test_connection"] is True
    opened = auth_secrets(registered.runtime_app)
    given = (opened.test_access_token, opened.test_api_key, opened.test_fields)
    assert sum(secret is not None for secret in given) == 1
    assert "test_connection" not in answer


@pytest.mark.parametrize(
    ("body", "changes", "field"),
    [
        (OAUTH2, {"token_url": "https://10.0.0.1/token"}, "oauth2.token_url"),
        (OAUTH2, {"authorization_url": None}, "oauth2.authorization_url"),
        (OAUTH2, {"scopes": ["two words"]}, "oauth2.scopes[0]"),
        (OAUTH2, {"pkce_required": "yes"}, "oauth2.pkce_required"),
        (
            OAUTH2,
            {"pkce_required": False, "token_endpoint_auth_method": "none"},
            "oauth2.pkce_required",
        ),
        (OAUTH2, {"token_endpoint_auth_method": "private_key_jwt"}, "oauth2.token_endpoint_auth_method"),
        (OAUTH2, {"tokenURI": "https://acmeweather.com"}, "oauth2.tokenURI"),
        (API_KEY, {"header_name": "Host"}, "api_key.header_name"),
        (API_KEY, {"header_name": "X-Aiffinity-Signature"}, "api_key.header_name"),
        (API_KEY, {"header_name": "X-Key\r\nX-Evil: 1"}, "api_key.header_name"),
        (API_KEY, {"instructions": "<img src=x onerror=alert(1)>"}, "api_key.instructions"),
        (API_KEY, {"validation_url": "http://acmeweather.com"}, "api_key.validation_url"),
        (CREDENTIAL, {"validation_url": "https://{tenant}.acmeweather.com/"}, "credential.validation_url"),
        (CREDENTIAL, {"validation_url": "https://{subdomain}/"}, "credential.validation_url"),
        (CREDENTIAL, {"fields": []}, "credential.fields"),
        (
            CREDENTIAL,
            {"fields": [{"name": "a", "label": "A"}, {"name": "b-c", "label": "B"}]},
            "credential.fields[1].name",
        ),
        (CREDENTIAL, {"fields": [{"name": "a", "label": "A"}] * 2}, "credential.fields"),
        (CREDENTIAL, {"fields": [{"name": "a", "label": "A", "type": "file"}]}, "credential.fields[0].type"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_changes(registered, settings, body, changes, field):
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = [], False
    strategy = body["strategy"]
    response = registered("PUT", "/auth", {**body, strategy: {**body[strategy], **changes}})
    assert (response.status_code, error_of(response)["code"]) == (400, "VALIDATION_ERROR")
    assert error_of(response)["details"][0]["field"] == field
    assert registered.runtime_app.auth_profile is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "strategy"),
        ({"strategy": "saml"}, "strategy"),
        ({"strategy": ["oauth2"]}, "strategy"),
        ({"strategy": "oauth2"}, "oauth2"),
        ({**OAUTH2, "api_key": API_KEY["api_key"]}, "api_key"),
        ({**OAUTH2, "test_connection": {"api_key": "k"}}, "test_connection"),
        ({**CREDENTIAL, "test_connection": {"fields": {"other": "x"}}}, "test_connection.fields.other"),
        ({**CREDENTIAL, "test_connection": {"fields": {"subdomain": 7, "api_token": "x"}}},
         "test_connection.fields.subdomain"),
        ({**OAUTH2, "oauth2": "yes"}, "oauth2"),
        ({"strategy": "custom", "custom": CREDENTIAL["credential"], "credential": CREDENTIAL["credential"]},
         "credential"),
    ],
)  # fmt: skip
def test_a_body_that_contradicts_itself_is_refused(registered, body, field):
    response = registered("PUT", "/auth-profile", body)
    assert response.status_code == 400
    assert error_of(response)["details"][0]["field"] == field


def test_the_configuration_hash_follows_the_profile_but_not_its_secrets(registered):
    before = registered.runtime_app.config_hash
    registered("PUT", "/auth", OAUTH2)
    with_profile = registered.runtime_app.config_hash
    registered("PUT", "/auth", {**OAUTH2, "test_connection": {"access_token": "t"}})
    assert before != with_profile == registered.runtime_app.config_hash
    wider = copy.deepcopy(OAUTH2)
    wider["oauth2"]["scopes"].append("admin")
    registered("PUT", "/auth", wider)
    assert registered.runtime_app.config_hash != with_profile
