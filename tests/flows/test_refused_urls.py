"""Every URL field of the API refuses every spelling of a refused address, names itself and changes nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.envelopes import check_refused
from tests.flows.fields import bodies_with, resolve
from tests.flows.test_hostile_input import AREAS, Sender, senders
from tests.refused_urls import SPELLINGS
from tests.runtime import documents

__all__ = ["senders"]

pytestmark = pytest.mark.django_db
# The providers' serializers give it to every URL field.
PATTERN = "^https?://"
# Every field must be found: a new one that is none of these shows here, and so does one that is lost.
FIELDS = {
    "account": set(),
    "apps": {"redirect_uris", "webhook_url", "homepage_url", "logo_url"},
    "auth": set(),
    "capabilities": set(),
    "packages": {"images", "support_url", "privacy_policy_url"},
    "runtime": {
        *("homepage_url", "redirect_uris", "webhook_url", "health_check_url", "logo_url", "runtime_url", "url"),
        *("oauth2.authorization_url", "oauth2.token_url", "oauth2.revocation_url", "api_key.validation_url"),
    },
    "space": set(),
}


def url_values(schema: dict[str, Any]) -> Iterator[Any]:
    """Yield every spelling for a URL field, and one list of each for a list of URLs."""
    field = resolve(schema)
    if field.get("pattern") == PATTERN:
        yield from SPELLINGS
    elif resolve(field.get("items", {})).get("pattern") == PATTERN:
        yield from ([url] for url in SPELLINGS)


@pytest.fixture(autouse=True)
def _strict_egress(settings: Any) -> None:
    """Allow what production allows."""
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP, settings.EGRESS_PORTS = [], False, [443, 8443]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("area", [area for area in AREAS if FIELDS[area]])
def test_every_url_field_refuses_every_spelling(senders: list[Sender], area: str) -> None:
    found = set()
    for send in (each for each in senders if "PUT" not in each.method or "/auth" not in each.template):
        found |= _refused_fields(send, send.body)
    for send in (each for each in senders if each.template.endswith("/auth-profile")):
        for body in (documents.OAUTH2, documents.API_KEY):
            found |= _refused_fields(send, body, body["strategy"])
    assert found == FIELDS[area]


def _refused_fields(send: Sender, given: dict[str, Any], prefix: str = "") -> set[str]:
    fields = set()
    for field, body in bodies_with(url_values, send.schema, given):
        if field.startswith(prefix):
            error = check_refused(send(body), (send, body), status=400, code="VALIDATION_ERROR")
            named = [detail["field"].partition("[")[0] for detail in error["details"]]
            assert field in named, (send, body, error)
            fields.add(field)
    return fields


def test_templated_url_refuses_every_spelling_too(registered: Any) -> None:
    for url in SPELLINGS:
        section = {**documents.CREDENTIAL["credential"], "validation_url": f"{url.rstrip('/')}/{{subdomain}}"}
        response = registered("PUT", "/auth-profile", {"strategy": "credential", "credential": section})
        assert response.status_code == 400, url
        assert response.json()["error"]["details"][0]["field"] == "credential.validation_url"
    assert registered("GET", "/auth-profile").status_code == 404


@pytest.fixture
def registered(api: Any, make_account: Any, id_token: Any) -> Any:
    """Return a function that calls the paths below a fresh runtime app."""
    token = id_token(make_account())
    body = {"name": "Acme", "description": "Weather", "runtime_url": "https://api.acmeweather.com"}
    app_id = api.post("/v1/providers/runtime/apps", body, token=token).json()["data"]["app_id"]
    base = f"/v1/providers/runtime/apps/{app_id}"
    return lambda method, path, sent=None: api(method, base + path, sent, token=token)
