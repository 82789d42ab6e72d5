"""Ops at the console's connections: they look, require a new connection and revoke; nobody else does."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from aiffinity.lib.errors import InvalidState
from aiffinity.lib.models import AuditEntry
from capabilities.connections import revoke_connection
from capabilities.models import CachedState
from packages.groups import ensure_groups
from providers.models import User
from runtime.connections.revoking import revoke_due_connections
from runtime.models import Connection
from tests.connected import acme, acme_process, weather

__all__ = ["acme", "acme_process", "weather"]

pytestmark = pytest.mark.django_db
PAGES = "/admin/runtime/connection"
WHY = {"reason": "The user wrote to us."}


@pytest.fixture
def sit(make_user):
    """Return a function that sits somebody of a group at the console."""

    def make(group):
        ensure_groups()
        user = make_user(is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client = Client()
        client.force_login(User.objects.get(pk=user.pk), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return make


def test_ops_see_a_connection_without_what_it_holds(weather, sit):
    row = weather.connect()
    ops = sit("ops")
    listed = ops.get(f"{PAGES}/").content.decode()
    page = ops.get(f"{PAGES}/{row.pk}/change/").content.decode()
    assert row.pk in listed
    assert "Require a new connection" in page
    for hidden in (row.sealed_content, row.authority_hash):
        assert hidden not in page + listed
    assert 'name="_save"' not in page


def test_a_new_connection_is_required_by_post_with_a_reason(weather, sit):
    row = weather.connect()
    ops, path = sit("ops"), f"{PAGES}/{row.pk}/step/reconnect/"
    assert "Calls answer CONNECTION_REQUIRED" in ops.get(path).content.decode()
    assert ops.post(path, {"reason": ""}).status_code == 422
    assert weather.connection.status == "active"
    told = ops.post(path, WHY, follow=True).content.decode()
    assert "The user has to connect anew" in told
    assert weather.connection.status == "reconnect_required"
    entry = AuditEntry.objects.get(subject=row.pk, action="connection.failed")
    assert (entry.reason, entry.actor.startswith("user:")) == (WHY["reason"], True)
    assert weather.events() == ["connection.created", "connection.failed"]
    assert weather.invoke().status_code == 422
    assert "did not happen" in ops.post(path, WHY, follow=True).content.decode()


def test_a_connection_is_revoked_with_what_it_brought(weather, sit):
    row = weather.connect()
    weather.invoke()
    assert CachedState.objects.count() == 1
    ops, path = sit("ops"), f"{PAGES}/{row.pk}/step/revoke/"
    ops.post(path, WHY)
    assert weather.connection.status == "revoking"
    assert CachedState.objects.count() == 0
    assert "did not happen" in ops.post(path, WHY, follow=True).content.decode()
    assert revoke_due_connections() == 1
    assert not Connection.objects.exists()
    assert [token["is_revoked"] for token in weather.acme.oauth()["tokens"]] == [True]


def test_others_of_the_staff_do_neither(weather, sit):
    row = weather.connect()
    reviewer = sit("reviewer")
    for method, path in (
        ("get", "change"),
        ("get", "step/revoke"),
        ("post", "step/revoke"),
        ("post", "step/reconnect"),
    ):
        answer = getattr(reviewer, method)(f"{PAGES}/{row.pk}/{path}/", WHY)
        assert answer.status_code == 403, path
    assert weather.connection.status == "active"


def test_two_who_revoke_a_connection_at_once_leave_one_trace(weather):
    weather.connect()
    first, second = weather.connection, weather.connection
    revoke_connection(first, actor="user:one", reason="First.")
    with pytest.raises(InvalidState):
        revoke_connection(second, actor="user:two", reason="Second.")
    assert AuditEntry.objects.filter(subject=first.pk, action="connection.removed").count() == 1
