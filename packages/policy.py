"""Policy gates: named booleans with a message, the same in API, admin and errors (spec 3 "Policy gates")."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.utils import timezone

from aiffinity.lib.errors import Detail, GateNotPassed
from packages.drift import DriftReport, compare
from packages.models import Review, RunState, ValidationRun, Version, VersionState
from packages.numbers import is_major_step
from packages.runs import newest_run
from packages.tier_requirements import has_curation_grant, missing_attestations
from runtime.descriptors import least_tier
from runtime.models import HealthStatus, RuntimeApp, RuntimeStatus
from runtime.risk_tiers import RISK_TIERS, highest_tier

VALIDATION_GOOD_FOR = timedelta(days=7)
CERTIFYING_SCORE = 85
CERTIFIED_TIERS = ("high_trust", "strategic_surface")
CURATED_TIER = "strategic_surface"
OPEN_STATES = (VersionState.SUBMITTED, VersionState.IN_REVIEW)
LISTED_ONCE = (VersionState.LISTED, VersionState.SUPERSEDED, VersionState.SUSPENDED)

ACCOUNT_AND_APP_GATES = ("account_verified", "account_not_suspended", "app_active", "app_healthy")
TIER_GATES = ("certified", "attestations_signed", "curation_granted")


class GateCase:
    """A version with everything that gates look at, each read at most once."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.package = version.package
        self.account = version.package.account
        self.app = version.package.app

    @cached_property
    def runtime_app(self) -> RuntimeApp | None:
        """The app's runtime side, None where none is registered."""
        return RuntimeApp.objects.filter(pk=self.package.app_id).first()

    @cached_property
    def newest_run(self) -> ValidationRun | None:
        """The newest validation run that has ended."""
        return newest_run(self.version)

    @cached_property
    def base(self) -> Version | None:
        """What the version is compared with; None for a first listing."""
        return listed_base_of(self.version)

    @cached_property
    def drift(self) -> DriftReport | None:
        """What changed since the base."""
        return compare(self.base.capabilities, self.version.capabilities) if self.base else None


@dataclass(frozen=True)
class GateResult:
    """One gate's answer; `message` says what holds, or what to do."""

    name: str
    passed: bool
    message: str

    def as_dict(self) -> dict[str, object]:
        """Render the gate for the API."""
        return {"name": self.name, "passed": self.passed, "message": self.message}


# A gate returns None when it passes, and else a sentence that says what to do.
GateCheck = Callable[[GateCase], str | None]
_GATES: dict[str, tuple[GateCheck, str]] = {}


def register_gate(name: str, passed_message: str) -> Callable[[GateCheck], GateCheck]:
    """Add a gate under a name; rooms upstairs do so in `AppConfig.ready()`."""

    def register(check: GateCheck) -> GateCheck:
        _GATES[name] = (check, passed_message)
        return check

    return register


def evaluate_gates(version: Version, *, only: Collection[str] | None = None) -> list[GateResult]:
    """Ask every gate, or those named, in the order of their registration."""
    return evaluate_case(GateCase(version), only=only)


def evaluate_case(case: GateCase, *, only: Collection[str] | None = None) -> list[GateResult]:
    """Ask gates about a version of which some things were read already."""
    results = []
    for name, (check, passed_message) in _GATES.items():
        if only is None or name in only:
            failure = check(case)
            results.append(GateResult(name, failure is None, failure or passed_message))
    return results


def require_gates(version: Version, *, only: Collection[str] | None = None) -> None:
    """Raise GATE_NOT_PASSED (422) with every failed gate in `details`."""
    failed = [result for result in evaluate_gates(version, only=only) if not result.passed]
    if failed:
        details = [Detail(f"gates.{gate.name}", gate.name, gate.message) for gate in failed]
        raise GateNotPassed(f"{failed[0].name}: {failed[0].message}", details=details)


def listed_base_of(version: Version) -> Version | None:
    """Return the version that users have now: the listed one, else the one listed last."""
    others = Version.objects.filter(package=version.package_id, state__in=LISTED_ONCE).exclude(pk=version.pk)
    return (
        others.filter(state=VersionState.LISTED).first()
        or others.exclude(listed_at=None).order_by("-listed_at").first()
    )


def config_hash_of(version: Version) -> str:
    """Return the hash of the app's configuration that an approval binds, empty without a runtime app."""
    return config_hashes_of([version])[version.pk]


def config_hashes_of(versions: Collection[Version]) -> dict[str, str]:
    """Return what `config_hash_of` returns for each of several versions by their ids, with one query."""
    apps = {version.package.app_id for version in versions}
    found = dict(RuntimeApp.objects.filter(pk__in=apps).values_list("pk", "config_hash"))
    return {version.pk: found.get(version.package.app_id, "") for version in versions}


def reviewer_reasons(version: Version) -> list[str]:
    """Say why the system may not list a version by itself; empty for a plain data_only version (spec 3)."""
    if version.risk_tier != RISK_TIERS[0]:
        return [f"Tier {version.risk_tier} needs a review."]
    case = GateCase(version)
    reasons = []
    if case.drift is not None and case.drift.is_breaking:
        reasons.append("It breaks what the listed version promised.")
    if case.drift is not None and case.drift.needs_consent:
        reasons.append("It asks for more than users consented to.")
    if Review.objects.filter(version=version, closed_at=None).exists():
        reasons.append("A review of it is open.")
    if case.base is not None and case.base.approved_config_hash != config_hash_of(version):
        reasons.append("The app's hosts or auth profile changed since the last listing.")
    held = Version.objects.filter(package=version.package_id, state=VersionState.SUSPENDED)
    if held.exclude(suspended_by="provider").exists():
        reasons.append("A version of this package is suspended by the platform.")
    return reasons


