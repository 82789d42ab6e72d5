"""What a review page shows of one case, read section by section."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from aiffinity.lib.models import AuditEntry
from packages import panels, policy
from packages.conformance.registry import DIMENSION_WEIGHTS
from packages.console.capabilities import shown_capabilities
from packages.console.configuration_changes import configuration_changes
from packages.console.obstacles import Obstacle, obstacle
from packages.console.queue import free_reviews
from packages.console.wording import in_words, time_left
from packages.drift import Level
from packages.forecast import queue_position
from packages.models import Attestation, Package, Review, ReviewDecision, ValidationRun, Version
from packages.reviewing.approvers import approvals_of, missing_for_tier
from packages.surface import render_listing
from providers.models import User
from runtime.models import HealthCheck

HEALTH_CHECKS_SHOWN = 12
HISTORY_SHOWN = 15
AUDIT_SHOWN = 60
SECTIONS = {
    "drift": "Drift",
    "listing": "Listing",
    "capabilities": "Capabilities",
    "gates": "Gates",
    "validation": "Validation",
    "health": "Health",
}
# The sections after the panels of other rooms.
LATER_SECTIONS = {
    "attestations": "Attestations",
    "account": "Account",
    "decisions": "Decisions",
    "audit": "Audit",
}
# The order in which drift and checks are read: what needs an answer first.
_LEVELS = [Level.BREAKING, Level.WIDENING, Level.NARROWING, Level.COMPATIBLE]
_CHECK_STATES = ["fail", "error", "pass", "not_applicable"]


@dataclass(frozen=True)
class Dimension:
    """One dimension of a validation run with its checks, the failed ones first."""

    name: str
    score: float | None
    weight: int
    checks: list[dict[str, Any]]
    failed: int


def review_context(review: Review, user: User, now: datetime) -> dict[str, Any]:
    """Read everything that a reviewer decides on; at most 30 queries with the page around it."""
    version = review.version
    found = panels.render_panels(version)
    sections = {**SECTIONS, **{f"panel-{panel['name']}": panel["title"] for panel in found}, **LATER_SECTIONS}
    attestations = _attestations(version)
    case = policy.GateCase(version)
    decisions = _decisions(version)
    return {
        "sections": [item for item in sections.items() if item[0] != "attestations" or attestations],
        "review": review,
        "version": version,
        "package": version.package,
        "account": version.package.account,
        "app": version.package.app,
        **_header(case, review, user, now),
        **_approvals(review, user),
        "listing_html": render_listing(version.package, version),
        "pending_fields": _pending_fields(version.package),
        "capabilities": shown_capabilities(version, case.base, case.drift),
        "configuration_changes": configuration_changes(review, case),
        **_drift(case),
        **_validation(case),
        **_gates(case),
        **_health(case),
        "panels": found,
        "attestations": attestations,
        **_account_history(version),
        "decisions": decisions,
        "thread": _thread(review, decisions),
        "next_review": free_reviews(review.tier, user, now).exclude(pk=review.pk).first(),
        "audit": _audit(review),
    }


def seen_hashes(version: Version) -> dict[str, str]:
    """Return the hashes of what the page shows; a decision carries them back."""
    return {"content_hash": version.content_hash, "config_hash": policy.config_hash_of(version)}


def _header(case: policy.GateCase, review: Review, user: User, now: datetime) -> dict[str, Any]:
    is_claimed = review.is_claimed
    return {
        "left": time_left(review.due_at, now),
        "age": in_words((review.closed_at or now) - review.first_submitted_at),
        "position": queue_position(review) if review.closed_at is None else None,
        "is_mine": is_claimed and review.claimed_by_id == user.pk,
        "is_others": is_claimed and review.claimed_by_id != user.pk,
        "claim_left": in_words(review.claim_expires_at - now) if is_claimed and review.claim_expires_at else "",
        "hashes": {
            "content_hash": review.version.content_hash,
            "config_hash": case.runtime_app.config_hash if case.runtime_app else "",
        },
    }


def _approvals(review: Review, user: User) -> dict[str, Any]:
    if review.closed_at is not None:
        return {"missing": [], "obstacle": Obstacle()}
    given = approvals_of(review)
    missing = missing_for_tier(review.version.risk_tier, given)
    return {"missing": missing, "obstacle": obstacle(review, user, given)}


def _pending_fields(package: Package) -> list[dict[str, Any]]:
    return [
        {"name": name, "now": getattr(package, name), "then": then}
        for name, then in sorted(package.pending_listing.items())
    ]


def _gates(case: policy.GateCase) -> dict[str, Any]:
    gates = sorted(policy.evaluate_case(case), key=lambda gate: gate.passed)
    return {"gates": gates, "failed_gates": sum(1 for gate in gates if not gate.passed)}


def _drift(case: policy.GateCase) -> dict[str, Any]:
    changes = sorted(case.drift.changes if case.drift else (), key=lambda change: _LEVELS.index(change.level))
    counts = Counter(change.level for change in changes)
    return {
        "base": case.base,
        "drift": case.drift,
        "changes": changes,
        "drift_counts": [(level, counts[level]) for level in _LEVELS if counts[level]],
    }


def _validation(case: policy.GateCase) -> dict[str, Any]:
    run = case.newest_run
    dimensions = [_dimension(run, name) for name in DIMENSION_WEIGHTS] if run else []
    return {
        "run": run,
        "dimensions": dimensions,
        "failed_checks": sum(dimension.failed for dimension in dimensions),
        "is_run_of_content": run is not None and run.content_hash == case.version.content_hash,
    }


def _dimension(run: ValidationRun, name: str) -> Dimension:
    checks = [item for item in run.checks if item["dimension"] == name]
    checks.sort(key=lambda item: _CHECK_STATES.index(item["state"]))
    found = run.dimensions.get(name) or {}
    failed = sum(1 for item in checks if item["state"] == "fail")
    return Dimension(name, found.get("score"), DIMENSION_WEIGHTS[name], checks, failed)


def _health(case: policy.GateCase) -> dict[str, Any]:
    checks = HealthCheck.objects.filter(runtime_app=case.app.pk).order_by("-checked_at")
    return {"runtime_app": case.runtime_app, "health_checks": list(checks[:HEALTH_CHECKS_SHOWN])}


def _attestations(version: Version) -> list[Attestation]:
    """Return the newest attestation of each kind; whether they suffice is a gate."""
    if version.risk_tier not in policy.CERTIFIED_TIERS:
        return []
    signed = Attestation.objects.filter(version__package=version.package_id).order_by("kind", "-signed_at")
    return list(signed.distinct("kind"))


def _account_history(version: Version) -> dict[str, Any]:
    package = version.package
    others = Package.objects.for_account(package.account).with_status().exclude(pk=package.pk)
    past = ReviewDecision.objects.filter(review__version__package__account=package.account_id)
    subjects = Package.objects.for_account(package.account).values("pk")
    versions = Version.objects.for_account(package.account).values("pk")
    suspensions = AuditEntry.objects.filter(
        Q(subject__in=subjects) | Q(subject__in=versions), action__in=["version.suspend", "package.suspended"]
    )
    return {
        "other_packages": list(others.order_by("-created_at")[:HISTORY_SHOWN]),
        "other_decisions": list(
            past.exclude(review__version__package=package)
            .select_related("reviewer", "review__version__package")
            .order_by("-created_at")[:HISTORY_SHOWN]
        ),
        "suspensions": list(suspensions.order_by("-created_at")[:HISTORY_SHOWN]),
    }


def _decisions(version: Version) -> list[ReviewDecision]:
    found = ReviewDecision.objects.filter(review__version__package=version.package_id)
    return list(found.select_related("reviewer", "review__version").order_by("-created_at")[:HISTORY_SHOWN])


def _thread(review: Review, decisions: list[ReviewDecision]) -> list[dict[str, Any]]:
    """Return messages and decisions of the case in the order in which they came."""
    messages = [{"message": each, "at": each.created_at} for each in review.messages.select_related("user")]
    own = [{"decision": each, "at": each.created_at} for each in decisions if each.review_id == review.pk]
    return sorted([*messages, *own], key=lambda item: item["at"])


def _audit(review: Review) -> list[AuditEntry]:
    subjects = [review.pk, review.version_id, review.version.package_id]
    return list(AuditEntry.objects.filter(subject__in=subjects).order_by("-created_at", "-sequence")[:AUDIT_SHOWN])
