"""Figures of use for the packages room: how much a package is called, and how it does (spec 5 "Three doors")."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from capabilities.models import Install, Invocation, InvocationStatus
from packages.listing import set_calls_last_hour
from packages.models import Version

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def push_call_counts() -> None:
    """Push down how often each package was called in the last hour."""
    calls = Invocation.objects.filter(created_at__gte=timezone.now() - HOUR).order_by()
    by_version = dict(calls.values_list("version_id").annotate(calls=Count("pk")))
    packages = Version.objects.filter(pk__in=by_version).values_list("pk", "package_id")
    by_package: dict[str, int] = {}
    for version_id, package_id in packages:
        by_package[package_id] = by_package.get(package_id, 0) + by_version[version_id]
    set_calls_last_hour(by_package)


def usage_of(version: Version) -> dict[str, Any]:
    """Return what the review page's panel shows: installs, calls in the last hour, errors of the last day."""
    capability_ids = [item["capability_id"] for item in version.capabilities]
    calls = Invocation.objects.filter(capability_id__in=capability_ids)
    counts = calls.filter(created_at__gte=timezone.now() - DAY).aggregate(
        day=Count("pk"),
        hour=Count("pk", filter=Q(created_at__gte=timezone.now() - HOUR)),
        errors=Count("pk", filter=Q(status=InvocationStatus.ERROR)),
    )
    return {
        "installs": Install.objects.active().filter(package=version.package_id).count(),
        "installs_of_version": Install.objects.active().filter(version=version.pk).count(),
        "calls_last_hour": counts["hour"],
        "calls_last_day": counts["day"],
        "errors_last_day": counts["errors"],
        "error_rate_percent": round(100 * counts["errors"] / counts["day"], 1) if counts["day"] else None,
    }
