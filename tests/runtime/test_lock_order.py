"""Locks on an app leave alone those who only point at it, so that two writers of one app cannot wait for each other."""

import threading

import pytest
from django.db import connection, transaction

from aiffinity.lib.audit import append_audit
from providers.applications import rotate_client_secret
from providers.models import App
from runtime.deliveries.resending import PING
from runtime.events import post_event_to
from runtime.models import Event, RuntimeApp, WebhookEndpoint
from runtime.registration import update_runtime_app
from tests.runtime.documents import WEBHOOK_PROFILE

WAIT_SECONDS = 10


@pytest.mark.django_db(transaction=True)
def test_an_event_of_an_app_does_not_wait_for_a_rotation(register):
    registered = register()
    endpoint = WebhookEndpoint.objects.select_related("runtime_app__app").get(pk=registered.app_id)
    posted = threading.Event()

    def post() -> None:
        try:
            with transaction.atomic():
                post_event_to(endpoint, PING, {"message": "Are you there?"})
            posted.set()
        finally:
            connection.close()

    thread = threading.Thread(target=post)
    with transaction.atomic():
        RuntimeApp.objects.get_locked(registered.app_id)
        rotate_client_secret(endpoint.runtime_app.app, actor="test")
        thread.start()
        is_posted_meanwhile = posted.wait(WAIT_SECONDS)
    thread.join(WAIT_SECONDS)

    assert is_posted_meanwhile
    assert Event.objects.filter(app=registered.app_id, type=PING).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_and_a_deletion_of_one_app_wait_for_each_other_in_one_order(register):
    registered = register()
    changed = threading.Event()

    def change() -> None:
        try:
            update_runtime_app(RuntimeApp.objects.get(pk=registered.app_id), actor="test", fields={"name": "Renamed"})
            changed.set()
        finally:
            connection.close()

    thread = threading.Thread(target=change)
    with transaction.atomic():
        App.objects.select_for_update(no_key=True).get(pk=registered.app_id)
        thread.start()
        assert not changed.wait(0.5)
        RuntimeApp.objects.get_locked(registered.app_id)
    thread.join(WAIT_SECONDS)

    assert changed.is_set()
    assert App.objects.get(pk=registered.app_id).name == "Renamed"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("other", ["deletion", "disabling"])
@pytest.mark.parametrize(
    "call",
    [
        ("PUT", "runtime/apps/{}/webhooks", {**WEBHOOK_PROFILE, "url": "https://acmeweather.com/new"}),
        ("PATCH", "runtime/apps/{}", {"webhook_url": "https://acmeweather.com/new"}),
        ("PATCH", "apps/{}", {"webhook_url": "https://acmeweather.com/new"}),
    ],
    ids=["profile", "runtime app", "app"],
)
def test_a_new_address_and_another_writer_of_the_app_wait_for_each_other_in_one_order(register, other, call):
    registered, (method, path, body) = register(), call
    url = f"/v1/providers/{path.format(registered.app_id)}"
    answers = []
    is_answered = threading.Event()

    def send() -> None:
        try:
            answers.append(registered.api(method, url, body, token=registered.token))
            is_answered.set()
        finally:
            connection.close()

    thread = threading.Thread(target=send)
    with transaction.atomic():
        if other == "deletion":
            App.objects.select_for_update(no_key=True).get(pk=registered.app_id)
        else:
            WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=registered.app_id)
        thread.start()
        assert not is_answered.wait(0.5)
        if other == "deletion":
            RuntimeApp.objects.get_locked(registered.app_id)
        else:
            append_audit(subject=registered.app_id, action="webhook.disabled", actor="system")
    thread.join(WAIT_SECONDS)

    assert [answer.status_code for answer in answers] == [200]
    assert App.objects.get(pk=registered.app_id).webhook_url == "https://acmeweather.com/new"
