"""The plain review pages: what they show, who may post what, and that state can't be edited."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from packages.models import Package, Review, Version
from providers.models import User
from tests.packages.conftest import Maker

PAGES = "/admin/packages"
MakeReviewer = Callable[..., User]


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    """Return a function that opens a staff session which checks CSRF tokens."""

    def make(user: User) -> Client:
        client = Client(enforce_csrf_checks=True)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return make


def post_step(client: Client, version: Version, step: str, **fields: str) -> Any:
    """Press a button of the version's page with what the page holds."""
    page = client.get(f"{PAGES}/version/{version.pk}/change/")
    assert page.status_code == 200
    hidden = dict(page.context["hashes"])
    token = client.cookies["csrftoken"].value
    body = {**hidden, **fields, "csrfmiddlewaretoken": token}
    return client.post(f"{PAGES}/version/{version.pk}/step/{step}/", body, follow=True)


def test_reviewer_claims_and_approves_with_the_buttons(
    acme: Maker, make_reviewer: MakeReviewer, sign_in: Callable[[User], Client]
) -> None:
    version = acme.version("submitted", risk_tier="action_capable")
    client = sign_in(make_reviewer())
    page = client.get(f"{PAGES}/version/{version.pk}/change/").content.decode()
    assert "current_weather" in page
    assert "pass  account_verified" in page
    assert f"{PAGES}/version/{version.pk}/step/claim/" in page
    assert f"{PAGES}/version/{version.pk}/step/approve/" not in page
    post_step(client, version, "claim")
    answer = post_step(client, version, "approve", reason="Good work")
    assert "Done: approve." in answer.content.decode()
    assert Version.objects.get(pk=version.pk).state == "approved"


def test_high_trust_is_not_approved_and_the_page_says_why(
    acme: Maker, make_reviewer: MakeReviewer, sign_in: Callable[[User], Client]
) -> None:
    version = acme.version("submitted", risk_tier="high_trust")
    client = sign_in(make_reviewer(is_superuser=True))
    post_step(client, version, "claim")
    answer = post_step(client, version, "approve")
    assert "needs attestations, certification and two approvers" in answer.content.decode()
    assert Version.objects.get(pk=version.pk).state == "in_review"


def test_page_that_was_opened_before_a_change_approves_nothing(
    acme: Maker, make_reviewer: MakeReviewer, sign_in: Callable[[User], Client]
) -> None:
    version = acme.version("submitted", risk_tier="action_capable")
    client = sign_in(make_reviewer())
    post_step(client, version, "claim")
    answer = post_step(client, version, "approve", config_hash="what was there before")
    assert "changed since you looked" in answer.content.decode()
    assert Version.objects.get(pk=version.pk).state == "in_review"


@pytest.mark.parametrize("step", ["claim", "approve", "reject", "suspend", "publish", "auto_list", "submit"])
def test_staff_without_the_permission_changes_nothing(
    acme: Maker, make_reviewer: MakeReviewer, sign_in: Callable[[User], Client], step: str
) -> None:
    version = acme.version("submitted", risk_tier="action_capable")
    client = sign_in(make_reviewer("curator"))
    post_step(client, version, step)
    assert Version.objects.get(pk=version.pk).state == "submitted"


def test_form_post_get_and_missing_csrf_token_change_nothing(
    acme: Maker, make_reviewer: MakeReviewer, sign_in: Callable[[User], Client]
) -> None:
    version = acme.version("submitted", risk_tier="action_capable")
    client = sign_in(make_reviewer(is_superuser=True))
    client.get(f"{PAGES}/version/{version.pk}/change/")
    token = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else ""
    body = {"state": "listed", "csrfmiddlewaretoken": token}
    assert client.post(f"{PAGES}/version/{version.pk}/change/", body).status_code == 403
    assert client.get(f"{PAGES}/version/{version.pk}/step/claim/").status_code == 405
    assert client.post(f"{PAGES}/version/{version.pk}/step/claim/").status_code == 403
    assert Version.objects.get(pk=version.pk).state == "submitted"


def test_reviewer_suspends_a_version_and_the_provider_cannot_resume_it(
    acme: Maker, make_reviewer: MakeReviewer, sign_in: Callable[[User], Client]
) -> None:
    version = acme.version("listed")
    post_step(sign_in(make_reviewer()), version, "suspend", reason="Complaints")
    assert Version.objects.get(pk=version.pk).suspended_by == "reviewer"
    response = acme("POST", f"/{version.package_id}/versions/{version.pk}/resume", {})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_STATE")


def test_ops_suspends_and_resumes_a_whole_package(
    acme: Maker, make_reviewer: MakeReviewer, sign_in: Callable[[User], Client]
) -> None:
    acme.subscribe()
    version = acme.version("listed")
    client = sign_in(make_reviewer("ops"))
    for step, is_suspended in (("suspend", True), ("resume", False)):
        page = client.get(f"{PAGES}/package/{version.package_id}/change/")
        assert f"/step/{step}/" in page.content.decode()
        token = client.cookies["csrftoken"].value
        client.post(f"{PAGES}/package/{version.package_id}/step/{step}/", {"csrfmiddlewaretoken": token})
        assert (Package.objects.get(pk=version.package_id).suspended_at is not None) == is_suspended
        assert Version.objects.listed().exists() != is_suspended
    assert acme.events() == ["package.suspended", "package.resumed"]


def test_markup_in_a_listing_is_shown_as_text(
    acme: Maker, make_reviewer: MakeReviewer, sign_in: Callable[[User], Client]
) -> None:
    version = acme.version("submitted", risk_tier="action_capable")
    Package.objects.filter(pk=version.package_id).update(description="<script>alert(1)</script>")
    page = sign_in(make_reviewer()).get(f"{PAGES}/version/{version.pk}/change/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("page", ["version", "package", "validationrun", "review", "reviewdecision"])
def test_lists_open_for_reviewers(
    acme: Maker, make_reviewer: MakeReviewer, sign_in: Callable[[User], Client], page: str
) -> None:
    version = acme.version("in_review", risk_tier="action_capable")
    assert Review.objects.filter(version=version).exists()
    client = sign_in(make_reviewer())
    assert client.get(f"{PAGES}/{page}/").status_code == 200
    assert client.get(f"{PAGES}/{page}/add/").status_code == 403
