"""Re-reviews: what changed after its approval comes before reviewers and stays listed meanwhile."""

from collections.abc import Callable
from typing import Any

import pytest

from aiffinity.lib.errors import InvalidState
from packages.configuration import is_covered
from packages.listing import list_submitted_versions
from packages.models import Review, Version
from packages.reviewing.claims import claim_review
from packages.reviewing.decisions import reject, request_changes
from packages.reviewing.re_reviews import open_re_reviews
from packages.submission import publish_version
from packages.suspension import resume_version
from providers.models import User
from runtime.auth_profiles import put_auth_profile
from runtime.models import RuntimeApp
from runtime.registration import update_runtime_app
from tests.packages.conftest import Maker, as_reviewer
from tests.packages.reviewing.cases import approve_as, claim_and_approve, claimed, reasons, sent_mails, state_of
from tests.runtime import documents

MakeReviewer = Callable[..., User]


def listed_by_approval(acme: Maker, make_reviewer: MakeReviewer) -> Version:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    approve_as(review, reviewer)
    return publish_version(Version.objects.get(pk=review.version_id), acme.attempt)


def move(acme: Maker, url: str = "https://elsewhere.example.com/aiffinity") -> None:
    update_runtime_app(runtime_app_of(acme), actor="test", fields={"runtime_url": url})


def runtime_app_of(acme: Maker) -> RuntimeApp:
    return RuntimeApp.objects.select_related("app").get(pk=acme.runtime_app.pk)


def test_changed_host_opens_one_re_review_and_tells_the_provider(acme: Maker, make_reviewer: MakeReviewer) -> None:
    version = listed_by_approval(acme, make_reviewer)
    assert open_re_reviews() == 0
    move(acme)
    assert open_re_reviews() == 1
    assert open_re_reviews() == 0
    review = Review.objects.open().get()
    assert (review.version, review.kind, review.tier) == (version, "re_review", "action_capable")
    assert review.cause == "The app's configuration changed after the approval: runtime_url leads elsewhere."
    assert state_of(review) == "listed"
    assert "runtime_url leads elsewhere" in sent_mails()[-1].body
    assert not is_covered(Version.objects.get(pk=version.pk), runtime_app_of(acme))


def test_approving_renews_the_approval_also_of_earlier_versions_in_use(
    acme: Maker, make_reviewer: MakeReviewer
) -> None:
    acme.subscribe()
    version = listed_by_approval(acme, make_reviewer)
    older = acme.version("superseded", package=version.package, version="1.1.0")
    before = acme.events()
    move(acme)
    open_re_reviews()
    done = claim_and_approve(Review.objects.open().get(), make_reviewer())
    assert (done.outcome, state_of(done)) == ("approved", "listed")
    for each in (version, older):
        assert is_covered(Version.objects.get(pk=each.pk), runtime_app_of(acme))
    assert acme.events() == [*before, "package.approved"]
    assert open_re_reviews() == 0


def test_rejecting_suspends_and_a_reviewer_resumes(acme: Maker, make_reviewer: MakeReviewer) -> None:
    acme.subscribe()
    version, reviewer = listed_by_approval(acme, make_reviewer), make_reviewer()
    before = acme.events()
    move(acme)
    open_re_reviews()
    review = claim_review(Review.objects.open().get(), reviewer=reviewer)
    done = reject(review, reviewer=reviewer, reasons=reasons("configuration_changed"), comment="Whose host?")
    suspended = Version.objects.get(pk=version.pk)
    assert (done.outcome, suspended.state, suspended.suspended_by) == ("rejected", "suspended", "reviewer")
    assert acme.events() == [*before, "package.suspended"]
    assert "is suspended" in sent_mails()[-1].subject
    with pytest.raises(InvalidState):
        resume_version(suspended, acme.attempt)
    assert resume_version(suspended, as_reviewer(reviewer)).state == "listed"


def test_restoring_the_configuration_ends_the_case(acme: Maker, make_reviewer: MakeReviewer) -> None:
    listed_by_approval(acme, make_reviewer)
    url = runtime_app_of(acme).runtime_url
    move(acme)
    open_re_reviews()
    move(acme, url)
    open_re_reviews()
    assert Review.objects.latest("opened_at").outcome == "withdrawn"
    assert not Review.objects.open().exists()


def test_changes_can_be_asked_for_while_it_stays_listed_and_the_answer_requeues(
    acme: Maker, make_reviewer: MakeReviewer
) -> None:
    version, reviewer = listed_by_approval(acme, make_reviewer), make_reviewer()
    move(acme)
    open_re_reviews()
    review = claim_review(Review.objects.open().get(), reviewer=reviewer)
    asked = request_changes(review, reviewer=reviewer, reasons=reasons("configuration_changed"), comment="")
    assert (asked.state, state_of(asked)) == ("awaiting_provider", "listed")
    path = f"/{version.package_id}/versions/{version.pk}/reviews/{review.pk}/reply"
    response = acme("POST", path, {"message": "It is our new data centre."})
    assert response.json()["data"]["state"] == "queued"
    assert state_of(review) == "listed"


@pytest.mark.parametrize(
    ("change", "covered"),
    [
        (lambda profile: profile["oauth2"]["scopes"].pop(), True),
        (lambda profile: profile["oauth2"]["scopes"].append("admin"), False),
        (lambda profile: profile["oauth2"].update(token_url="https://elsewhere.example.com/token"), False),
        (lambda profile: profile["oauth2"].update(pkce_required=False), False),
    ],
    ids=["fewer scopes", "more scopes", "another token address", "no PKCE"],
)
def test_narrower_configuration_runs_on_and_a_wider_one_does_not(
    acme: Maker, make_reviewer: MakeReviewer, change: Callable[[dict[str, Any]], Any], covered: bool
) -> None:
    profile: dict[str, Any] = {"strategy": "oauth2", "oauth2": {**documents.OAUTH2["oauth2"], "pkce_required": True}}
    profile["oauth2"]["scopes"] = ["weather:read", "location:read"]
    put_auth_profile(runtime_app_of(acme), actor="test", profile=profile, given_secrets={})
    version = listed_by_approval(acme, make_reviewer)
    change(profile)
    put_auth_profile(runtime_app_of(acme), actor="test", profile=profile, given_secrets={})
    assert is_covered(Version.objects.get(pk=version.pk), runtime_app_of(acme)) is covered
    assert open_re_reviews() == 1


def test_submission_that_lost_its_plain_way_gets_a_reviewer(acme: Maker) -> None:
    first = acme.version("listed")
    waiting = acme.version("submitted", package=first.package, version="1.1.0")
    Review.objects.filter(version=waiting).delete()
    assert open_re_reviews() == 0
    acme.set_runtime(config_hash="another")
    assert list_submitted_versions() == 0
    assert open_re_reviews() == 2
    review = Review.objects.get(version=waiting)
    assert (review.kind, review.cause) == (
        "submission",
        "The app's hosts or auth profile changed since the last listing.",
    )
