"""Made-up review cases: what was decided, and what waits, claimed and overdue ones among it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from catalog.seeding.shapes import MARKED_TIERS, WIDENED
from catalog.seeding.staff import Staff
from packages.listing_changes import CAUSE
from packages.models import (
    Attestation,
    AttestationKind,
    CurationGrant,
    Decision,
    MessageAuthor,
    PolicyReason,
    Review,
    ReviewDecision,
    ReviewKind,
    ReviewMessage,
    ReviewOutcome,
    RiskTier,
    Version,
    VersionState,
)
from packages.reviewing.approvers import ARCHITECTURE, SECURITY
from packages.reviewing.claims import CLAIM_LASTS
from packages.reviewing.deadlines import due_at
from providers.models import User

PARTLY_APPROVED_SHARE = 0.3
MESSAGE_SHARE = 0.1
ESCALATED_SHARE = 0.03
_WIDENS = "It asks for more than users consented to."
_BREAKS = "It breaks what the listed version promised."
_QUESTION = "We sent the new terms to all our users last week. Tell us if you need a copy."


@dataclass
class CaseRows:
    """Unsaved rows about reviews, in the order in which they are written."""

    reviews: list[Review] = field(default_factory=list)
    decisions: list[ReviewDecision] = field(default_factory=list)
    messages: list[ReviewMessage] = field(default_factory=list)
    attestations: list[Attestation] = field(default_factory=list)
    grants: list[CurationGrant] = field(default_factory=list)


class CaseMaker:
    """Makes the cases of versions; `config_hash` is that of the version's app."""

    def __init__(self, rng: Random, staff: Staff, now: datetime) -> None:
        self.rng, self.staff, self.now = rng, staff, now
        self.reasons = [each.as_dict() for each in PolicyReason.objects.filter(is_active=True).order_by("code")[:5]]

    def add_decided(self, rows: CaseRows, version: Version, config_hash: str) -> None:
        """Add the closed case that approved a version, with the approvals that its tier needs."""
        if version.risk_tier == RiskTier.DATA_ONLY or version.submitted_at is None or version.listed_at is None:
            return  # The system listed it.
        decided_at = version.listed_at - timedelta(minutes=5)
        review = self._review(version, decided_at=decided_at, closed_at=decided_at, outcome=ReviewOutcome.APPROVED)
        rows.reviews.append(review)
        for user, slot in self.staff.approvers(self.rng, version.risk_tier):
            rows.decisions.append(_approval(review, user, slot, config_hash, decided_at))

    def add_open(self, rows: CaseRows, version: Version, config_hash: str, *, stage: int) -> None:
        """Add the open case of a version that waits for reviewers, or for its provider's answer."""
        review = self._review(version, cause=_cause(version, stage))
        if self.rng.random() < ESCALATED_SHARE:
            review.escalated_at = review.queued_at + (self.now - review.queued_at) / 2
        rows.reviews.append(review)
        if version.state == VersionState.IN_REVIEW:
            self._hold(rows, review, config_hash)
        elif version.state == VersionState.CHANGES_REQUESTED:
            self._send_back(rows, review, config_hash)
        elif self.rng.random() < MESSAGE_SHARE:
            rows.messages.append(
                ReviewMessage(
                    review=review, author=MessageAuthor.PROVIDER, user=version.submitted_by, text=_QUESTION,
                    created_at=review.queued_at + timedelta(minutes=3),
                )
            )  # fmt: skip

    def add_listing_change(self, rows: CaseRows, version: Version) -> None:
        """Add the open case about a listed version's changed name."""
        since = self.now - timedelta(hours=self.rng.uniform(0, 60))
        review = self._review(version, kind=ReviewKind.LISTING_CHANGE, cause=CAUSE.format(fields="name"))
        review.first_submitted_at = review.queued_at = review.opened_at = since
        review.due_at = due_at(version.risk_tier, since)
        rows.reviews.append(review)

    def add_trust(self, rows: CaseRows, version: Version) -> None:
        """Add what a version's tier needs besides approvals: attestations, the curation grant."""
        if version.risk_tier not in MARKED_TIERS:
            return
        account = version.package.account
        signed_at = self.now - timedelta(days=self.rng.randint(5, 300))
        rows.attestations += [
            Attestation(
                version=version, account=account, kind=kind, signed_by=f"Chief officer of {account.company_name}"[:120],
                statement=f"We comply with the platform's rules on {AttestationKind(kind).label.lower()}.",
                signed_at=signed_at,
            )
            for kind in AttestationKind.values
        ]  # fmt: skip
        if version.risk_tier == RiskTier.STRATEGIC_SURFACE:
            rows.grants.append(
                CurationGrant(package=version.package, granted_by=self.staff.curator, granted_at=signed_at)
            )

    def _review(self, version: Version, **columns: Any) -> Review:
        since = version.submitted_at or self.now
        return Review(
            version=version,
            tier=version.risk_tier,
            first_submitted_at=version.first_submitted_at or since,
            queued_at=since,
            opened_at=since,
            due_at=due_at(version.risk_tier, since),
            **columns,
        )

    def _hold(self, rows: CaseRows, review: Review, config_hash: str) -> None:
        approvers = self.staff.approvers(self.rng, review.tier)
        if len(approvers) > 1 and self.rng.random() < PARTLY_APPROVED_SHARE:
            # It keeps its state without a claim, until the second approver comes.
            rows.decisions.append(_approval(review, *approvers[0], config_hash, self.now - timedelta(minutes=40)))
            return
        review.claimed_by = approvers[0][0]
        review.claim_expires_at = self.now + CLAIM_LASTS * self.rng.uniform(0.1, 1)

    def _send_back(self, rows: CaseRows, review: Review, config_hash: str) -> None:
        [(user, slot), *_] = self.staff.approvers(self.rng, review.tier)
        review.is_awaiting_provider, review.decided_at = True, self.now - timedelta(minutes=30)
        decision = _approval(review, user, slot, config_hash, review.decided_at)
        decision.decision, decision.reasons = Decision.REQUEST_CHANGES, [self.rng.choice(self.reasons)]
        decision.comment = "Please look at this once more; the rest is fine."
        rows.decisions.append(decision)


def _approval(review: Review, user: User, slot: str, config_hash: str, at: datetime) -> ReviewDecision:
    return ReviewDecision(
        review=review,
        reviewer=user,
        decision=Decision.APPROVE,
        content_hash=review.version.content_hash,
        config_hash=config_hash,
        is_security=slot == SECURITY,
        is_architecture=slot == ARCHITECTURE,
        created_at=at,
    )


def _cause(version: Version, stage: int) -> str:
    if version.risk_tier != RiskTier.DATA_ONLY:
        return f"Tier {version.risk_tier} needs a review."
    return _WIDENS if stage == WIDENED else f"{_BREAKS} {_WIDENS}"
