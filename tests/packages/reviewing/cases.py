"""Cases in the states that tests want, and decisions on them."""

from typing import Any

from django.core import mail

from aiffinity.lib.mail_delivery import send_due
from packages.models import AttestationKind, PolicyReason, Review, Version
from packages.policy import config_hash_of
from packages.policy_reasons import ensure_policy_texts
from packages.reviewing.claims import claim_review
from packages.reviewing.decisions import approve
from packages.tier_requirements import grant_curation, sign_attestations
from providers.models import User
from tests.packages.conftest import Maker


def submitted(acme: Maker, tier: str = "action_capable", **fields: Any) -> Review:
    """Return the case of a submitted version that has what its tier asks for, apart from a curation grant."""
    version = acme.version("submitted", risk_tier=tier, **fields)
    if tier in ("high_trust", "strategic_surface"):
        attest(version)
    return Review.objects.get(version=version)


def claimed(acme: Maker, reviewer: User, tier: str = "action_capable", **fields: Any) -> Review:
    """Return a case that the reviewer has claimed."""
    return claim_review(submitted(acme, tier, **fields), reviewer=reviewer)


def attest(version: Version) -> None:
    """Sign every attestation."""
    given = [{"kind": kind, "statement": "We do.", "signed_by": "Jane Doe"} for kind in AttestationKind.values]
    sign_attestations(version, actor="test", given=given)


def grant(version: Version, curator: User) -> None:
    """Grant the strategic surface to the version's package."""
    grant_curation(version.package, curator=curator)


def approve_as(review: Review, reviewer: User, comment: str = "", **seen: str) -> Review:
    """Approve what the version and its app hold now."""
    version = Version.objects.select_related("package").get(pk=review.version_id)
    hashes = {"seen_content_hash": version.content_hash, "seen_config_hash": config_hash_of(version), **seen}
    return approve(review, reviewer=reviewer, comment=comment, **hashes)


def claim_and_approve(review: Review, reviewer: User) -> Review:
    """Claim a case and approve it."""
    return approve_as(claim_review(review, reviewer=reviewer), reviewer)


def reasons(*codes: str) -> list[PolicyReason]:
    """Return reasons of the policy."""
    ensure_policy_texts()
    return [PolicyReason.objects.get(code=code) for code in codes or ("listing_incomplete",)]


def state_of(review: Review) -> str:
    """Return the state of the case's version."""
    return Version.objects.get(pk=review.version_id).state


def sent_mails() -> list[Any]:
    """Send what is queued and return every mail so far."""
    send_due()
    return list(mail.outbox)
