"""Keys and fields that a user enters are checked at the provider, kept sealed, and carried by calls."""

import json

import pytest

from aiffinity.lib.crypto import Secret
from examples.acme_weather.access import ADA, BEN
from runtime.connections.revoking import revoke_due_connections
from runtime.connections.stored import open_content
from runtime.models import Connection, Event

pytestmark = pytest.mark.django_db

FIELDS = [
    {"name": "subdomain", "label": "Subdomain", "type": "text", "required": True},
    {"name": "api_token", "label": "API Token", "type": "secret", "required": True},
    {"name": "note", "label": "Note", "type": "text", "required": False},
]
GOOD = {"subdomain": ADA.subdomain, "api_token": ADA.api_token}


def use_api_key(weather, **fields):
    section = {"header_name": "X-Api-Key", "validation_url": f"{weather.acme.url}/v1/me", **fields}
    weather.set_profile("api_key", {name: value for name, value in section.items() if value is not None})


def use_credential(weather, url=None):
    default = f"{weather.acme.url}/accounts/{{subdomain}}/verify?api_token={{api_token}}"
    weather.set_profile("credential", {"fields": FIELDS, "validation_url": default if url is None else url})


def fault(response, status=400):
    assert response.status_code == status, response.content
    detail = response.json()["error"]["details"][0]
    return detail["field"], detail["code"]


def statuses_shown(weather):
    """Return how the connection stands in itself and in the list of installs, and whether the package asks for one."""
    [install] = weather.api.get("/v1/space/installs", token=weather.token).json()["data"]
    path = f"/v1/providers/packages/{weather.published.package.pk}/installability"
    reasons = weather.api.get(path, token=weather.token).json()["data"]["reasons"]
    is_asked_for = "connection_required" in [reason["code"] for reason in reasons]
    return weather.call("GET").json()["data"]["status"], install["connection"]["status"], is_asked_for


def test_a_key_is_checked_kept_sealed_and_sent_in_the_configured_header(weather):
    use_api_key(weather, instructions="Settings > API")
    assert weather.call("GET").json()["data"]["instructions"] == "Settings > API"
    response = weather.call("POST", body={"api_key": ADA.api_key})
    assert (response.status_code, response.json()["data"]["status"]) == (200, "active")
    assert ADA.api_key not in response.content.decode() + weather.connection.sealed_content
    assert weather.invoke().json()["data"]["data"]["account"] == ADA.email
    assert weather.call("POST", body={"api_key": BEN.api_key}).status_code == 200
    assert weather.invoke().json()["data"]["data"]["account"] == BEN.email
    assert weather.call("DELETE").json()["data"]["status"] == "revoking"
    assert revoke_due_connections() == 1
    assert not Connection.objects.exists()
    assert weather.events() == ["connection.created", "connection.created", "connection.revoked"]


def test_a_refused_key_leaves_the_earlier_connection_alone(weather):
    use_api_key(weather)
    weather.call("POST", body={"api_key": ADA.api_key})
    assert fault(weather.call("POST", body={"api_key": "of-nobody"})) == ("api_key", "refused_by_provider")
    assert open_content(weather.connection).api_key == Secret(ADA.api_key)


@pytest.mark.parametrize("key", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "clé", "a\u2028b", " ", ""])
def test_keys_that_could_smuggle_a_header_are_refused_before_anything_is_sent(weather, key):
    use_api_key(weather, validation_url=f"{weather.acme.url}/never-asked")
    response = weather.call("POST", body={"api_key": key})
    assert response.status_code == 400
    # A NUL ends at the JSON gate already.
    assert "\x00" in key or fault(response)[0] == "api_key"
    assert not Connection.objects.exists()


@pytest.mark.parametrize("name", ["Host", "Content-Length", "X-Aiffinity-Signature", "X Key", "X-Key:", "X-Key\r\nA"])
def test_headers_of_the_platform_and_of_the_connection_can_not_be_the_keys(weather, id_token, name):
    path = f"/v1/providers/runtime/apps/{weather.published.app.pk}/auth-profile"
    body = {"strategy": "api_key", "api_key": {"header_name": name}}
    response = weather.api.put(path, body, token=id_token(weather.published.account))
    assert fault(response)[0] == "api_key.header_name"


