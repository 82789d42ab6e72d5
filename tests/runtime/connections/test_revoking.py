"""Connections are given back: unusable at once, revoked when the provider answers, erased in any case."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from aiffinity.lib.models import AuditEntry
from providers.applications import delete_app
from runtime.connections.claims import claim_due
from runtime.connections.refreshing import refresh_due_connections
from runtime.connections.revoking import begin_revocation, revoke_due_connections
from runtime.connections.stored import open_content, seal_content
from runtime.models import Connection, ConnectionStatus, RuntimeApp
from tests.connected import CLIENT, copy_connection, oauth2
from tests.parallel import held_up_by_this_transaction

pytestmark = pytest.mark.django_db


def uninstall(weather):
    return weather.api.delete(f"/v1/space/marketplace/{weather.published.package.pk}/install", token=weather.token)


def are_revoked(weather):
    return [token["is_revoked"] for token in weather.acme.oauth()["tokens"]]


def test_an_uninstall_revokes_and_erases(weather):
    row = weather.connect()
    assert uninstall(weather).status_code == 200
    assert weather.connection.status == "revoking"
    assert revoke_due_connections() == 1
    assert are_revoked(weather) == [True]
    assert not Connection.objects.exists()
    assert weather.events() == ["connection.created", "connection.revoked"]
    entry = AuditEntry.objects.get(subject=row.pk, action="connection.revoked")
    assert entry.reason == "The provider revoked it."


def test_a_disconnected_install_can_be_connected_again_while_the_old_one_is_revoked(weather):
    first = weather.connect()
    weather.acme.control(oauth={"is_revocation_down": True})
    assert weather.call("DELETE").json()["data"]["status"] == "revoking"
    assert weather.invoke().status_code == 422
    assert weather.call("GET").json()["data"]["status"] == "none"
    revoke_due_connections()
    response = weather.begin()
    assert response["state"]
    weather_again = weather.call("GET").json()["data"]
    assert weather_again["id"] is None
    assert Connection.objects.get().pk == first.pk


def test_a_provider_that_is_away_is_asked_for_a_day_and_then_it_is_erased(weather):
    weather.connect()
    weather.acme.control(oauth={"is_revocation_down": True})
    uninstall(weather)
    delays = []
    for _ in range(3):
        revoke_due_connections()
        delays.append(round((weather.connection.next_attempt_at - timezone.now()).total_seconds()))
        weather.make_due()
    assert delays == [10, 20, 40]
    assert weather.connection.last_error == "HTTP 503"
    Connection.objects.update(attempts_made=100, revoke_until=timezone.now() + timedelta(minutes=5))
    revoke_due_connections()
    assert weather.connection.next_attempt_at == weather.connection.revoke_until, "the last attempt is at the end"
    Connection.objects.update(revoke_until=timezone.now(), next_attempt_at=timezone.now())
    revoke_due_connections()
    assert not Connection.objects.exists()
    assert are_revoked(weather) == [False]
    assert "within 24 hours: HTTP 503" in AuditEntry.objects.get(action="connection.revoked").reason


def test_an_endpoint_that_keeps_failing_is_left_alone_for_a_while(weather):
    row = weather.connect()
    weather.acme.control(oauth={"is_revocation_down": True})
    for number in range(7):
        copy_connection(row, f"inst_{number}")
    begin_revocation(Connection.objects.all())
    assert revoke_due_connections() == 8
    Connection.objects.update(next_attempt_at=timezone.now())
    assert revoke_due_connections() == 8
    assert len(weather.acme.requests_for(None, "revocation")) == 8
    assert weather.connection.last_error.endswith("held back for a moment.")
    Connection.objects.filter(pk=row.pk).update(sealed_content=seal_content(row, moved(row, "/oauth/revoke?v=2")))
    weather.acme.control(oauth={"is_revocation_down": False})
    weather.make_due()
    revoke_due_connections()
    assert not Connection.objects.filter(pk=row.pk).exists(), "another address has another breaker"
    assert Connection.objects.count() == 7


def moved(row, path):
    content = open_content(row)
    return replace(content, revocation_url=content.revocation_url.replace("/oauth/revoke", path))


def test_a_provider_that_comes_back_within_the_day_revokes(weather):
    weather.connect()
    weather.acme.control(oauth={"is_revocation_down": True})
    uninstall(weather)
    revoke_due_connections()
    weather.acme.control(oauth={"is_revocation_down": False})
    weather.make_due()
    assert revoke_due_connections() == 1
    assert are_revoked(weather) == [True]


def test_the_tokens_of_a_refresh_under_way_are_the_ones_revoked(weather):
    weather.connect()
    weather.make_due()
    [held] = claim_due(ConnectionStatus.ACTIVE)
    uninstall(weather)
    assert revoke_due_connections() == 0, "the lease of the refresh lasts"
    assert weather.connection.next_attempt_at == held.lease_until
    weather.make_due()
    assert refresh_due_connections() == 0
    assert revoke_due_connections() == 1


def test_deleting_the_app_revokes_with_its_client_secret_which_goes_last(weather):
    weather.connect()
    test_key = {"test_connection": {"access_token": "acme-test-token"}}
    weather.set_profile("oauth2", oauth2(weather.acme), client_secret=CLIENT["client_secret"], **test_key)
    delete_app(weather.published.app, actor="test")
    assert weather.connection.status == "revoking"
    assert RuntimeApp.objects.get().sealed_auth_secrets
    assert weather.invoke().status_code == 503
    assert revoke_due_connections() == 1
    assert are_revoked(weather) == [True]
    assert not Connection.objects.exists()
    assert RuntimeApp.objects.get().sealed_auth_secrets == ""


@pytest.mark.django_db(transaction=True)
def test_the_client_secret_goes_too_when_the_last_revocation_ends_while_the_app_is_deleted(weather):
    weather.connect()
    uninstall(weather)
    with held_up_by_this_transaction(revoke_due_connections) as revoked:
        delete_app(weather.published.app, actor="test")
    assert revoked.result() == 1
    assert not Connection.objects.exists()
    assert RuntimeApp.objects.get().sealed_auth_secrets == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"revocation_url": "https://elsewhere.example/revoke"},
        {"client_id": "another"},
        {"token_url": "https://elsewhere.example/token"},
    ],
)
def test_tokens_never_go_to_an_address_that_came_later(weather, changed):
    weather.connect()
    weather.set_profile("oauth2", oauth2(weather.acme, **changed))
    uninstall(weather)
    assert revoke_due_connections() == 1
    # Only another revocation_url leaves the one that the user's connection was made with.
    assert are_revoked(weather) == ["revocation_url" in changed]
    assert not Connection.objects.exists()


def test_a_connection_that_does_not_open_is_erased_after_the_day(weather):
    weather.connect()
    uninstall(weather)
    Connection.objects.update(sealed_content="v1.gone.x.y")
    revoke_due_connections()
    assert weather.connection.last_error == "The sealed content does not open."
    Connection.objects.update(revoke_until=timezone.now(), next_attempt_at=timezone.now())
    revoke_due_connections()
    assert not Connection.objects.exists()
