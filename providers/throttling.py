"""Rate limits: against the app by its account's plan, the user or the address (spec 2 "Rate limits")."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from aiffinity.lib.client_address import client_address
from aiffinity.lib.errors import RateLimited
from aiffinity.lib.ratelimit import Limit, Verdict, limiter
from providers.authentication import Caller
from providers.models import Account, Plan

if TYPE_CHECKING:
    from rest_framework.views import APIView

CALLS_PER_MINUTE = {Plan.FREE: 100, Plan.PRO: 1_000, Plan.ENTERPRISE: 10_000}
USER_CALLS_PER_MINUTE = 300
ANONYMOUS_CALLS_PER_MINUTE = 100
PROVIDER_ROUTES = "/v1/providers/"


class PlanThrottle(BaseThrottle):
    """Counts every request once and leaves the three headers for the response."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the call, and against the view's own `strict_limit` by address; raises RateLimited (429)."""
        verdict = limiter.check(limit_for(request))
        request.rate_limit_headers = verdict.headers()  # type: ignore[attr-defined]
        require_allowed(verdict)
        strict: tuple[int, int] | None = getattr(view, "strict_limit", None)
        if strict is not None and request.method == "POST":
            key = f"strict:{type(view).__name__}:{client_address(request._request)}"
            require_allowed(
                limiter.check(Limit(key, strict[0] * settings.RATE_LIMIT_FACTOR, strict[1]), is_strict=True)
            )
        return True


def require_allowed(verdict: Verdict) -> None:
    """Raise RateLimited (429) with the headers of a refusal."""
    if not verdict.is_allowed:
        raise RateLimited(
            f"Too many requests; try again in {verdict.retry_after_seconds} s.", headers=verdict.headers()
        )


def limit_for(request: Request) -> Limit:
    """Choose what a request counts against; a user's calls never eat an app's plan."""
    caller = request.auth if isinstance(request.auth, Caller) else None
    if caller is None:
        return _limit(f"address:{client_address(request._request)}", ANONYMOUS_CALLS_PER_MINUTE)
    if caller.app is not None and caller.account is not None:
        return _limit(caller.key, plan_calls(caller.account))
    if caller.account is not None and request.path.startswith(PROVIDER_ROUTES):
        return _limit(f"account:{caller.account.pk}", plan_calls(caller.account))
    return _limit(caller.key, USER_CALLS_PER_MINUTE)


def plan_calls(account: Account) -> int:
    """Return an account's calls a minute: the override, else its plan's."""
    return account.calls_per_minute or CALLS_PER_MINUTE[Plan(account.plan_tier)]


def _limit(key: str, calls: int) -> Limit:
    return Limit(key, calls * settings.RATE_LIMIT_FACTOR)
