"""The leak hunt for connections: tokens, keys, fields, codes and verifiers are found nowhere afterwards."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client

from capabilities.recording import recorder
from examples.acme_weather.access import ADA
from runtime.connections.refreshing import refresh_due_connections
from runtime.connections.revoking import revoke_due_connections
from runtime.connections.stored import open_content
from runtime.models import AuthorizationRequest, Connection
from runtime.sealing import unseal, verifier_name
from tests.connected import CLIENT, consent, oauth2
from tests.flows.leaks import Canaries, admin_pages, collected_logs, database_rows, log_in_to_admin, redis_entries

pytestmark = pytest.mark.django_db(transaction=True)


class Recorded:
    """The API as the install's user calls it, with every answer kept for the hunt."""

    def __init__(self, canaries):
        self.canaries = canaries

    def __call__(self, method, path, body=None, **kwargs):
        return self.canaries.call(method, path, body, **kwargs)

    def post(self, path, body, **kwargs):
        return self.canaries.call("POST", path, body, **kwargs)


def note_content(canaries, weather, name):
    content = open_content(weather.connection)
    for kind in ("access_token", "refresh_token", "api_key"):
        secret = getattr(content, kind)
        if secret is not None:
            canaries.values[f"{kind}_{name}"] = secret.reveal()


def go_through_oauth(canaries, weather):
    weather.set_profile("oauth2", oauth2(weather.acme), client_secret=CLIENT["client_secret"])
    begun = weather.begin()
    canaries.show("state", begun["state"])
    request = AuthorizationRequest.objects.select_related("runtime_app__app").get()
    verifier = unseal(request.runtime_app, verifier_name(request), request.sealed_code_verifier)
    canaries.values["verifier"] = verifier.reveal()
    given = consent(begun["authorization_url"])
    page = canaries.call("GET", f"/v1/space/connections/callback/{weather.published.app.pk}?{urlencode(given)}")
    assert page.status_code == 200
    canaries.answers.pop()
    canaries.values["code"] = given["code"]
    assert weather.complete(**given).status_code == 200
    note_content(canaries, weather, "first")
    weather.make_due()
    refresh_due_connections()
    note_content(canaries, weather, "second")
    assert weather.invoke().status_code == 200
    weather.acme.control(refuse_calls=True)
    weather.age(by=timedelta(minutes=2))
    assert weather.invoke(limit=1).status_code == 502
    note_content(canaries, weather, "third")
    weather.acme.control(refuse_calls=False, oauth={"is_refresh_refused": True})
    weather.make_due()
    refresh_due_connections()
    assert weather.invoke(limit=2).status_code == 422


def go_through_entered_values(canaries, weather):
    section = {"header_name": "X-Api-Key", "validation_url": f"{weather.acme.url}/v1/me"}
    weather.set_profile("api_key", section)
    canaries.values["api_key"] = ADA.api_key
    assert weather.call("POST", body={"api_key": ADA.api_key}).status_code == 200
    assert weather.call("POST", body={"api_key": canaries.give("refused_key")}).status_code == 400
    assert weather.call("POST", body={"api_kye": canaries.give("key_under_a_typo")}).status_code == 400
    assert weather.invoke(limit=3).status_code == 200
    fields = [
        {"name": "subdomain", "label": "Subdomain", "type": "text", "required": True},
        {"name": "api_token", "label": "API Token", "type": "secret", "required": True},
    ]
    url = f"{weather.acme.url}/accounts/{{subdomain}}/verify?api_token={{api_token}}"
    weather.set_profile("credential", {"fields": fields, "validation_url": url})
    canaries.values["api_token"] = ADA.api_token
    good = {"subdomain": ADA.subdomain, "api_token": ADA.api_token}
    assert weather.call("POST", body={"fields": good}).status_code == 200
    wrong = {**good, "api_token": canaries.give("refused_field")}
    assert weather.call("POST", body={"fields": wrong}).status_code == 400
    assert weather.invoke(limit=4).status_code == 200


def test_nothing_of_a_connection_is_found_anywhere(weather):
    canaries, staff = Canaries(weather.api), Client()
    weather.api = Recorded(canaries)
    canaries.values["client_secret"] = CLIENT["client_secret"]
    with collected_logs() as logs:
        go_through_oauth(canaries, weather)
        go_through_entered_values(canaries, weather)
        weather.call("GET")
        recorder.flush()
        log_in_to_admin(canaries, staff)
        pages = list(admin_pages(staff))
        rows = list(database_rows())
        weather.call("DELETE")
        revoke_due_connections()
    assert not Connection.objects.exists()
    assert len(canaries.values) >= 15
    assert canaries.leaks_in_answers() == []
    assert canaries.leaks_in(iter(rows)) == []
    assert canaries.leaks_in(database_rows()) == []
    assert canaries.leaks_in(redis_entries()) == []
    # The test's own client logs the addresses that it asks.
    lines = [line for line in logs.getvalue().splitlines() if '"logger":"urllib3' not in line]
    assert canaries.leaks_in((line[:300], line) for line in lines) == []
    assert canaries.leaks_in(iter(pages)) == []
    assert any("/admin/runtime/connection/conn_" in path for path, _ in pages)