def test_a_provider_that_fails_does_not_call_the_key_bad(weather):
    use_api_key(weather, validation_url="http://127.0.0.1:9/v1/me")
    assert weather.call("POST", body={"api_key": ADA.api_key}).status_code == 502
    use_api_key(weather, validation_url=None)
    assert weather.call("POST", body={"api_key": ADA.api_key}).status_code == 200


def test_fields_are_checked_at_the_templated_url_and_carried_in_the_context(weather):
    use_credential(weather)
    shown = weather.call("GET").json()["data"]
    assert [field["name"] for field in shown["fields"]] == ["subdomain", "api_token", "note"]
    assert weather.call("POST", body={"fields": GOOD}).status_code == 200
    assert weather.invoke().json()["data"]["data"]["account"] == ADA.email
    content = weather.call("GET").content.decode() + weather.connection.sealed_content
    assert ADA.api_token not in content


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"subdomain": "ada", "api_token": "wrong"}, ("fields", "refused_by_provider")),
        ({"subdomain": "ada"}, ("fields.api_token", "required")),
        ({**GOOD, "extra": "x"}, ("fields.extra", "unknown_field")),
        ({**GOOD, "api_token": 7}, ("fields.api_token", "invalid")),
        ({**GOOD, "api_token": ""}, ("fields.api_token", "invalid")),
        ({**GOOD, "api_token": "x" * 4097}, ("fields.api_token", "invalid")),
        ({**GOOD, "api_token": ".."}, ("fields.api_token", "placeholder_value")),
        ({"subdomain": "ada/verify?x=", "api_token": "/../../v1/me"}, ("fields", "refused_by_provider")),
    ],
)
def test_fields_that_are_wrong_are_named_and_nothing_is_kept(weather, fields, expected):
    use_credential(weather)
    assert fault(weather.call("POST", body={"fields": fields})) == expected
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    "label",
    ["a.b", "evil.example/", "evil.example#", "x@y", "-a", "a-", "ä", "a b", "127.0.0.1", "x" * 64, "a:1", "%61"],
)
def test_a_host_takes_one_plain_label_of_the_user_and_nothing_else(weather, label):
    use_credential(weather, "https://{subdomain}.acmeweather.com/api/v1/verify")
    refused = weather.call("POST", body={"fields": {**GOOD, "subdomain": label}})
    assert fault(refused) == ("fields.subdomain", "placeholder_value")
    told = refused.json()["error"]["message"]
    assert told.endswith("{subdomain} must be one label of a host name: letters, digits and hyphens.")


def test_another_validation_url_asks_for_a_new_connection(weather):
    use_api_key(weather)
    weather.call("POST", body={"api_key": ADA.api_key})
    use_api_key(weather, validation_url="https://elsewhere.example/v1/me")
    assert statuses_shown(weather) == ("reconnect_required", "reconnect_required", True)
    assert weather.events() == ["connection.created"]
    for _ in range(2):
        response = weather.invoke()
        assert (response.status_code, response.json()["error"]["code"]) == (422, "CONNECTION_REQUIRED")
        assert response.json()["error"]["details"][0]["code"] == "reconnect_required"
    assert weather.acme.oauth()["requests"] == []
    assert weather.connection.status == "reconnect_required"
    assert weather.events() == ["connection.created", "connection.failed"]
    body = json.loads(Event.objects.get(type="connection.failed").body)
    assert body["data"]["reason"] == "profile_changed"


def test_a_change_of_the_profile_that_is_taken_back_costs_no_connection(weather):
    use_api_key(weather)
    weather.call("POST", body={"api_key": ADA.api_key})
    use_credential(weather)
    assert statuses_shown(weather) == ("reconnect_required", "reconnect_required", True)
    use_api_key(weather)
    assert statuses_shown(weather) == ("active", "active", False)
    assert weather.invoke().status_code == 200


def test_a_call_without_a_connection_says_so(weather):
    for use in (use_api_key, use_credential):
        use(weather)
        response = weather.invoke()
        assert (response.status_code, response.json()["error"]["code"]) == (422, "CONNECTION_REQUIRED")


def test_the_body_fits_the_strategy(weather):
    use_api_key(weather)
    assert fault(weather.call("POST", body={})) == ("api_key", "required")
    assert fault(weather.call("POST", body={"fields": GOOD})) == ("fields", "unknown_field")
    assert weather.complete("state", "code").status_code == 409
