"""Calls carry the user's token; one that the provider refuses is renewed, and an action is never repeated."""

from datetime import timedelta

import pytest

from capabilities.recording import recorder
from runtime.connections.use import NONE_NEEDED, forget_access_token, open_credentials
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
