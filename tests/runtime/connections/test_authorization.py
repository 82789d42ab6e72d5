"""Sending a user to the provider's consent page, and redeeming what comes back."""

import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from aiffinity.lib.models import AuditEntry
from aiffinity.lib.retention import purge_all
from capabilities.installs import install_package
from providers.applications import delete_app
from runtime.connections.revoking import revoke_due_connections
from runtime.connections.stored import open_content
from runtime.models import AuthorizationRequest, Connection, Event
from tests.connected import CLIENT, consent, oauth2
from tests.parallel import held_up_by_this_transaction, in_parallel

pytestmark = pytest.mark.django_db


def detail(response):
    assert response.status_code == 422, response.content
    error = response.json()["error"]
    assert error["code"] == "CONNECTION_REQUIRED"
    return error["details"][0]["field"], error["details"][0]["code"]


def test_the_authorization_url_has_state_and_an_s256_challenge_and_keeps_the_providers_own_query(weather):
    url = f"{weather.acme.url}/oauth/authorize?tenant=1&state=theirs&code_challenge_method=plain#x"
    weather.set_profile("oauth2", oauth2(weather.acme, authorization_url=url), **CLIENT)
    begun = weather.begin()
    query = parse_qs(urlsplit(begun["authorization_url"]).query)
    assert query["tenant"] == ["1"]
    assert query["state"] == [begun["state"]]
    assert query["code_challenge_method"] == ["S256"]
    app_id = weather.published.app.pk
    assert query["redirect_uri"] == [f"http://127.0.0.1:8000/v1/space/connections/callback/{app_id}"]
    assert (query["response_type"], query["scope"]) == (["code"], ["weather:read"])
    assert len(query["code_challenge"][0]) == 43
    assert "#" not in begun["authorization_url"]
    row = AuthorizationRequest.objects.get()
    assert begun["state"] not in (row.state_hash, row.sealed_code_verifier)
    assert timedelta(minutes=9) < row.expires_at - timezone.now() <= timedelta(minutes=10)


def test_tokens_are_kept_sealed_with_their_lifetime_and_scopes(weather):
    connection = weather.connect()
    content = open_content(connection)
    assert (connection.status, connection.scopes) == ("active", ["weather:read"])
    assert content.access_token is not None
    assert content.refresh_token is not None
    assert content.access_token.reveal() not in connection.sealed_content
    assert len(content.refresh_token.reveal()) == 43
    assert timedelta(minutes=59) < connection.expires_at - timezone.now() <= timedelta(minutes=60)
    assert connection.expires_at - connection.next_attempt_at == timedelta(minutes=5)
    assert AuditEntry.objects.filter(subject=connection.pk, action="connection.created").count() == 1
    assert weather.events() == ["connection.created"]


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic", "none"])
def test_all_three_client_authentications_work_for_code_refresh_and_revocation(weather, method):
    weather.acme.control(oauth_client={"auth_method": method})
    secrets = {} if method == "none" else {"client_secret": CLIENT["client_secret"]}
    weather.set_profile("oauth2", oauth2(weather.acme, token_endpoint_auth_method=method), **secrets)
    weather.connect()
    weather.age(by=timedelta(hours=2))
    assert weather.invoke().status_code == 200
    assert weather.call("DELETE").json()["data"]["status"] == "revoking"
    revoke_due_connections()
    asked = weather.acme.oauth()["requests"]
    assert [entry["auth_method"] for entry in asked] == [method] * 3
    assert [entry["status"] for entry in asked] == [200] * 3
    assert not Connection.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_twenty_that_complete_at_once_one_succeeds(weather):
    given = consent(weather.begin()["authorization_url"])
    statuses = sorted(response.status_code for response in in_parallel(20, lambda: weather.complete(**given)))
    assert statuses == [200] + [422] * 19
    assert len(weather.acme.requests_for("authorization_code")) == 1
    assert Connection.objects.count() == 1
    assert detail(weather.complete(**given)) == ("state", "used_state")


def test_a_state_counts_for_its_user_its_install_and_ten_minutes(weather, make_user, id_token, publish):
    given = consent(weather.begin()["authorization_url"])
    stranger = make_user()
    assert weather.complete(**given, token=id_token(stranger)).status_code == 404
    theirs, _ = install_package(stranger, weather.published.package, actor="test")
    path = f"/v1/space/installs/{theirs.pk}/connection/complete"
    assert detail(weather.api.post(path, given, token=id_token(stranger))) == ("state", "unknown_state")
    assert detail(weather.complete(given["state"] + "x", given["code"])) == ("state", "unknown_state")
    AuthorizationRequest.objects.update(expires_at=timezone.now())
    assert detail(weather.complete(**given)) == ("state", "expired_state")
    AuthorizationRequest.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
    assert weather.complete(**given).status_code == 200


@pytest.mark.parametrize("changed", [{"client_id": "another"}, {"token_url": "https://elsewhere.example/token"}])
def test_a_code_is_never_sent_to_a_token_endpoint_that_came_meanwhile(weather, changed):
    given = consent(weather.begin()["authorization_url"])
    weather.set_profile("oauth2", oauth2(weather.acme, **changed))
    assert detail(weather.complete(**given)) == ("state", "changed_profile")
    assert weather.acme.oauth()["requests"] == []


