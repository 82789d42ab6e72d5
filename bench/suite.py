"""The conformance suite against Acme Weather in a process of its own: `python -m bench.suite`."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from bench.figures import Bar, p50, report
from bench.platforms import end, platform, start

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # noqa: S105 - The provider's and nobody else's.
RUNS = 5
LIMIT_MS = 10_000
LEAST_SCORE = 80


@contextlib.contextmanager
def acme_weather() -> Iterator[str]:
    """Run the provider; yields its base URL."""
    process = start(
        ("examples.acme_weather", "--signing-secret", SECRET), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield str(json.loads(process.stdout.readline())["url"])
    finally:
        end(process)


def make_version(url: str) -> Any:
    """Make a package of the documents' five capabilities and return its version."""
    from django.utils import timezone

    from examples.demo import bodies
    from packages.guards import Attempt, Role
    from packages.models import Version
    from packages.publishing import create_package
    from providers.models import Account, User
    from runtime.registration import register_runtime_app
    from runtime.signing_secrets import set_signing_secret

    owner = User.objects.create_user("bench@example.com")
    account = Account.objects.create(
        owner=owner, company_name="Acme Weather", email=owner.email or "", email_verified_at=timezone.now()
    )
    fields = {name: value for name, value in bodies.runtime_registration("", url).items() if name != "app_id"}
    runtime_app = register_runtime_app(account, actor="bench", fields=fields).runtime_app
    set_signing_secret(runtime_app, actor="bench", value=SECRET)
    listing = {
        "app_id": runtime_app.pk,
        "name": "Acme Weather",
        "slug": "acme-weather",
        "description": "Current conditions and forecasts for any place.",
        "category": "weather",
        "keywords": ["rain"],
        "risk_tier": "action_capable",
        "capabilities": list(bodies.TEMPLATES),
    }
    package = create_package(account, Attempt(actor="bench", role=Role.PROVIDER, user=owner), listing)
    return Version.objects.get(package=package)


def validate_once(version: Any) -> tuple[float, Any]:
    """Take one run through the suite as a worker does; returns its milliseconds and the run."""
    from packages.conformance.runner import run_validation
    from packages.models import ValidationRun

    run = ValidationRun.objects.create(version=version, content_hash=version.content_hash)
    began_at = time.perf_counter()
    run_validation(run.pk)
    taken_ms = (time.perf_counter() - began_at) * 1000
    run.refresh_from_db()
    return taken_ms, run


def main() -> int:
    """Print the figures; the status is 1 when a bar is missed."""
    with platform(), acme_weather() as url:
        version = make_version(url)
        results = [validate_once(version) for _ in range(RUNS)]
    taken = [each for each, _ in results]
    run = results[-1][1]
    bars = [
        Bar("median of a run", p50(taken), LIMIT_MS, "ms"),
        Bar("slowest run", max(taken), LIMIT_MS, "ms"),
        Bar("lowest score", min(each.score or 0 for _, each in results), LEAST_SCORE, "of 100", is_floor=True),
    ]
    title = f"Conformance suite: {len(version.capabilities)} capabilities, {len(run.checks)} findings, {RUNS} runs"
    return report(title, bars)


if __name__ == "__main__":
    sys.exit(main())
