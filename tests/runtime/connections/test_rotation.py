"""Connections move to a new master key while they are in use (spec 4 "Secrets at rest")."""

import base64
import io

import pytest
from django.core.management import call_command

from aiffinity.lib.crypto import key_id_of
from runtime.models import AuthorizationRequest
from tests.connected import consent

pytestmark = pytest.mark.django_db


def test_a_new_master_key_rewraps_connections_and_open_authorizations(weather, settings):
    weather.connect()
    begun = weather.begin()
    old = settings.ENCRYPTION_KEYS
    new = "next:" + base64.b64encode(bytes(range(32))).decode()
    settings.ENCRYPTION_KEYS = [new, *old]
    assert key_id_of(weather.connection.sealed_content) != "next"
    call_command("rotate_encryption_keys", stdout=io.StringIO())
    assert key_id_of(weather.connection.sealed_content) == "next"
    assert {key_id_of(row.sealed_code_verifier) for row in AuthorizationRequest.objects.all()} == {"next"}
    settings.ENCRYPTION_KEYS = [new]
    assert weather.invoke().status_code == 200
    assert weather.complete(**consent(begun["authorization_url"])).status_code == 200
