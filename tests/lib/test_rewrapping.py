"""Master keys rotate while the platform serves: rows move to the new key and open as before."""

import base64
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from aiffinity.lib.checks import SEALED_PREFIX
from aiffinity.lib.crypto import Secret, key_id_of, keyring
from aiffinity.lib.mails import queue_mail
from aiffinity.lib.models import OutgoingMail
from aiffinity.lib.rewrapping import sealed_columns
from providers.models import SigningKey, SigningKeyUse
from providers.signing_keys import active_key, forget_cached_keys
from runtime.auth_profiles import auth_secrets, put_auth_profile
from runtime.models import NamedSecret, RuntimeApp
from runtime.named_secrets import open_named_secrets
from runtime.signing_secrets import live_signing_secrets

pytestmark = pytest.mark.django_db

NEW_KEY = f"k2:{base64.b64encode(bytes([7]) * 32).decode()}"
RUNTIME = {"runtime_url": "https://api.acmeweather.com/aiffinity"}


def rotate() -> str:
    output = StringIO()
    call_command("rotate_encryption_keys", stdout=output)
    return output.getvalue()


@pytest.fixture
def runtime_app(api, make_account, make_app, id_token):
    """A runtime app with a secret in each of its sealed columns."""
    account = make_account()
    app, token = make_app(account), id_token(account)
    path = f"/v1/providers/runtime/apps/{app.pk}"
    assert api.post("/v1/providers/runtime/apps", {"app_id": app.pk, **RUNTIME}, token=token).status_code == 201
    assert api.put(f"{path}/secrets/KEY_A", {"value": "value a"}, token=token).status_code == 201
    assert api.put(f"{path}/credential-secret", {"secret": "whsec_the-new-one"}, token=token).status_code == 200
    row = RuntimeApp.objects.get(pk=app.pk)
    profile = {"strategy": "api_key", "api_key": {"header_name": "X-Api-Key"}}
    return put_auth_profile(row, actor="test", profile=profile, given_secrets={"test_connection": {"api_key": "k-1"}})


def test_every_sealed_column_is_known_to_the_rotation():
    in_models = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.name.startswith(SEALED_PREFIX)
    }
    assert {(column.model, column.field) for column in sealed_columns} == in_models


def test_all_rows_move_to_the_new_key_and_open_without_the_old_one(runtime_app, settings):
    signing_keys = {use: active_key(use).as_pem() for use in SigningKeyUse}
    mail = queue_mail(to="a@example.com", template="verify_email", context={"token": "mt_1"})
    secrets_before = live_signing_secrets(runtime_app)
    settings.ENCRYPTION_KEYS = [NEW_KEY, *settings.ENCRYPTION_KEYS]

    assert "runtime.NamedSecret.sealed_value: 1 moved" in rotate()
    assert "moved\n" in rotate()
    settings.ENCRYPTION_KEYS = [NEW_KEY]
    forget_cached_keys()
    moved = RuntimeApp.objects.select_related("app").get()
    assert {use: active_key(use).as_pem() for use in SigningKeyUse} == signing_keys
    assert live_signing_secrets(moved) == secrets_before
    assert len(secrets_before) == 2
    assert open_named_secrets(moved)["KEY_A"].reveal() == "value a"
    assert auth_secrets(moved).test_api_key == Secret("k-1")
    sealed = OutgoingMail.objects.get(pk=mail.pk).sealed_body
    assert "mt_1" in keyring().decrypt(sealed, context=mail.pk).reveal()


def test_a_second_rotation_moves_nothing(runtime_app, settings):
    settings.ENCRYPTION_KEYS = [NEW_KEY, *settings.ENCRYPTION_KEYS]
    rotate()
    before = NamedSecret.objects.get().sealed_value
    *columns, verdict = rotate().splitlines()
    assert {line.rpartition(": ")[2] for line in columns} == {"0 moved"}
    assert verdict == "Everything is sealed under the first master key; the others may be removed."
    assert NamedSecret.objects.get().sealed_value == before


def test_a_row_that_does_not_open_is_named_and_stays(runtime_app, settings):
    row = NamedSecret.objects.get()
    broken = row.sealed_value.replace("v1.", "v1.", 1)[:10] + "AAAA" + row.sealed_value[14:]
    NamedSecret.objects.update(sealed_value=broken)
    settings.ENCRYPTION_KEYS = [NEW_KEY, *settings.ENCRYPTION_KEYS]
    with pytest.raises(CommandError, match=r"\A1 rows do not open"):
        rotate()
    assert NamedSecret.objects.get().sealed_value == broken
    assert {key_id_of(key.sealed_private_key) for key in SigningKey.objects.all()} <= {"k2"}
