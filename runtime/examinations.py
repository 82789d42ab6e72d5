"""What `manage.py doctor` asks of the room: are checks, deliveries and the like on time, and how are the apps."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DateTimeField, DurationField, ExpressionWrapper, F, Min, Q, QuerySet, Value
from django.utils import timezone

from aiffinity.lib.doctor import Finding, Severity, grade, in_words, overdue
from runtime.deliveries.claims import IN_FLIGHT_PER_ENDPOINT
from runtime.models import (
    Connection,
    Delivery,
    DeliveryStatus,
    HealthStatus,
    Recovery,
    RecoveryStatus,
    RuntimeApp,
    WebhookEndpoint,
)

HEALTH_WARNING, HEALTH_FAULT = timedelta(seconds=30), timedelta(minutes=3)
DELIVERY_WARNING, DELIVERY_FAULT = timedelta(minutes=2), timedelta(minutes=10)
RECOVERY_WARNING, RECOVERY_FAULT = timedelta(minutes=1), timedelta(minutes=10)
CONNECTION_WARNING, CONNECTION_FAULT = timedelta(minutes=5), timedelta(minutes=30)
FAILING_FOR = timedelta(hours=1)
# A few providers are always down; many at once point at ourselves.
# A bucket that is emptied as it fills is spoken for so long, its next drop included; places that are taken over and
# over are half taken at any moment.
BUCKET_SPENT, PLACES_TAKEN = timedelta(milliseconds=700), IN_FLIGHT_PER_ENDPOINT // 2
MANY_SHARE, MANY_AT_LEAST = 0.2, 3
LOOK_AT_WORKERS = "See that a worker and the beat run, and look into the worker's log."


def examine_health_checks() -> Iterator[Finding]:
    """Find health checks that are late."""
    late_by = _late_by(RuntimeApp.objects.checked_for_health().aggregate(due_at=Min("next_health_check_at")))
    severity = grade(late_by, warn_after=HEALTH_WARNING, fault_after=HEALTH_FAULT)
    if severity is not None:
        yield Finding(
            "health_checks_late",
            severity,
            f"The longest overdue health check should have run {in_words(late_by)} ago.",
            "Broken providers go unnoticed, and mended ones stay suspended.",
            f"{LOOK_AT_WORKERS} manage.py run_health_checks does it by hand.",
        )


def examine_apps() -> Iterator[Finding]:
    """Find degraded apps; many of them are a fault of our own network more likely than of so many providers."""
    checked = RuntimeApp.objects.checked_for_health().filter(app__deleted_at=None)
    counts = checked.aggregate(all=Count("pk"), degraded=Count("pk", filter=Q(health_status=HealthStatus.DEGRADED)))
    degraded, total = counts["degraded"], counts["all"]
    if not degraded:
        return
    is_many = degraded >= MANY_AT_LEAST and degraded >= MANY_SHARE * total
    yield Finding(
        "apps_degraded",
        Severity.WARNING if is_many else Severity.NOTE,
        f"{degraded} of {total} apps fail their health checks.",
        "Their capabilities are answered 503.",
        "Check this host's own way out (DNS, proxy, firewall), as so many providers rarely fail at once."
        if is_many
        else "Nothing: their providers get events, and the first success restores them.",
    )


def examine_deliveries() -> Iterator[Finding]:
    """Find deliveries that are late although nothing is wrong with their endpoint."""
    now = timezone.now()
    waiting = Delivery.objects.filter(status=DeliveryStatus.PENDING, next_attempt_at__lt=now)
    free = waiting.filter(Q(endpoint__breaker_open_until=None) | Q(endpoint__breaker_open_until__lt=now))
    late_by = _late_by(
        free.filter(endpoint__disabled_at=None, endpoint__failing_since=None)
        .exclude(endpoint__in=_limited(now))
        .exclude(endpoint__in=_occupied(now))
        .aggregate(due_at=Min("next_attempt_at"))
    )
    severity = grade(late_by, warn_after=DELIVERY_WARNING, fault_after=DELIVERY_FAULT)
    if severity is not None:
        yield Finding(
            "deliveries_late",
            severity,
            f"{waiting.count()} webhook deliveries are due; the longest waits for {in_words(late_by)}.",
            "Providers learn of what happened too late. Nothing is lost.",
            f"{LOOK_AT_WORKERS} Start more workers if they are busy.",
        )


def _limited(now: datetime) -> QuerySet[WebhookEndpoint]:
    """Return the endpoints whose own rate limit is what their deliveries wait for, as claims keep it (`claims`)."""
    drop = ExpressionWrapper(Value(timedelta(seconds=1)) / F("rate_limit_per_second"), output_field=DurationField())
    spent_until = ExpressionWrapper(F("paced_until") + drop, output_field=DateTimeField())
    return WebhookEndpoint.objects.alias(spent_until=spent_until).filter(spent_until__gt=now + BUCKET_SPENT)


def _occupied(now: datetime) -> QuerySet[Delivery, Any]:
    """Return the endpoints that take so long to answer that their places in flight are taken."""
    held = Delivery.objects.filter(lease_until__gt=now).values("endpoint")
    return held.annotate(places=Count("pk")).filter(places__gte=PLACES_TAKEN).values("endpoint")


def examine_recoveries() -> Iterator[Finding]:
    """Find recoveries that get no further."""
    running = Recovery.objects.filter(status=RecoveryStatus.RUNNING)
    late_by = _late_by(running.aggregate(due_at=Min("updated_at")))
    severity = grade(late_by, warn_after=RECOVERY_WARNING, fault_after=RECOVERY_FAULT)
    if severity is not None:
        yield Finding(
            "recoveries_late",
            severity,
            f"{running.count()} webhook recoveries are running; one has got no further for {in_words(late_by)}.",
            "What providers want sent again stays failed. Nothing is lost.",
            LOOK_AT_WORKERS,
        )


def examine_endpoints() -> Iterator[Finding]:
    """Find endpoints that are disabled or fail."""
    live = WebhookEndpoint.objects.filter(runtime_app__app__deleted_at=None)
    failing_before = timezone.now() - FAILING_FOR
    counts = live.aggregate(
        disabled=Count("pk", filter=Q(disabled_at__isnull=False)),
        failing=Count("pk", filter=Q(disabled_at=None, failing_since__lt=failing_before)),
    )
    if counts["disabled"]:
        yield Finding(
            "endpoints_disabled",
            Severity.NOTE,
            f"{counts['disabled']} webhook endpoints are disabled.",
            "Their providers get no events; they were told by mail.",
            "Look at them in the staff console; a provider enables one again by putting the webhook profile.",
        )
    if counts["failing"]:
        yield Finding(
            "endpoints_failing",
            Severity.NOTE,
            f"{counts['failing']} webhook endpoints have failed for more than {in_words(FAILING_FOR)}.",
            "They are disabled after three days without a success.",
            "Nothing, unless there are many: then check this host's own way out.",
        )


def examine_connections() -> Iterator[Finding]:
    """Find users' connections whose refresh or revocation is late."""
    late_by = _late_by(Connection.objects.aggregate(due_at=Min("next_attempt_at")))
    severity = grade(late_by, warn_after=CONNECTION_WARNING, fault_after=CONNECTION_FAULT)
    if severity is not None:
        yield Finding(
            "connections_late",
            severity,
            f"The refresh or revocation of a user's connection is {in_words(late_by)} overdue.",
            "Access tokens expire, and users have to connect again; what was uninstalled keeps its access for longer.",
            LOOK_AT_WORKERS,
        )


def _late_by(found: dict[str, datetime | None]) -> timedelta:
    return overdue(found["due_at"])
