"""Accounts, apps and users in the staff console."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from providers.models import RefreshToken, User
from tests.conftest import PASSWORD

ACCOUNT = "/v1/providers/account"
NEW_PASSWORD = "another horse, another battery"

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> Client:
    client = Client()
    root = User.objects.create_superuser("root@aiffinity.me", PASSWORD)
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize(
    "form",
    [
        {"usable_password": "true", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
        {"usable_password": "false", "password1": "", "password2": "", "unset-password": "1"},
    ],
)
def test_whoever_was_logged_in_is_out_when_ops_replace_a_password(api, sign_up, root, form):
    user = sign_up().owner
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        session = api.post(f"{ACCOUNT}/login", {"email": user.email, "password": PASSWORD}).json()["data"]
    assert root.post(reverse("admin:auth_user_password_change", args=[user.pk]), form).status_code == 302
    assert not User.objects.get(pk=user.pk).check_password(PASSWORD)

    refreshed = api.post(f"{ACCOUNT}/token/refresh", {"refresh_token": session["refresh_token"]})
    used = api.get(ACCOUNT, token=session["id_token"])
    for response in (refreshed, used):
        assert (response.status_code, response.json()["error"]["code"]) == (401, "TOKEN_INVALID")
    assert not RefreshToken.objects.filter(revoked_at=None).exists()
