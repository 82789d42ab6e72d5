"""Packages, their versions, validation runs and reviews, by topic."""

from packages.models.choices import (
    AttestationKind,
    AvailabilityMode,
    Decision,
    MessageAuthor,
    PackageStatus,
    ReviewKind,
    ReviewOutcome,
    RiskTier,
    RunState,
    VersionState,
)
from packages.models.packages import ORPHANS_LISTED_FOR, Package, PackageQuerySet, Version, VersionQuerySet
from packages.models.policy_texts import CannedText, PolicyReason
from packages.models.reviews import Review, ReviewDecision, ReviewMessage, ReviewQuerySet
from packages.models.trust import Attestation, CurationGrant
from packages.models.validation_runs import ValidationRun

__all__ = [
    "ORPHANS_LISTED_FOR",
    "Attestation",
    "AttestationKind",
    "AvailabilityMode",
    "CannedText",
    "CurationGrant",
    "Decision",
    "MessageAuthor",
    "Package",
    "PackageQuerySet",
    "PackageStatus",
    "PolicyReason",
    "Review",
    "ReviewDecision",
    "ReviewKind",
    "ReviewMessage",
    "ReviewOutcome",
    "ReviewQuerySet",
    "RiskTier",
    "RunState",
    "ValidationRun",
    "Version",
    "VersionQuerySet",
    "VersionState",
]
