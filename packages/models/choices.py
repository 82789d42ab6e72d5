"""The words that columns of the packages room hold."""

from django.db import models


class RiskTier(models.TextChoices):
    """Risk tiers, the least first; the order is that of `runtime.descriptors.RISK_TIERS`."""

    DATA_ONLY = "data_only"
    ACTION_CAPABLE = "action_capable"
    HIGH_TRUST = "high_trust"
    STRATEGIC_SURFACE = "strategic_surface"


class AvailabilityMode(models.TextChoices):
    """Who finds a listed package: everybody, or only who knows its slug."""

    PUBLIC = "public"
    UNLISTED = "unlisted"


class PackageStatus(models.TextChoices):
    """A package's status; derived, never stored."""

    DRAFT = "draft"
    PUBLISHED = "published"
    DEPRECATED = "deprecated"
    SUSPENDED = "suspended"
    ORPHANED = "orphaned"


class VersionState(models.TextChoices):
    """States of a version; `packages.states` has the transitions."""

    DRAFT = "draft"
    VALIDATED = "validated"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    REJECTED = "rejected"
    APPROVED = "approved"
    LISTED = "listed"
    SUPERSEDED = "superseded"
    SUSPENDED = "suspended"


class RunState(models.TextChoices):
    """States of a validation run; errored means that the fault is the platform's."""

    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"


class ReviewKind(models.TextChoices):
    """Why a case is before reviewers."""

    SUBMISSION = "submission", "Submission"
    RE_REVIEW = "re_review", "Re-review of something listed"
    LISTING_CHANGE = "listing_change", "Changed name or images of something listed"


class ReviewOutcome(models.TextChoices):
    """How a case ended; withdrawn ones ended without a decision."""

    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Decision(models.TextChoices):
    """What a reviewer can decide."""

    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"


class MessageAuthor(models.TextChoices):
    """Who wrote into a case's thread."""

    PROVIDER = "provider"
    REVIEWER = "reviewer"
    SYSTEM = "system"


class AttestationKind(models.TextChoices):
    """What an account attests for a package above action_capable (spec 3)."""

    DATA_HANDLING = "data_handling"
    ENCRYPTION = "encryption"
    BREACH_NOTICE = "breach_notice"
    RETENTION = "retention"
    SUB_PROCESSORS = "sub_processors"
