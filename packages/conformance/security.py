"""Dimension security: transport, signatures, secrets, addresses, auth profile, tier (spec 3)."""

import hmac
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from aiffinity.lib.outbound import UrlRefused, check_url, check_url_template, policy_from_settings
from packages.conformance.case import Case
from packages.conformance.registry import (
    CALLED_MODES,
    READ_MODES,
    Finding,
    failed,
    judge,
    not_applicable,
    passed,
    version_check,
)
from runtime.auth_profiles import OAUTH2
from runtime.risk_tiers import RISK_TIERS, highest_tier, least_tier
from runtime.signatures import sign_execute
from runtime.signing_secrets import signing_secret

STALE_SECONDS = 3600
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _probe_target(case: Case) -> dict[str, Any] | None:
    """Return the capability to try forged calls on: one that only reads where there is one."""
    for modes in (READ_MODES, CALLED_MODES):
        for item in case.capabilities:
            if item["mode"] in modes and any(sample.is_ok for sample in case.samples_of(item)):
                return item
    return None


def _urls(case: Case) -> Iterator[tuple[str, str]]:
    yield "runtime_url", case.runtime_app.runtime_url
    if case.runtime_app.health_check_url:
        yield "health_check_url", case.runtime_app.health_check_url
    profile = case.runtime_app.auth_profile or {}
    for name, value in profile.get(profile.get("strategy"), {}).items():
        if name.endswith("_url") and value:
            yield name, value


@version_check("security", weight=3)
def transport_secure(case: Case) -> Finding:
    """Every call travels over HTTPS with a certificate that holds, loopback in development excepted."""
    for name, url in _urls(case):
        parts = urlsplit(url)
        is_local = parts.scheme == "http" and _is_admitted(url) and parts.hostname in {"127.0.0.1", "::1", "localhost"}
        if parts.scheme != "https" and not is_local:
            return failed(f"{name} is not https. Serve it over TLS.")
    samples = [sample for item in case.capabilities for sample in case.samples_of(item)]
    is_broken = any(detail.code == "tls" for sample in samples if sample.failure for detail in sample.failure.details)
    return judge(
        not is_broken, "Every address is secure.", "The TLS certificate is not valid for runtime_url. Renew it."
    )


@version_check("security", weight=2, is_blocking=True)
def addresses_public(case: Case) -> Finding:
    """No address of the app is private, by its text or by what it resolves to."""
    for name, url in _urls(case):
        if not _is_admitted(url):
            return failed(f"{name} is not an address that the platform may call. Use a public host.")
    samples = [sample for item in case.capabilities for sample in case.samples_of(item)]
    refused = any(detail.code == "refused" for sample in samples if sample.failure for detail in sample.failure.details)
    return judge(
        not refused, "Every address is public.", "runtime_url resolves to a private address. Use a public one."
    )


@version_check("security", weight=3)
def bad_signature_refused(case: Case) -> Finding:
    """A call with a wrong signature is refused."""
    target = _probe_target(case)
    if target is None:
        return _untried(case, "No capability answered, so a forged call could not be told from a good one.")
    sample = case.call(target, case.params_of(target)[0], signature="0" * 64, **_key_of(case, target, "forged"))
    return judge(
        sample.is_refused,
        "A forged call is refused.",
        "A call with a wrong X-Aiffinity-Signature was served. Verify it, and answer 401.",
    )


@version_check("security", weight=2)
def stale_call_refused(case: Case) -> Finding:
    """A call that was signed an hour ago is refused."""
    target = _probe_target(case)
    if target is None:
        return _untried(case, "No capability answered, so a stale call could not be told from a fresh one.")
    sample = case.call(
        target,
        case.params_of(target)[0],
        timestamp=int(time.time()) - STALE_SECONDS,
        **_key_of(case, target, "stale"),
    )
    return judge(
        sample.is_refused,
        "A stale call is refused.",
        "A call with an old X-Aiffinity-Timestamp was served. Refuse what is older than five minutes.",
    )


@version_check("security", weight=3, is_blocking=True)
def secrets_not_echoed(case: Case) -> Finding:
    """No answer holds a secret that the platform sent."""
    target = _probe_target(case)
    if target is None:
        return not_applicable("No capability answered.")
    canary = case.canary_of("credential")
    probe = case.call(
        target,
        case.params_of(target)[0],
        credentials={**(case.auth.test_fields or {}), "canary": canary},
        **_key_of(case, target, "canary"),
    )
    samples = [probe, *(sample for item in case.capabilities for sample in case.samples_of(item))]
    is_echoed = any(
        sample.response is not None and case.holds_secret(sample.response.body, canary) for sample in samples
    )
    return judge(not is_echoed, "No answer holds a secret.", "An answer holds a secret of the call. Leave it out.")


@version_check("security", weight=1)
def answers_signed(case: Case) -> Finding:
    """Answers carry a signature that proves who gave them."""
    target = _probe_target(case)
    if target is None:
        return not_applicable("No capability answered.")
    sample = next(sample for sample in case.samples_of(target) if sample.is_ok)
    headers = sample.response.headers if sample.response else {}
    timestamp, given = headers.get("X-Aiffinity-Timestamp", ""), headers.get("X-Aiffinity-Signature", "")
    is_signed = (
        sample.response is not None
        and timestamp.isascii()
        and timestamp.isdigit()
        and hmac.compare_digest(
            sign_execute(signing_secret(case.runtime_app), int(timestamp), sample.response.body).encode(),
            given.encode(),
        )
    )
    return judge(
        is_signed,
        "Answers are signed.",
        "Sign answers as calls are signed: X-Aiffinity-Timestamp and X-Aiffinity-Signature.",
    )


@version_check("security", weight=1)
def auth_profile_sane(case: Case) -> Finding:
    """The auth profile asks for PKCE, and its secret methods have a secret."""
    profile = case.runtime_app.auth_profile
    if profile is None:
        return not_applicable("The app has no auth profile.")
    if profile.get("strategy") != OAUTH2:
        return passed("The auth profile is complete.")
    has_pkce = profile[OAUTH2].get("pkce_required", True)
    return judge(has_pkce, "PKCE is required.", "Set pkce_required in the auth profile: the platform always uses PKCE.")


@version_check("security", weight=2)
def tier_fits_sensitivity(case: Case) -> Finding:
    """The version's risk tier covers its capabilities and the sensitivity of their data."""
    least = highest_tier(least_tier(item) for item in case.capabilities)
    tier = case.version.risk_tier
    return judge(
        RISK_TIERS.index(tier) >= RISK_TIERS.index(least),
        "The risk tier fits.",
        f"The capabilities need risk tier {least} at least; the version has {tier}.",
    )


def _untried(case: Case, reason: str) -> Finding:
    """Judge what could not be tried: a fault only where there was something to call."""
    is_called = any(item["mode"] in CALLED_MODES for item in case.capabilities)
    return failed(reason) if is_called else not_applicable("No capability of this package is called.")


def _key_of(case: Case, capability: dict[str, Any], purpose: str) -> dict[str, str]:
    if capability["mode"] != "action":
        return {}
    return {"idempotency_key": f"{case.idempotency_key(capability)}-{purpose}"}


def _is_admitted(url: str) -> bool:
    # The fields of a credential profile's address were judged when it was stored; here each stands for itself.
    names = _PLACEHOLDER.findall(url)
    try:
        if names:
            check_url_template(url, names, policy_from_settings())
        else:
            check_url(url, policy_from_settings())
    except UrlRefused:
        return False
    return True
