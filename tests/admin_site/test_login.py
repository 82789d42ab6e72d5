"""The staff login locks after ten failures, by address and by identity."""

import pytest
from django.test import Client

from aiffinity.admin_site.login import MAX_FAILURES
from aiffinity.lib.ratelimit import redis_client
from providers.models import User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"


@pytest.fixture
def staff() -> User:
    """One staff member."""
    return User.objects.create_superuser("root@aiffinity.me", PASSWORD)


def attempt(password: str, email: str = "root@aiffinity.me", address: str = "198.51.100.1"):
    """Try to log in from an address; returns the response."""
    return Client().post(LOGIN, {"username": email, "password": password}, REMOTE_ADDR=address)


def test_good_password_logs_in(staff: User) -> None:
    assert attempt(PASSWORD).status_code == 302


def test_identity_is_locked_after_ten_failures_from_anywhere(staff: User) -> None:
    for number in range(MAX_FAILURES):
        answer = attempt("wrong", address=f"198.51.100.{number}")
        assert "Too many failed logins" not in answer.content.decode()
    answer = attempt(PASSWORD, email=" ROOT@aiffinity.me ", address="203.0.113.9")
    assert answer.status_code == 200
    assert "Too many failed logins. Try again in" in answer.content.decode()


def test_address_is_locked_after_ten_failures_on_any_identity(staff: User) -> None:
    for number in range(MAX_FAILURES):
        attempt("wrong", email=f"user{number}@example.com")
    assert "Too many failed logins" in attempt(PASSWORD).content.decode()
    assert attempt(PASSWORD, address="203.0.113.9").status_code == 302


def test_success_gives_the_attempts_back(staff: User) -> None:
    for _ in range(MAX_FAILURES - 1):
        attempt("wrong")
    assert attempt(PASSWORD).status_code == 302
    for _ in range(MAX_FAILURES - 1):
        assert "Too many failed logins" not in attempt("wrong").content.decode()


def test_nobody_who_is_no_staff_logs_in_and_the_lock_is_kept_in_redis(staff: User) -> None:
    User.objects.create_user("dev@example.com", PASSWORD)
    assert attempt(PASSWORD, email="dev@example.com").status_code == 200
    assert any(b"staff-login:identity:" in key for key in redis_client().keys("rl:*"))
