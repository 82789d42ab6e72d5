"""Named secrets over HTTP: write-only, twenty an app, sealed to their place."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from aiffinity.lib.crypto import Secret
from aiffinity.lib.errors import NotFound, QuotaExceeded
from providers.applications import delete_app
from runtime.models import NamedSecret
from runtime.named_secrets import open_named_secrets, set_named_secret
from tests.runtime.conftest import error_of

pytestmark = pytest.mark.django_db

VALUE = "wk_live_abc123def456"


def opened(registered):
    """Return the plain values by key."""
    return {key: secret.reveal() for key, secret in open_named_secrets(registered.runtime_app).items()}


def test_a_secret_is_set_listed_and_deleted_without_ever_showing_its_value(registered):
    created = registered("PUT", "/secrets/WEATHER_API_KEY", {"value": VALUE})
    assert created.status_code == 201
    assert created.json()["data"].keys() == {"key", "created_at", "updated_at"}
    assert opened(registered) == {"WEATHER_API_KEY": VALUE}
    listed = registered("GET", "/secrets")
    assert [row["key"] for row in listed.json()["data"]] == ["WEATHER_API_KEY"]
    assert listed.json()["meta"]["pagination"]["total"] == 1
    assert registered("GET", "/secrets/WEATHER_API_KEY").json()["data"] == created.json()["data"]
    deleted = registered("DELETE", "/secrets/WEATHER_API_KEY")
    assert (deleted.status_code, deleted.json()["data"]["key"]) == (200, "WEATHER_API_KEY")
    assert registered("GET", "/secrets/WEATHER_API_KEY").status_code == 404
    assert registered("DELETE", "/secrets/WEATHER_API_KEY").status_code == 404
    for response in (created, listed, deleted, registered("GET")):
        assert VALUE not in response.content.decode()


def test_a_value_is_replaced_under_a_new_version(registered):
    registered("PUT", "/secrets/KEY", {"value": "first"})
    old = NamedSecret.objects.get().sealed_value
    assert registered("PUT", "/secrets/KEY", {"value": " second "}).status_code == 200
    assert opened(registered) == {"KEY": " second "}
    assert NamedSecret.objects.get().version == 2
    NamedSecret.objects.update(sealed_value=old)
    with pytest.raises(ValueError, match="doesn't open"):
        opened(registered)


def test_the_database_holds_no_plain_value(registered):
    registered("PUT", "/secrets/CANARY", {"value": "canary-value-in-clear"})
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            found = f"SELECT count(*) FROM {name} t WHERE t::text LIKE %s"  # noqa: S608  # A table's own name.
            cursor.execute(found, ["%canary-value-in-clear%"])
            assert cursor.fetchone() == (0,), table


@pytest.mark.parametrize("key", ["weather", "W", "1KEY", "KEY-NAME", "K" * 65, "KEY%0A", "ÄKEY"])
def test_a_malformed_key_is_refused(registered, key):
    response = registered("PUT", f"/secrets/{key}", {"value": "x"})
    assert (response.status_code, error_of(response)["details"][0]["field"]) == (400, "key")
    assert registered("GET", f"/secrets/{key}").status_code == 404
    assert not NamedSecret.objects.exists()


@pytest.mark.parametrize("body", [{}, {"value": ""}, {"value": 7}, {"value": None}, {"value": "x" * 4097},
                                  {"value": "ü" * 2049}, {"val": "x"}])  # fmt: skip
def test_a_wrong_value_is_refused(registered, body):
    response = registered("PUT", "/secrets/KEY", body)
    assert response.status_code == 400
    assert error_of(response)["details"][0]["field"] in {"value", "val"}
    assert not NamedSecret.objects.exists()


def test_a_value_of_exactly_4_kb_is_taken(registered):
    assert registered("PUT", "/secrets/KEY", {"value": "x" * 4096}).status_code == 201


def test_the_21st_secret_is_refused_while_known_keys_may_change(registered):
    for number in range(20):
        assert registered("PUT", f"/secrets/KEY_{number}", {"value": "x"}).status_code == 201
    response = registered("PUT", "/secrets/ONE_MORE", {"value": "x"})
    assert (response.status_code, error_of(response)["code"]) == (409, "QUOTA_EXCEEDED")
    assert registered("PUT", "/secrets/KEY_7", {"value": "y"}).status_code == 200
    registered("DELETE", "/secrets/KEY_7")
    assert registered("PUT", "/secrets/ONE_MORE", {"value": "x"}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_from_fifteen_make_twenty(registered):
    row = registered.runtime_app
    for number in range(15):
        set_named_secret(row, f"KEY_{number}", Secret("x"), actor="test")

    def attempt(number):
        try:
            set_named_secret(row, f"RACE_{number}", Secret("x"), actor="test")
        except QuotaExceeded:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(attempt, range(50))) == 5
    assert NamedSecret.objects.count() == 20


def test_an_app_that_is_being_deleted_takes_no_new_secret(registered):
    seen_before = registered.runtime_app
    delete_app(seen_before.app, actor="test")
    with pytest.raises(NotFound):
        set_named_secret(seen_before, "KEY_A", Secret("value a"), actor="test")
    assert not NamedSecret.objects.exists()
