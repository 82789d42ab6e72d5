"""The last good answer of a state capability, kept in PostgreSQL (spec 4 "Gateway").

A state belongs to an install, a capability, a version and the hash of the params: users never share one, and a
new version never sees the answers of an old contract.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from capabilities.models import CachedState, Install

MIN_TTL_SECONDS = 5
DEFAULT_REFRESH_INTERVAL_SECONDS = 900
USABLE_FOR = timedelta(hours=24)
PURGE_BATCH = 5_000


@dataclass(frozen=True)
class StateKey:
    """What a cached state and a single flight are keyed by."""

    install_id: str
    capability_id: str
    version_id: str
    params_hash: str


def fresh_state(key: StateKey) -> CachedState | None:
    """Return the kept state while its ttl lasts."""
    return _states(key).filter(expires_at__gt=timezone.now()).first()


def usable_state(key: StateKey) -> CachedState | None:
    """Return the kept state if it is younger than 24 hours, for the time in which the provider fails."""
    return _states(key).filter(fetched_at__gt=timezone.now() - USABLE_FOR).first()


def latest_state(install: Install, capability_id: str) -> CachedState | None:
    """Return the newest state of an install's capability whatever its params, if fresh or younger than 24 hours."""
    found = CachedState.objects.filter(
        _is_worth_keeping(timezone.now()), install=install, capability_id=capability_id, version_id=install.version_id
    )
    return found.order_by("-fetched_at").first()


def bounded_ttl(ttl: Any, refresh_interval_seconds: int | None) -> int:
    """Bound a provider's ttl, in seconds, by [5, twice the refresh interval]; without one the interval holds."""
    interval = refresh_interval_seconds or DEFAULT_REFRESH_INTERVAL_SECONDS
    wanted = interval if isinstance(ttl, bool) or not isinstance(ttl, int | float) else int(ttl)
    return max(MIN_TTL_SECONDS, min(wanted, 2 * interval))


def keep_state(
    key: StateKey, data: Any, *, ttl_seconds: int, invocation_id: str, may_keep: Callable[[], bool] = lambda: True
) -> CachedState:
    """Keep an answer from now on and return it; an install that is gone meanwhile keeps nothing.

    The install is locked, so that a slow answer can't bring back what uninstalling or disconnecting deleted;
    `may_keep` is asked under that lock.
    """
    now = timezone.now()
    state = CachedState(
        install_id=key.install_id,
        capability_id=key.capability_id,
        version_id=key.version_id,
        params_hash=key.params_hash,
        invocation_id=invocation_id,
        data=data,
        ttl_seconds=ttl_seconds,
        fetched_at=now,
        expires_at=now + timedelta(seconds=ttl_seconds),
    )
    with transaction.atomic():
        installs = Install.objects.active().select_for_update(no_key=True).filter(pk=key.install_id)
        if installs.values_list("pk", flat=True).first() is not None and may_keep():
            CachedState.objects.bulk_create(
                [state],
                update_conflicts=True,
                unique_fields=["install", "capability_id", "version", "params_hash"],
                update_fields=["invocation_id", "data", "ttl_seconds", "fetched_at", "expires_at"],
            )
    return state


def forget_states(install: Install) -> None:
    """Delete every cached state of an install."""
    CachedState.objects.filter(install=install).delete()


def purge_states(now: datetime) -> int:
    """Delete what can't be served any more, in small batches, and return how many states there were."""
    deleted = 0
    while True:
        batch = CachedState.objects.exclude(_is_worth_keeping(now)).order_by("expires_at").values("pk")[:PURGE_BATCH]
        count, _ = CachedState.objects.filter(pk__in=batch).delete()
        deleted += count
        if count < PURGE_BATCH:
            return deleted


def _is_worth_keeping(now: datetime) -> Q:
    return Q(expires_at__gt=now) | Q(fetched_at__gt=now - USABLE_FOR)


def _states(key: StateKey) -> QuerySet[CachedState]:
    return CachedState.objects.filter(
        install_id=key.install_id,
        capability_id=key.capability_id,
        version_id=key.version_id,
        params_hash=key.params_hash,
    )
