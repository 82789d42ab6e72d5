"""Calls carry the user's token; one that the provider refuses is renewed, and an action is never repeated."""

import threading
from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils import timezone

from aiffinity.lib.crypto import Secret
from capabilities.cached_states import StateKey, keep_state
from capabilities.connections import disconnect_install
from capabilities.models import CachedState
from capabilities.recording import recorder
from runtime.connections.stored import Content, seal_content
from runtime.connections.use import NONE_NEEDED, forget_access_token, is_still_connected, open_credentials
from runtime.models import Connection
from tests.connected import STATIONS, weather_of
from tests.fakes.switches import Reply
from tests.published import TASK

pytestmark = pytest.mark.django_db


@pytest.fixture
def elsewhere(api, acme, publish, make_user, id_token, fake_provider):
    """An install that connects at Acme, and whose calls are counted by a provider that refuses each token."""
    user = make_user()
    made = weather_of(api, acme, publish(STATIONS, TASK, runtime_url=fake_provider.runtime_url), user, id_token(user))
    refusal = Reply(401, b'{"status": "error", "error": {"code": "access_refused", "message": "ended"}}')
    fake_provider.answers |= dict.fromkeys(("my_stations", "create_task"), lambda _: refusal)
    made.connect()
    made.age(by=timedelta(minutes=2))
    yield made
    recorder.flush()


def tokens_sent(provider):
    return [request.headers["authorization"] for request in provider.requests_to("execute")]


def test_a_read_is_asked_again_once_with_the_new_token(elsewhere, fake_provider):
    assert elsewhere.invoke().status_code == 502
    sent = tokens_sent(fake_provider)
    assert len(sent) == 2
    assert len(set(sent)) == 2
    assert elsewhere.acme.refreshes() == 1


def test_an_action_is_never_repeated_but_its_next_call_has_a_new_token(elsewhere, fake_provider):
    path = f"/v1/providers/capabilities/{elsewhere.published.capability_id('create_task')}/action"
    body = {"params": {"title": "Take an umbrella"}, "confirmed": True}
    assert elsewhere.api.post(path, body, token=elsewhere.token).status_code == 502
    assert len(tokens_sent(fake_provider)) == 1
    assert elsewhere.acme.refreshes() == 0
    elsewhere.api.post(path, body, token=elsewhere.token)
    first, second = tokens_sent(fake_provider)
    assert first != second
    assert elsewhere.acme.refreshes() == 1


def test_an_app_without_a_profile_needs_nothing(weather):
    weather.published.set_runtime(auth_profile=None)
    assert open_credentials(weather.runtime_app, weather.install.pk) is NONE_NEEDED


def test_a_token_that_was_renewed_meanwhile_is_worth_another_look(weather):
    weather.connect()
    old = open_credentials(weather.runtime_app, weather.install.pk)
    assert not forget_access_token(old), "it is younger than a minute"
    weather.age(by=timedelta(hours=2))
    new = open_credentials(weather.runtime_app, weather.install.pk)
    assert new.access_token != old.access_token
    assert forget_access_token(old)
    assert not forget_access_token(new)


@pytest.mark.django_db(transaction=True)
def test_what_an_earlier_account_brought_is_not_kept(elsewhere, fake_provider):
    def reconnect_meanwhile(_):
        Connection.objects.update(connected_at=timezone.now())
        database.close()
        return Reply(200, b'{"status": "ok", "data": {"account": "ada@example.com"}}')

    fake_provider.answers["my_stations"] = reconnect_meanwhile
    assert elsewhere.invoke().status_code == 200
    assert CachedState.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_what_is_being_kept_while_the_user_disconnects_is_forgotten(weather):
    connection = weather.connect()
    key = StateKey(weather.install.pk, "cap_x", weather.install.version_id, "0" * 64)

    def disconnect():
        disconnect_install(weather.install, actor="test")
        database.close()

    disconnecting = threading.Thread(target=disconnect)

    def look():
        # The look comes first, the disconnection second, and the state is written last.
        is_connected = is_still_connected(open_credentials(weather.runtime_app, weather.install.pk))
        disconnecting.start()
        disconnecting.join(0.3)
        return is_connected

    keep_state(key, {}, ttl_seconds=60, invocation_id="inv_x", may_keep=look)
    disconnecting.join(10)
    assert Connection.objects.get(pk=connection.pk).status == "revoking"
    assert CachedState.objects.count() == 0


def test_a_field_that_the_user_sees_may_stand_in_answers_and_a_secret_one_may_not(elsewhere, fake_provider):
    fields = [
        {"name": "workspace", "label": "Workspace", "type": "text", "required": True},
        {"name": "api_token", "label": "API Token", "type": "secret", "required": True},
    ]
    elsewhere.set_profile("credential", {"fields": fields})
    entered = {"workspace": "weather-of-ada", "api_token": "token-of-ada-81d0"}
    assert elsewhere.call("POST", body={"fields": entered}).status_code == 200
    fake_provider.answers["my_stations"] = lambda _: {"data": {"account": "weather-of-ada"}}
    assert elsewhere.invoke().json()["data"]["data"] == {"account": "weather-of-ada"}
    fake_provider.answers["my_stations"] = lambda _: {"data": {"account": "token-of-ada-81d0"}}
    refused = elsewhere.invoke(limit=1)
    assert refused.status_code == 502
    assert [detail["code"] for detail in refused.json()["error"]["details"]] == ["secret_echoed"]


def test_a_token_whose_end_was_never_told_lasts_until_it_is_refused(elsewhere):
    Connection.objects.update(expires_at=None, next_attempt_at=None)
    assert elsewhere.invoke().status_code == 502
    assert elsewhere.acme.refreshes() == 1
    assert elsewhere.connection.status == "active"


def test_without_a_refresh_token_a_refused_one_asks_for_a_new_connection(elsewhere):
    content = seal_content(elsewhere.connection, Content(access_token=Secret("ended-long-ago")))
    Connection.objects.update(sealed_content=content, expires_at=None, next_attempt_at=None)
    assert elsewhere.invoke().status_code == 422
    assert elsewhere.connection.status == "reconnect_required"
