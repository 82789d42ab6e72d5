"""Access tokens are renewed ahead of their end, once at a time, and by patient retries."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db import connection as database
from django.db.models import F
from django.utils import timezone

from aiffinity.lib.models import AuditEntry
from runtime.connections.claims import claim_due, claim_one, may_send
from runtime.connections.refreshing import refresh_due_connections, refresh_now
from runtime.connections.stored import open_content
from runtime.connections.use import Credentials, forget_access_token, open_credentials
from runtime.models import Connection, ConnectionStatus
from tests.connected import copy_connection, oauth2
from tests.parallel import in_parallel

pytestmark = pytest.mark.django_db


def access_token(weather):
    secret = open_content(weather.connection).access_token
    assert secret is not None
    return secret.reveal()


def error_of(response):
    return response.status_code, response.json()["error"]["code"]


def test_the_sweep_renews_ahead_of_the_end_and_rotates(weather):
    weather.connect()
    before, old = access_token(weather), open_content(weather.connection).refresh_token
    assert refresh_due_connections() == 0
    weather.age(by=timedelta(minutes=56))
    assert refresh_due_connections() == 1
    row = weather.connection
    assert access_token(weather) != before
    assert open_content(row).refresh_token != old
    assert row.expires_at > timezone.now() + timedelta(minutes=59)
    assert (row.attempts_made, row.lease_until, row.status) == (0, None, "active")
    assert [token["is_replaced"] for token in weather.acme.oauth()["tokens"]] == [True, False]
    assert weather.invoke().json()["data"]["data"]["account"] == "ada@example.com"


@pytest.mark.parametrize(("seconds", "margin"), [(100, 20), (3600, 300), (86_400, 300)])
def test_a_fifth_of_the_lifetime_is_left_at_most_five_minutes(weather, seconds, margin):
    weather.acme.control(oauth={"access_token_seconds": seconds})
    row = weather.connect()
    assert row.expires_at - row.next_attempt_at == timedelta(seconds=margin)


def test_a_lifetime_that_tells_nothing_does_not_lose_the_refresh_token_that_came_with_it(weather):
    weather.connect()
    used = open_content(weather.connection).refresh_token
    weather.acme.control(oauth={"access_token_seconds": -1})
    weather.make_due()
    refresh_due_connections()
    row = weather.connection
    assert open_content(row).refresh_token != used
    assert (row.status, row.expires_at, row.next_attempt_at, row.attempts_made) == ("active", None, None, 0)
    weather.acme.control(oauth={"access_token_seconds": 3600})
    weather.age(by=timedelta(minutes=2))
    assert weather.invoke().status_code == 200, "a token that is refused is renewed"
    assert weather.acme.refreshes() == 2


@pytest.mark.django_db(transaction=True)
def test_fifty_calls_with_an_ended_token_make_one_refresh(weather, settings):
    settings.EXECUTE_MAX_IN_FLIGHT = 64
    weather.connect()
    weather.age(by=timedelta(hours=2))
    weather.acme.control(oauth={"token_delay_seconds": 0.5})
    limits = iter(range(50))
    statuses = [response.status_code for response in in_parallel(50, lambda: weather.invoke(limit=next(limits)))]
    assert statuses == [200] * 50
    assert weather.acme.refreshes() == 1
    assert [token["is_revoked"] for token in weather.acme.oauth()["tokens"]] == [False, False]


def test_who_looked_during_a_refresh_neither_refreshes_again_nor_blames_the_new_token(weather):
    weather.connect()
    weather.make_due()
    seen: list[tuple[Connection, Credentials]] = []

    def look(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "sealed_content" in sql and not seen:
            seen.append((weather.connection, open_credentials(weather.runtime_app, weather.install.pk)))
        return execute(sql, params, many, context)

    with database.execute_wrapper(look):
        refresh_due_connections()
    [(row, credentials)] = seen
    assert credentials.access_token != open_content(weather.connection).access_token
    assert not refresh_now(row)
    assert weather.acme.refreshes() == 1
    assert forget_access_token(credentials), "the call may be asked again with the new token"


@pytest.mark.django_db(transaction=True)
def test_sweeps_of_two_workers_refresh_a_connection_once(weather):
    weather.connect()
    weather.age(by=timedelta(minutes=56))
    assert sorted(in_parallel(4, refresh_due_connections)) == [0, 0, 0, 1]
    assert weather.acme.refreshes() == 1


def test_a_refused_refresh_asks_for_a_new_connection_once(weather):
    weather.connect()
    weather.acme.control(oauth={"is_refresh_refused": True})
    weather.make_due()
    assert refresh_due_connections() == 1
    row = weather.connection
    assert (row.status, row.next_attempt_at) == ("reconnect_required", None)
    assert weather.events() == ["connection.created", "connection.failed"]
    entry = AuditEntry.objects.get(subject=row.pk, action="connection.failed")
    assert entry.reason == "The provider refused the refresh token: invalid_grant."
    for response in (weather.invoke(), weather.invoke()):
        assert error_of(response) == (422, "CONNECTION_REQUIRED")
        assert response.json()["error"]["details"][0]["code"] == "reconnect_required"
    assert refresh_due_connections() == 0
    assert weather.acme.refreshes() == 1
    weather.acme.control(oauth={"is_refresh_refused": False})
    assert weather.connect().status == "active"
    assert weather.invoke().status_code == 200


def test_a_replayed_refresh_token_ends_the_family_and_is_noticed(weather):
    weather.connect()
    stolen = weather.connection.sealed_content
    weather.make_due()
    refresh_due_connections()
    Connection.objects.update(sealed_content=stolen, next_attempt_at=timezone.now())
    refresh_due_connections()
    assert weather.connection.status == "reconnect_required"
    assert all(token["is_revoked"] for token in weather.acme.oauth()["tokens"])


def test_while_the_token_endpoint_is_down_the_old_token_serves_until_its_end(weather):
    weather.connect()
    weather.acme.control(oauth={"is_token_endpoint_down": True})
    delays = []
    for _ in range(3):
        weather.make_due()
        refresh_due_connections()
        delays.append(round((weather.connection.next_attempt_at - timezone.now()).total_seconds()))
        assert weather.invoke().status_code == 200
    assert delays == [10, 20, 40]
    assert weather.connection.status == "active"
    weather.age(by=timedelta(hours=2))
    assert error_of(weather.invoke(limit=1)) == (502, "UPSTREAM_ERROR")
    asked = weather.acme.refreshes()
    assert error_of(weather.invoke(limit=2)) == (502, "UPSTREAM_ERROR")
    assert weather.acme.refreshes() == asked, "calls must not storm an endpoint that has just failed"
    weather.acme.control(oauth={"is_token_endpoint_down": False})
    weather.make_due()
    refresh_due_connections()
    assert weather.invoke(limit=1).status_code == 200
    assert weather.connection.last_error == ""
    assert weather.events() == ["connection.created"]


def test_an_endpoint_that_keeps_failing_is_left_alone_for_a_while(weather):
    row = weather.connect()
    weather.acme.control(oauth={"is_token_endpoint_down": True})
    for number in range(7):
        copy_connection(row, f"inst_{number}")
    Connection.objects.update(next_attempt_at=timezone.now())
    assert refresh_due_connections() == 8
    assert weather.acme.refreshes() == 8
    Connection.objects.update(next_attempt_at=timezone.now())
    assert refresh_due_connections() == 8
    assert weather.acme.refreshes() == 8
    assert weather.connection.last_error.endswith("held back for a moment.")
    assert weather.connection.status == "active"


def test_an_app_with_many_keeps_nobody_elses_waiting(weather, publish, monkeypatch):
    monkeypatch.setattr("runtime.connections.claims.BATCH_SIZE", 4)
    row = weather.connect()
    for number in range(6):
        copy_connection(row, f"inst_{number}")
    Connection.objects.update(next_attempt_at=timezone.now() - timedelta(hours=1))
    others = copy_connection(row, "inst_of_others", runtime_app=publish().runtime_app)
    Connection.objects.filter(pk=others.pk).update(next_attempt_at=timezone.now())
    claimed = claim_due(ConnectionStatus.ACTIVE)
    assert [each.runtime_app_id for each in claimed].count(row.runtime_app_id) == 3
    assert others.pk in {each.pk for each in claimed}
    monkeypatch.setattr("runtime.connections.claims.MOST_OF_AN_APP", 3)
    assert len(claim_due(ConnectionStatus.ACTIVE)) == 3
    assert len(claim_due(ConnectionStatus.ACTIVE)) == 1, "the rest, and no one twice"
    assert claim_due(ConnectionStatus.ACTIVE) == []


def test_the_delay_is_bounded(weather):
    weather.connect()
    weather.acme.control(oauth={"is_token_endpoint_down": True})
    Connection.objects.update(attempts_made=1_000, next_attempt_at=timezone.now())
    refresh_due_connections()
    assert round((weather.connection.next_attempt_at - timezone.now()).total_seconds()) == 600


def test_a_platform_that_is_refused_itself_is_no_reason_to_bother_the_user(weather):
    weather.connect()
    weather.acme.control(oauth_client={"client_secret": "rotated-at-acme"})
    weather.make_due()
    refresh_due_connections()
    row = weather.connection
    assert (row.status, row.attempts_made) == ("active", 1)
    assert row.last_error == "The provider's token endpoint refused the platform: invalid_client."


@pytest.mark.parametrize("changed", [{"client_id": "another"}, {"token_url": "https://elsewhere.example/token"}])
def test_a_refresh_token_goes_to_nobody_but_whom_the_user_saw(weather, changed):
    weather.connect()
    weather.set_profile("oauth2", oauth2(weather.acme, **changed))
    assert error_of(weather.invoke()) == (422, "CONNECTION_REQUIRED")
    weather.make_due()
    refresh_due_connections()
    assert weather.connection.status == "reconnect_required"
    assert weather.acme.refreshes() == 0


def test_a_token_without_a_refresh_token_lasts_until_its_end(weather):
    row = weather.connect()
    Connection.objects.update(next_attempt_at=None)
    assert weather.invoke().status_code == 200
    weather.age(by=timedelta(hours=2))
    assert error_of(weather.invoke(limit=1)) == (422, "CONNECTION_REQUIRED")
    assert weather.connection.status == "reconnect_required"
    assert AuditEntry.objects.get(subject=row.pk, action="connection.failed").reason.startswith(
        "The access token ended"
    )


def test_a_token_of_two_seconds_still_serves_the_call_that_renewed_it(weather):
    weather.acme.control(oauth={"access_token_seconds": 2})
    weather.connect()
    assert weather.invoke().status_code == 200
    assert weather.acme.refreshes() == 1


def test_a_refused_token_is_renewed_once_and_a_young_one_stays(weather):
    weather.connect()
    weather.acme.control(end_access_tokens=True)
    assert error_of(weather.invoke()) == (502, "UPSTREAM_ERROR")
    assert weather.acme.refreshes() == 0
    weather.age(by=timedelta(minutes=2))
    assert weather.invoke().status_code == 200
    assert weather.acme.refreshes() == 1
    weather.acme.control(refuse_calls=True)
    weather.age(by=timedelta(minutes=2))
    for _ in range(3):
        assert error_of(weather.invoke(limit=1)) == (502, "UPSTREAM_ERROR")
    assert weather.acme.refreshes() == 2


def test_a_worker_that_was_held_up_sends_nothing_and_overwrites_nothing(weather):
    weather.connect()
    weather.make_due()
    [late] = claim_due(ConnectionStatus.ACTIVE)
    assert may_send(late)
    late.lease_until = timezone.now() + timedelta(seconds=11)
    assert not may_send(late)
    Connection.objects.update(lease_until=timezone.now(), next_attempt_at=timezone.now())
    assert refresh_due_connections() == 1
    after = weather.connection
    assert late.fence < after.fence
    assert not refresh_now(late)
    assert weather.connection.sealed_content == after.sealed_content


def test_one_connection_that_does_not_open_holds_nobody_up(weather, make_user, publish):
    row = weather.connect()
    sealed = row.sealed_content
    Connection.objects.create(
        install_id="inst_of_nobody",
        runtime_app=row.runtime_app,
        user=row.user,
        strategy="oauth2",
        sealed_content=sealed,
        authority_hash=row.authority_hash,
        connected_at=timezone.now(),
        next_attempt_at=timezone.now() - timedelta(hours=1),
    )
    weather.make_due()
    assert refresh_due_connections() == 2
    assert weather.acme.refreshes() == 1
    assert Connection.objects.get(install_id="inst_of_nobody").last_error == "The sealed content does not open."


def test_a_claim_that_a_new_connection_overtook_is_none(weather):
    weather.connect()
    weather.make_due()

    def overtake(execute, sql, params, many, context):
        if "sealed_content" in sql and sql.startswith("SELECT"):
            # What connecting anew does between the claim and the look at what was claimed.
            Connection.objects.update(fence=F("fence") + 1, lease_until=None)
        return execute(sql, params, many, context)

    with database.execute_wrapper(overtake):
        assert claim_due(ConnectionStatus.ACTIVE) == []
    weather.make_due()
    row = weather.connection
    with database.execute_wrapper(overtake):
        assert claim_one(row) is None


@pytest.mark.django_db(transaction=True)
def test_new_tokens_outlast_a_database_that_is_away_for_a_moment(weather):
    weather.connect()
    weather.age(by=timedelta(minutes=56))
    failures = iter([True])

    def fail_once(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "sealed_content" in sql and next(failures, False):
            raise OperationalError("the connection is lost")
        return execute(sql, params, many, context)

    with database.execute_wrapper(fail_once):
        assert refresh_due_connections() == 1
    assert next(failures, None) is None
    assert weather.acme.refreshes() == 1
    assert weather.connection.lease_until is None
    assert weather.invoke().status_code == 200
