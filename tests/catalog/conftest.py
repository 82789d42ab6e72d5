"""Fixtures of the catalog room: published packages and a user with a token."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from providers.models import User
from tests.published import publish

__all__ = ["publish"]


@dataclass
class Consumer:
    """A user and their ID token."""

    user: User
    token: str


@pytest.fixture
def consumer(make_user: Callable[..., User], id_token: Callable[..., str]) -> Consumer:
    """A user without an account."""
    user = make_user()
    return Consumer(user, id_token(user))