def test_a_refused_code_asks_for_a_new_beginning(weather):
    state = weather.begin()["state"]
    assert detail(weather.complete(state, "made-up-code")) == ("code", "invalid_grant")
    assert weather.acme.requests_for("authorization_code")[-1]["status"] == 400
    assert not Connection.objects.exists()


def test_a_profile_without_client_id_or_secret_is_told_before_the_user_leaves(weather):
    weather.set_profile("oauth2", oauth2(weather.acme), client_secret=None)
    refused = weather.call("POST", body={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "INVALID_STATE")
    assert "client_secret" in refused.json()["error"]["message"]
    section = oauth2(weather.acme)
    del section["client_id"]
    weather.set_profile("oauth2", section, client_secret="s3cret-of-the-platform")
    assert "client_id" in weather.call("POST", body={}).json()["error"]["message"]
    assert not AuthorizationRequest.objects.exists()


def test_a_secret_that_goes_while_the_user_is_away_does_not_use_the_state_up(weather):
    given = consent(weather.begin()["authorization_url"])
    weather.set_profile("oauth2", oauth2(weather.acme), client_secret=None)
    assert weather.complete(**given).status_code == 409
    weather.set_profile("oauth2", oauth2(weather.acme), client_secret=CLIENT["client_secret"])
    assert weather.complete(**given).status_code == 200


def test_a_token_endpoint_that_is_down_is_told_as_such(weather):
    given = consent(weather.begin()["authorization_url"])
    weather.acme.control(oauth={"is_token_endpoint_down": True})
    assert weather.complete(**given).status_code == 502
    assert not Connection.objects.exists()


def test_what_was_never_approved_gets_no_tokens(weather):
    given = consent(weather.begin()["authorization_url"])
    weather.set_profile("oauth2", oauth2(weather.acme, scopes=["weather:read", "forecast:read"]), is_approved=False)
    for refused in (weather.call("POST", body={}), weather.complete(**given)):
        assert refused.status_code == 503
        assert [detail["code"] for detail in refused.json()["error"]["details"]] == ["approval_stale"]
    assert AuthorizationRequest.objects.get().used_at is None


def test_an_app_without_a_profile_and_fields_that_it_does_not_take_are_refused(weather):
    extra = weather.call("POST", body={"api_key": "not-for-oauth"})
    assert (extra.status_code, extra.json()["error"]["details"][0]["field"]) == (400, "api_key")
    weather.published.set_runtime(auth_profile=None)
    assert weather.call("POST", body={}).status_code in (409, 503)
    assert weather.call("GET").json()["data"]["required"] is False


def test_connecting_anew_replaces_the_tokens_and_forgets_what_the_old_ones_brought(weather):
    first = weather.connect()
    weather.invoke()
    second = weather.connect()
    assert (second.pk, Connection.objects.count()) == (first.pk, 1)
    assert open_content(second).access_token != open_content(first).access_token
    path = f"/v1/providers/capabilities/{weather.published.capability_id('my_stations')}/state"
    assert weather.api.get(path, token=weather.token).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_grant_that_arrives_after_the_uninstall_is_revoked_at_once(weather):
    given = consent(weather.begin()["authorization_url"])
    weather.acme.control(oauth={"token_delay_seconds": 1.0})
    path = f"/v1/space/marketplace/{weather.published.package.pk}/install"

    def uninstall_meanwhile():
        while not AuthorizationRequest.objects.exclude(used_at=None).exists():
            time.sleep(0.02)
        return weather.api.delete(path, token=weather.token)

    calls = iter([lambda: weather.complete(**given), uninstall_meanwhile])

    def do_the_next():
        return next(calls)()

    statuses = sorted(response.status_code for response in in_parallel(2, do_the_next))
    assert statuses == [200, 404]
    weather.acme.control(oauth={"token_delay_seconds": 0.0})
    assert revoke_due_connections() == 1
    assert [token["is_revoked"] for token in weather.acme.oauth()["tokens"]] == [True]
    assert not Connection.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_grant_that_arrives_while_the_app_is_deleted_is_revoked_at_once(weather):
    given = consent(weather.begin()["authorization_url"])
    with held_up_by_this_transaction(lambda: weather.complete(**given)) as completed:
        delete_app(weather.published.app, actor="test")
    assert completed.result().status_code == 404
    assert weather.connection.status == "revoking"
    assert revoke_due_connections() == 1
    assert [token["is_revoked"] for token in weather.acme.oauth()["tokens"]] == [True]
    assert not Connection.objects.exists()
    assert weather.runtime_app.sealed_auth_secrets == ""


def test_requests_are_purged_a_day_after_their_end(weather):
    weather.begin()
    AuthorizationRequest.objects.update(expires_at=timezone.now() - timedelta(hours=23))
    assert {each.name: each.deleted for each in purge_all()}["authorization requests"] == 0
    AuthorizationRequest.objects.update(expires_at=timezone.now() - timedelta(hours=25))
    assert {each.name: each.deleted for each in purge_all()}["authorization requests"] == 1
    assert not Event.objects.filter(type__startswith="connection.").exists()
