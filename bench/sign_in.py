"""Whether time tells who has an account: `python -m bench.sign_in` (spec 6 "enumeration")."""

import json
import sys
import time
from typing import Any

from bench.figures import Bar, p50, report
from bench.platforms import platform

PAIRS = 60
LIMIT_MS = 5
PASSWORD = "correct horse battery staple"  # noqa: S105  Of made-up accounts.
LOGIN = "/v1/providers/account/login"
RESET = "/v1/providers/account/password-reset"


def measure() -> list[Bar]:
    """Ask for addresses that have an account and for others in turn; compare answers and times."""
    from django.conf import settings

    from providers.accounts import register_account

    settings.RATE_LIMIT_FACTOR = 1000
    known = [f"known{number}@example.com" for number in range(PAIRS)]
    for address in known:
        register_account(company_name="Bench", email=address, password=PASSWORD)
    unknown = [address.replace("known", "nobody") for address in known]
    return [
        *compare("login", LOGIN, known, unknown, {"password": "not the password"}),
        *compare("password reset", RESET, known, unknown, {}),
    ]


def compare(what: str, path: str, known: list[str], unknown: list[str], rest: dict[str, str]) -> list[Bar]:
    """Measure one call for both kinds of addresses."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    answers = set()
    for pair in zip(known, unknown, strict=True):
        for is_known, address in zip((True, False), pair, strict=True):
            milliseconds, answer = call(path, {"email": address, **rest})
            taken[is_known].append(milliseconds)
            answers.add(answer)
    # Pairs follow one another, so that what else the machine does falls on both.
    difference = abs(p50([one - other for one, other in zip(taken[True], taken[False], strict=True)]))
    return [
        Bar(f"{what}: median where there is an account", p50(taken[True]), 1000, "ms"),
        Bar(f"{what}: median difference to where there is none", difference, LIMIT_MS, "ms"),
        Bar(f"{what}: kinds of answers", len(answers), 1, ""),
    ]


def call(path: str, body: dict[str, Any]) -> tuple[float, tuple[int, str]]:
    """Return how long a call took, in milliseconds, and its status and body without the request's id."""
    from django.test import Client

    began_at = time.perf_counter()
    response = Client().post(path, json.dumps(body), content_type="application/json")
    taken = (time.perf_counter() - began_at) * 1000
    content = response.json()
    for part in ("meta", "error"):
        content.get(part, {}).pop("requestId", None)
    return taken, (response.status_code, json.dumps(content, sort_keys=True))


def main() -> int:
    """Print the figures; the status is 1 when a bar is missed."""
    with platform():
        bars = measure()
    return report(f"Sign-in: {PAIRS} addresses with an account beside as many without", bars)


if __name__ == "__main__":
    sys.exit(main())
