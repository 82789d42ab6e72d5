"""Locks on an app leave alone those who only point at it, so that two writers of one app cannot wait for each other."""

import threading

import pytest
from django.db import connection, transaction

from providers.applications import rotate_client_secret
from runtime.deliveries.resending import PING
from runtime.events import post_event_to
from runtime.models import Event, RuntimeApp, WebhookEndpoint

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
