"""Bulk actions: each case on its own merits, and how far a suspension reaches."""

from collections.abc import Callable

import pytest

from aiffinity.lib.errors import InvalidState, PermissionDenied
from packages.models import Package, Review, Version
from packages.reviewing.bulk import BlastRadius, blast_radius, bulk_approve, bulk_suspend
from packages.reviewing.claims import claim_review
from providers.models import User
from tests.packages.conftest import Maker
from tests.packages.reviewing.cases import state_of, submitted

MakeReviewer = Callable[..., User]


def test_bulk_approve_takes_what_it_can_and_leaves_the_rest_as_it_was(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    free, held, high = submitted(acme), submitted(acme), submitted(acme, "strategic_surface")
    claim_review(held, reviewer=make_reviewer())
    results = bulk_approve([high, held, free], reviewer=reviewer, comment="All fine")
    errors = {review.pk: error.code if error else None for review, error in results}
    assert errors == {free.pk: None, held.pk: "INVALID_STATE", high.pk: "GATE_NOT_PASSED"}
    assert [state_of(each) for each in (free, held, high)] == ["approved", "in_review", "submitted"]
    assert Review.objects.get(pk=high.pk).claimed_by is None


def test_bulk_approve_binds_what_was_on_the_screen(acme: Maker, make_reviewer: MakeReviewer) -> None:
    review = submitted(acme)
    shown = {review.pk: (review.version.content_hash, "what was there before")}
    [(_, error)] = bulk_approve([review], reviewer=make_reviewer(), comment="", seen=shown)
    assert isinstance(error, InvalidState)
    assert state_of(review) == "submitted"


def test_bulk_suspend_stops_what_is_listed(acme: Maker, make_reviewer: MakeReviewer) -> None:
    listed, draft = acme.version("listed"), acme.version("draft")
    with pytest.raises(PermissionDenied):
        bulk_suspend([listed], reviewer=make_reviewer("curator"), reason="Abuse")
    results = bulk_suspend([listed, draft], reviewer=make_reviewer("ops"), reason="Abuse")
    assert [error.code if error else None for _, error in results] == [None, "INVALID_STATE"]
    suspended = Version.objects.get(pk=listed.pk)
    assert (suspended.state, suspended.suspended_by) == ("suspended", "reviewer")


def test_blast_radius_counts_each_package_once(acme: Maker) -> None:
    first, other = acme.version("listed"), acme.version("listed")
    second = acme.version("draft", package=first.package)
    Package.objects.filter(pk=first.package_id).update(install_count=3, calls_last_hour=40)
    Package.objects.filter(pk=other.package_id).update(install_count=2, calls_last_hour=1)
    assert blast_radius([first, second, other]) == BlastRadius(versions=3, installs=5, calls_last_hour=41)
    assert blast_radius([]) == BlastRadius(0, 0, 0)
