"""The forecast of a case, and what the version's answer says of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from packages.forecast import Forecast, forecast, queue_position
from packages.models import Review
from packages.reviewing.decisions import request_changes
from packages.reviewing.thread import reply
from providers.models import User
from tests.packages.conftest import Maker
from tests.packages.reviewing.cases import claim_and_approve, claimed, reasons, submitted

MakeReviewer = Callable[..., User]


def decided(acme: Maker, hours: float, *, days_ago: int = 1) -> None:
    """Write a case that was decided after so many hours in the queue."""
    review, end = submitted(acme), timezone.now() - timedelta(days=days_ago)
    Review.objects.filter(pk=review.pk).update(
        queued_at=end - timedelta(hours=hours), decided_at=end, closed_at=end, outcome="approved"
    )


def shown(acme: Maker, review: Review) -> Any:
    return acme("GET", f"/{review.version.package_id}/versions/{review.version_id}").json()["data"]["review"]


def test_percentiles_are_those_of_the_tiers_recent_decisions(acme: Maker) -> None:
    assert forecast("action_capable") == Forecast(0, None, None)
    for hours in range(1, 12):
        decided(acme, hours)
    decided(acme, 1000, days_ago=91)
    assert forecast("action_capable") == Forecast(0, 6.0, 10.0)
    assert forecast("high_trust") == Forecast(0, None, None)


def test_version_in_review_shows_its_place_and_its_time(acme: Maker, make_reviewer: MakeReviewer) -> None:
    decided(acme, 4)
    first, second = submitted(acme), submitted(acme)
    submitted(acme, "high_trust")
    assert [queue_position(each) for each in (first, second)] == [1, 2]
    answer = shown(acme, second)
    assert (answer["position"], answer["p50_hours"], answer["p90_hours"]) == (2, 4.0, 4.0)
    assert (answer["id"], answer["kind"], answer["state"], answer["claimed"]) == (
        second.pk,
        "submission",
        "queued",
        False,
    )
    assert answer["due_at"] > answer["submitted_at"]


def test_claim_and_requested_changes_show(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    assert (shown(acme, review)["state"], shown(acme, review)["claimed"]) == ("in_review", True)
    request_changes(review, reviewer=reviewer, reasons=reasons(), comment="")
    answer = shown(acme, review)
    assert (answer["state"], answer["position"], answer["claimed"]) == ("awaiting_provider", None, False)


def test_a_case_that_waits_again_counts_once_it_is_decided_again(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    request_changes(review, reviewer=reviewer, reasons=reasons(), comment="")
    assert forecast("action_capable") == Forecast(0, 0.0, 0.0)
    reply(review, user=review.version.package.account.owner, message="It is mended.")
    assert forecast("action_capable") == Forecast(1, None, None)
    Review.objects.update(queued_at=timezone.now() - timedelta(hours=3))
    claim_and_approve(review, reviewer)
    assert forecast("action_capable") == Forecast(0, 3.0, 3.0)


def test_version_that_nobody_reviews_has_none(acme: Maker) -> None:
    version = acme.version("draft")
    answer = acme("GET", f"/{version.package_id}/versions/{version.pk}").json()["data"]
    assert answer["review"] is None
