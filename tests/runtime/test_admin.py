"""The admin pages of the runtime room show state and never a secret, and change nothing."""

import pytest
from django.test import Client

from providers.models import User
from runtime.models import NamedSecret

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_client():
    """A browser session of a superuser."""
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "correct horse battery staple"))
    return client


def test_pages_show_rows_without_what_is_sealed(admin_client, registered):
    registered("PUT", "/secrets/WEATHER_API_KEY", {"value": "canary"})
    secret, row = NamedSecret.objects.get(), registered.runtime_app
    pages = [
        f"runtimeapp/{registered.app_id}/change/",
        f"namedsecret/{secret.pk}/change/",
        f"webhookendpoint/{registered.app_id}/change/",
        *(f"{model}/" for model in ("runtimeapp", "namedsecret", "capabilitytemplate", "healthcheck")),
    ]
    for page in pages:
        response = admin_client.get(f"/admin/runtime/{page}")
        assert response.status_code == 200, page
        text = response.content.decode()
        for sealed in ("canary", secret.sealed_value, row.sealed_signing_secret):
            assert sealed not in text
        assert 'name="_save"' not in text


def test_a_form_that_is_sent_anyway_is_refused(admin_client, registered):
    path = f"/admin/runtime/runtimeapp/{registered.app_id}/change/"
    assert admin_client.post(path, {"status": "suspended"}).status_code == 403
    assert registered.runtime_app.status == "active"
