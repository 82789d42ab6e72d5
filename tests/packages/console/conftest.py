"""Fixtures of the console's tests: staff sessions that check CSRF tokens."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from packages.models import PolicyReason, Review, Version
from providers.models import User

REVIEWS = "/admin/packages/review"


class Desk:
    """One staff member at the console."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = Client(enforce_csrf_checks=True)
        self.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    def get(self, path: str) -> str:
        """Open a page and return it."""
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.content.decode()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Post a form with the session's token, and follow where it leads."""
        self.client.get("/admin/password_change/")
        token = self.client.cookies["csrftoken"].value
        return self.client.post(path, {**body, "csrfmiddlewaretoken": token}, follow=True)

    def act(self, review: Review, name: str, **body: Any) -> str:
        """Take an action with the hashes that the review's page shows, and confirm it."""
        page = self.get(f"{REVIEWS}/{review.pk}/change/")
        seen = dict(re.findall(r'name="(content_hash|config_hash)" value="([0-9a-f]*)"', page))
        answer = self.post(f"{REVIEWS}/{review.pk}/act/{name}/", {**seen, "confirmed": "1", **body})
        return str(answer.content.decode())


@pytest.fixture
def desk(make_reviewer: Callable[..., User]) -> Callable[..., Desk]:
    """Return a function that sits somebody of a group at the console."""

    def make(group: str = "reviewer", **fields: Any) -> Desk:
        return Desk(make_reviewer(group, **fields))

    return make


def review_of(version: Version) -> Review:
    """Return a version's newest review."""
    return Review.objects.filter(version=version).latest("opened_at")


def reason() -> PolicyReason:
    """Return a reason of the policy table."""
    made, _ = PolicyReason.objects.get_or_create(
        code="tested", defaults={"title": "Tested reason", "text": "Do it otherwise.", "link": "https://example.com/x"}
    )
    return made
