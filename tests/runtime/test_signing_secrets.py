"""The signing secret: set, rotate, overlap (spec 1 decision 6)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from aiffinity.lib.models import AuditEntry
from runtime.models import RuntimeApp
from runtime.signing_secrets import live_signing_secrets, set_signing_secret, signing_secret
from tests.runtime.conftest import error_of

pytestmark = pytest.mark.django_db


def live(registered):
    """Return the live secrets' texts."""
    return [secret.reveal() for secret in live_signing_secrets(registered.runtime_app)]


def test_rotating_returns_the_new_secret_once_and_keeps_the_old_one_live(registered):
    response = registered("PUT", "/credential-secret", {})
    answer = response.json()["data"]
    assert response.status_code == 200
    assert answer["signing_secret"].startswith("whsec_")
    assert answer["previous_secret_expires_at"].endswith("Z")
    assert live(registered) == [answer["signing_secret"], registered.answer["signing_secret"]]
    assert answer["signing_secret"] not in registered("GET").content.decode()


def test_a_body_is_not_needed_to_rotate(registered):
    assert registered("PUT", "/credential-secret").status_code == 200
    assert len(live(registered)) == 2


def test_a_given_secret_is_taken_to_the_letter(registered):
    answer = registered("PUT", "/credential-secret", {"secret": " whsec_with spaces "}).json()["data"]
    assert answer["signing_secret"] == " whsec_with spaces "
    assert signing_secret(registered.runtime_app).reveal() == " whsec_with spaces "


def test_setting_the_current_secret_again_changes_nothing(registered):
    registered("PUT", "/credential-secret", {"secret": "whsec_the-same-again"})
    before, audited = live(registered), AuditEntry.objects.count()
    registered("PUT", "/credential-secret", {"secret": "whsec_the-same-again"})
    assert (live(registered), AuditEntry.objects.count()) == (before, audited)


def test_the_previous_secret_dies_after_24_hours(registered):
    registered("PUT", "/credential-secret", {"secret": "whsec_the-new-one"})
    expires_at = registered.runtime_app.previous_signing_secret_expires_at
    assert timedelta(hours=23, minutes=59) < expires_at - timezone.now() <= timedelta(hours=24)
    RuntimeApp.objects.update(previous_signing_secret_expires_at=timezone.now())
    assert live(registered) == ["whsec_the-new-one"]


@pytest.mark.parametrize("secret", ["short", "", 7, None, "x" * 513, ["whsec_abcdefgh"]])
def test_a_wrong_secret_is_refused_and_nothing_changes(registered, secret):
    response = registered("PUT", "/credential-secret", {"secret": secret})
    assert (response.status_code, error_of(response)["details"][0]["field"]) == (400, "secret")
    assert live(registered) == [registered.answer["signing_secret"]]


def test_what_is_stored_opens_only_in_its_own_app(register):
    first, second = register(), register()
    RuntimeApp.objects.filter(pk=second.app_id).update(sealed_signing_secret=first.runtime_app.sealed_signing_secret)
    with pytest.raises(ValueError, match="doesn't open"):
        signing_secret(second.runtime_app)
    assert first.answer["signing_secret"] not in first.runtime_app.sealed_signing_secret


@pytest.mark.django_db(transaction=True)
def test_rotations_at_once_take_turns(registered):
    def rotate(number):
        try:
            return set_signing_secret(registered.runtime_app, actor="test", value=f"whsec_{number:08d}").reveal()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(rotate, range(6)))
    current, previous = live(registered)
    assert current != previous
    assert {current, previous} <= made
