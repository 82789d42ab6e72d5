"""The outbox: events, one delivery per event and endpoint, and every attempt."""

from typing import Self

from django.db import models

from aiffinity.lib.ids import IdField
from providers.models import Account, App
from runtime.models.apps import RuntimeApp

DEFAULT_SIGNATURE_HEADER = "X-Aiffinity-Signature"
DEFAULT_RATE_LIMIT = 200


class WebhookEndpoint(models.Model):
    """An app's webhook profile; its URL is the app's `webhook_url`, its secret the app's signing secret.

    `failing_since` is the first failed attempt after the last success, and null while all is well: what fails
    gets fewer requests at a time, and an endpoint that fails for days is disabled. `warned_percent` says of which
    share of those days its people were told. Claims keep the pace in `paced_until`; `recent_outcomes` and
    `breaker_open_until` are the breaker's, all empty while every attempt succeeds.
    """

    runtime_app = models.OneToOneField(
        RuntimeApp, on_delete=models.PROTECT, primary_key=True, related_name="webhook_endpoint"
    )
    events = models.JSONField(help_text="Event types, `*` or groups such as `package.*`.")
    signature_header = models.CharField(max_length=80, default=DEFAULT_SIGNATURE_HEADER)
    timeout_ms = models.PositiveIntegerField(default=5000)
    max_retries = models.PositiveSmallIntegerField(default=18)
    initial_delay_ms = models.PositiveIntegerField(default=1000)
    max_delay_ms = models.PositiveIntegerField(default=14_400_000)
    max_elapsed_hours = models.PositiveSmallIntegerField(default=24)
    rate_limit_per_second = models.PositiveSmallIntegerField(default=DEFAULT_RATE_LIMIT)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=80, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True, help_text="Exact to the minute.")
    failing_since = models.DateTimeField(null=True, blank=True)
    warned_percent = models.PositiveSmallIntegerField(default=0)
    recent_outcomes = models.JSONField(default=list, blank=True)
    breaker_open_until = models.DateTimeField(null=True, blank=True)
    paced_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        permissions = [("operate_webhooks", "Can replay deliveries, recover and enable endpoints")]

    def __str__(self) -> str:
        return f"webhooks of {self.runtime_app_id}"


class Event(models.Model):
    """Something that happened, written in the transaction of what it tells; its body bytes are frozen."""

    id = IdField("evt")
    # The indexes below serve the foreign keys of these three tables too: each row is written several times.
    app = models.ForeignKey(App, on_delete=models.PROTECT, related_name="events", db_index=False)
    type = models.CharField(max_length=60)
    body = models.TextField(help_text="The exact JSON that every attempt sends, as UTF-8.")
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["app", "-created_at"], name="event_app_created")]

    def __str__(self) -> str:
        return f"{self.type} ({self.pk})"


class DeliveryStatus(models.TextChoices):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Queries on deliveries."""

    def for_account(self, account: Account) -> Self:
        """Return the deliveries of the account's apps: the only door to an owned one."""
        return self.filter(event__app__account=account, event__app__deleted_at=None)


class Delivery(models.Model):
    """One attempt series to send an event to one endpoint; the retry state lives here alone.

    While a worker holds it, `lease_until` is set and `next_attempt_at` equals it, so that one range of one
    index finds both what is due and what a dead worker left behind. `fence` grows with every claim, and a
    result counts only under the fence of its claim. A replay starts a new series: its retries are counted
    from `attempts_before_series`, its hours from `series_started_at`, its first attempt.
    """

    id = IdField("dlv")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    status = models.CharField(max_length=20, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts_made = models.PositiveIntegerField(default=0)
    attempts_before_series = models.PositiveIntegerField(default=0)
    series_started_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    last_status_code = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=200, blank=True)
    finished_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="delivery_unique_event_endpoint"),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=models.Q(status=DeliveryStatus.PENDING),
                name="delivery_due",
            ),
            models.Index(
                fields=["endpoint"],
                condition=models.Q(lease_until__isnull=False),
                name="delivery_leased",
            ),
            models.Index(fields=["endpoint", "-created_at"], name="delivery_endpoint_created"),
            models.Index(
                fields=["endpoint", "finished_at"],
                condition=models.Q(status=DeliveryStatus.FAILED),
                name="delivery_failed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.status}"


class DeliveryAttempt(models.Model):
    """One attempt: what was answered (the first 2 KiB), how long it took, or why nothing was."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    attempted_at = models.DateTimeField()
    status_code = models.PositiveSmallIntegerField(null=True)
    latency_ms = models.PositiveIntegerField()
    response_excerpt = models.TextField(blank=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="delivery_attempt_unique_number"),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} #{self.number}"
