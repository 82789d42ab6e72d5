"""The login of the staff console, closed for 15 minutes after ten failures (spec 6 "admin")."""

import math
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from aiffinity.lib.client_address import client_address
from aiffinity.lib.crypto import hash_token
from aiffinity.lib.ratelimit import Limit, limiter

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as UnfoldLoginForm
else:
    from unfold.forms import AuthenticationForm as UnfoldLoginForm

MAX_FAILURES = 10
WINDOW_SECONDS = 15 * 60


class LimitedLoginForm(UnfoldLoginForm):
    """Counts attempts against the address and against the identity before the password is looked at."""

    def clean(self) -> dict[str, Any]:
        """Refuse a locked address or identity; a good password gives both their attempt back."""
        limits = self._limits()
        waits = [
            verdict.retry_after_seconds
            for verdict in [limiter.check(limit, is_strict=True) for limit in limits]
            if not verdict.is_allowed
        ]
        if waits:
            minutes = math.ceil(max(waits) / 60)
            raise ValidationError(f"Too many failed logins. Try again in {minutes} min.", code="locked")
        cleaned: dict[str, Any] = super().clean()
        for limit in limits:
            limiter.forget(limit)
        return cleaned

    def _limits(self) -> list[Limit]:
        identity = str(self.cleaned_data.get("username", "")).strip().lower()
        address = client_address(self.request) if self.request else "unknown"
        return [
            Limit(f"staff-login:address:{address}", MAX_FAILURES, WINDOW_SECONDS),
            Limit(f"staff-login:identity:{hash_token(identity)}", MAX_FAILURES, WINDOW_SECONDS),
        ]