@register_gate("account_verified", "The account's mail address is verified.")
def _account_verified(case: GateCase) -> str | None:
    if case.account.email_verified_at is None:
        return "Verify the account's mail address: follow the link in the verification mail."
    return None


@register_gate("account_not_suspended", "The account is in good standing.")
def _account_not_suspended(case: GateCase) -> str | None:
    return "The account is suspended; contact provider support." if case.account.is_suspended else None


@register_gate("app_active", "The app and its runtime are active.")
def _app_active(case: GateCase) -> str | None:
    if case.app.deleted_at is not None:
        return "The app was deleted; make a package for another app."
    if case.runtime_app is None:
        return "Register the app's runtime: POST /v1/providers/runtime/apps."
    if case.runtime_app.status != RuntimeStatus.ACTIVE:
        return f"The runtime app is {case.runtime_app.status}; set its status to active."
    return None


@register_gate("app_healthy", "The app has a health check and is not degraded.")
def _app_healthy(case: GateCase) -> str | None:
    if case.runtime_app is None or not case.runtime_app.health_check_url:
        return "Give the runtime app a health_check_url: PATCH /v1/providers/runtime/apps/{app_id}."
    if case.runtime_app.health_status == HealthStatus.DEGRADED:
        return "The app's health checks fail; mend the endpoint, the first success restores it."
    return None


@register_gate("validation_passed", "The newest validation run passed for exactly this content.")
def _validation_passed(case: GateCase) -> str | None:
    run = case.newest_run
    if run is None or run.content_hash != case.version.content_hash:
        return "Validate this content: POST …/validate."
    if run.state != RunState.PASSED:
        return f"The newest validation run {run.pk} {run.state}; correct what it names and validate again."
    return None


@register_gate("validation_fresh", "The newest validation run is at most 7 days old.")
def _validation_fresh(case: GateCase) -> str | None:
    run = case.newest_run
    if run is None or run.finished_at is None or run.finished_at < timezone.now() - VALIDATION_GOOD_FOR:
        return "The newest validation run is missing or older than 7 days; validate again."
    return None


@register_gate("risk_tier_sufficient", "The risk tier covers every capability and its data.")
def _risk_tier_sufficient(case: GateCase) -> str | None:
    least = highest_tier(least_tier(descriptor) for descriptor in case.version.capabilities)
    if RISK_TIERS.index(case.version.risk_tier) < RISK_TIERS.index(least):
        return f"The capabilities need risk tier {least} at least; the version has {case.version.risk_tier}."
    return None


@register_gate("listing_complete", "The listing is complete for its tier.")
def _listing_complete(case: GateCase) -> str | None:
    needed = {"name": case.package.name, "description": case.package.description}
    if case.version.risk_tier != RISK_TIERS[0]:
        needed |= {
            "category": case.package.category,
            "support_url": case.package.support_url,
            "privacy_policy_url": case.package.privacy_policy_url,
            "logo_url of the app": case.app.logo_url,
        }
    missing = [name for name, value in needed.items() if not value]
    return f"Complete the listing: {', '.join(missing)}." if missing else None


@register_gate("breaking_drift_is_major", "No promise is broken without a new major version.")
def _breaking_drift_is_major(case: GateCase) -> str | None:
    if case.base is None or case.drift is None or not case.drift.is_breaking:
        return None
    if is_major_step(case.base.version, case.version.version):
        return None
    first = case.drift.breaking[0]
    return (
        f"This breaks version {case.base.version} at {first.pointer} ({first.message});"
        " give it the next major version number."
    )


@register_gate("no_version_in_review", "No other version of the package is in review.")
def _no_version_in_review(case: GateCase) -> str | None:
    others = Version.objects.filter(package=case.package, state__in=OPEN_STATES).exclude(pk=case.version.pk)
    other = others.values_list("version", flat=True).first()
    return f"Version {other} is in review; withdraw it first." if other else None


@register_gate("certified", "The tier's certification holds.")
def _certified(case: GateCase) -> str | None:
    if case.version.risk_tier not in CERTIFIED_TIERS:
        return None
    run = case.newest_run
    if run is None or run.score is None or run.score < CERTIFYING_SCORE:
        return f"Tier {case.version.risk_tier} needs a validation score of {CERTIFYING_SCORE} at least."
    return None


@register_gate("attestations_signed", "The account signed every attestation that the tier needs.")
def _attestations_signed(case: GateCase) -> str | None:
    missing = missing_attestations(case.package) if case.version.risk_tier in CERTIFIED_TIERS else []
    if not missing:
        return None
    return f"Sign {', '.join(missing)} (POST …/attestations); a signature counts for 12 months."


@register_gate("curation_granted", "The strategic surface is granted where the tier needs it.")
def _curation_granted(case: GateCase) -> str | None:
    if case.version.risk_tier != CURATED_TIER or has_curation_grant(case.package):
        return None
    return "Tier strategic_surface needs a curator's grant for the package; write to provider support."
