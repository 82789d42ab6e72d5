"""The frame of the staff console: its policy, its sidebar, and that every page opens."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import reverse

from aiffinity.lib.mails import queue_mail
from aiffinity.lib.models import OutgoingMail
from packages.groups import ensure_groups
from providers.models import Account, User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

POLICY = {
    "default-src": {"'self'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "img-src": {"'self'", "data:"},
    "object-src": {"'none'"},
    "base-uri": {"'none'"},
    "form-action": {"'self'"},
    "frame-ancestors": {"'none'"},
}


def client_of(user: User) -> Client:
    """Open a staff session."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def root() -> Client:
    """A superuser's session."""
    return client_of(User.objects.create_superuser("root@aiffinity.me", PASSWORD))


def policy_of(response) -> dict[str, set[str]]:
    """Return a response's policy by directive."""
    parts = [part.split() for part in response["Content-Security-Policy"].split(";")]
    return {name: set(sources) for name, *sources in parts}


def test_only_the_console_may_evaluate_text(root: Client) -> None:
    console = {**POLICY, "script-src": {"'self'", "'unsafe-eval'"}}
    for path in ("/admin/", "/admin/login/", "/admin/none/"):
        assert policy_of(root.get(path)) == console, path
    for path in ("/docs", "/v1/errors", "/v1/none", "/healthz", "/administrator"):
        assert policy_of(root.get(path)) == POLICY, path


def test_pages_hold_nothing_inline_and_nothing_foreign(root: Client) -> None:
    for path in ("/admin/", "/admin/login/", "/admin/packages/review/queue/data_only/", "/admin/providers/user/"):
        text = root.get(path).content.decode()
        assert not re.findall(r"<script(?![^>]*\ssrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=|javascript:", text), path
        assert not re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', text), path


def test_templates_of_ours_hold_nothing_inline_and_switch_no_escaping_off() -> None:
    for path in Path(settings.BASE_DIR, "templates/admin").rglob("*.html"):
        text = path.read_text()
        assert not re.findall(r"<script(?![^>]*\ssrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=|\sx-|\shx-", text), path
        assert not re.findall(r"\|\s*safe\b|autoescape off|mark_safe", text), path


def test_every_list_and_form_opens(root: Client) -> None:
    for model in admin.site._registry:
        opts = model._meta
        assert root.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")).status_code == 200, model
        add = root.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_add"))
        assert add.status_code in (200, 403), model


def test_every_room_has_its_group_in_the_sidebar(root: Client) -> None:
    page = root.get("/admin/").content.decode()
    titles = ["Review", "Packages", "Runtime", "Accounts", "Operations"]
    places = [re.search(rf"<h2[^>]*>\s*{title}\s", page) for title in titles]
    assert all(places)
    assert [place.start() for place in places if place] == sorted(place.start() for place in places if place)
    assert "Development" in page
    assert {app.label for app in apps.get_app_configs()} >= {"unfold", "packages"}


@pytest.mark.parametrize(
    ("group", "sees", "sees_not"),
    [
        ("reviewer", "/admin/packages/review/queue/high_trust/", "/admin/lib/auditentry/"),
        ("ops", "/admin/lib/auditentry/", "/admin/auth/group/"),
        ("curator", "/admin/packages/curationgrant/", "/admin/runtime/event/"),
    ],
)
def test_groups_see_their_pages_alone(group: str, sees: str, sees_not: str) -> None:
    ensure_groups()
    user = User.objects.create_user(f"{group}@aiffinity.me", PASSWORD, is_staff=True)
    user.groups.set(user.groups.model.objects.filter(name=group))
    client = client_of(user)
    page = client.get("/admin/").content.decode()
    assert f'href="{sees}"' in page
    assert f'href="{sees_not}"' not in page
    assert client.get(sees).status_code == 200
    assert client.get(sees_not).status_code == 403


def test_sealed_mail_is_not_shown(root: Client) -> None:
    with transaction.atomic():
        queue_mail(to="dev@example.com", template="verify_email", context={"token": "mt_canary", "company_name": "A"})
    mail = OutgoingMail.objects.get()
    page = root.get(f"/admin/lib/outgoingmail/{mail.pk}/change/").content.decode()
    assert "dev@example.com" in page
    assert mail.sealed_body not in page


@pytest.mark.parametrize(
    "path",
    [
        "/admin/packages/package/%00/change/",
        "/admin/packages/review/%00/change/",
        "/admin/packages/review/queue/data_only/?q=%00",
        "/admin/packages/review/?q=%00",
        "/admin/providers/user/?email=%00",
        "/admin/providers/user/?%00=1",
        "/admin/%00",
    ],
)
def test_address_with_a_nul_is_not_found(root: Client, path: str) -> None:
    assert root.get(path).status_code == 404


def test_who_may_only_look_sees_json_without_inline_styles() -> None:
    ensure_groups()
    owner = User.objects.create_user("dev@acmeweather.com", PASSWORD)
    account = Account.objects.create(owner=owner, company_name="Acme Weather", email="dev@acmeweather.com")
    user = User.objects.create_user("rita@aiffinity.me", PASSWORD, is_staff=True)
    user.groups.set(user.groups.model.objects.filter(name="reviewer"))
    page = client_of(user).get(f"/admin/providers/account/{account.pk}/change/").content.decode()
    assert "<pre>{}</pre>" in page
    assert " style=" not in page
    assert f"{account.created_at:%Y-%m-%d %H:%M:%S} UTC" in page


def test_console_has_an_icon(root: Client) -> None:
    [address] = re.findall(r'<link rel="icon"[^>]*href="([^"]+)"', root.get("/admin/").content.decode()) or re.findall(
        r'<link href="([^"]+)" rel="icon"', root.get("/admin/").content.decode()
    )
    assert address.endswith(".svg")


def test_dead_ends_lead_back_to_the_start_page(root: Client) -> None:
    ensure_groups()
    rita = User.objects.create_user("rita@aiffinity.me", PASSWORD, is_staff=True)
    missing, forbidden = root.get("/admin/none/"), client_of(rita).get("/admin/lib/auditentry/")
    assert (missing.status_code, forbidden.status_code) == (404, 403)
    for answer in (missing, forbidden):
        assert 'href="/admin/"' in answer.content.decode()
        assert not re.findall(r"<style|\sstyle=|<script", answer.content.decode())
    assert 'href="/admin/"' not in root.get("/nowhere").content.decode()
