"""Recoveries: wishes to send many deliveries once more, with how far each one is."""

from typing import Self

from django.db import models
from django.db.models import Q

from aiffinity.lib.ids import IdField
from providers.models import Account
from runtime.models.webhooks import WebhookEndpoint


class RecoveryKind(models.TextChoices):
    """Which deliveries are sent once more: by when they failed, or by when their events were posted."""

    FAILED = "failed"
    POSTED = "posted"
    POSTED_AND_FAILED = "posted_and_failed"


class RecoveryStatus(models.TextChoices):
    """Where a recovery stands."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"


class RecoveryQuerySet(models.QuerySet["Recovery"]):
    """Queries on recoveries."""

    def for_account(self, account: Account) -> Self:
        """Return the recoveries of the account's apps: the only door to an owned one."""
        return self.filter(endpoint__runtime_app__app__account=account, endpoint__runtime_app__app__deleted_at=None)


class Recovery(models.Model):
    """A wish to send an endpoint's deliveries once more, from `since` to `until`, both included.

    Workers walk through them batch by batch in the order of time, and came as far as `position_at`, null before the
    first batch. `count` is how many there were when it was asked for, null until very many are counted, and in
    the end how many were sent again. `updated_at` is when the last batch was done, and gives the next one its turn.
    """

    id = IdField("rcv")
    # The indexes below serve the foreign key too.
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="recoveries", db_index=False)
    kind = models.CharField(max_length=20, choices=RecoveryKind.choices)
    event_type = models.CharField(max_length=60, blank=True, help_text="Events of this type alone.")
    since = models.DateTimeField()
    until = models.DateTimeField()
    position_at = models.DateTimeField(null=True)
    count = models.PositiveIntegerField(null=True)
    resent_count = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=20, choices=RecoveryStatus.choices, default=RecoveryStatus.RUNNING)
    stop_reason = models.CharField(max_length=200, blank=True)
    requested_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = RecoveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "recoveries"
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "kind", "event_type", "since"],
                condition=Q(status=RecoveryStatus.RUNNING),
                name="recovery_one_running",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-created_at"], name="recovery_endpoint_created"),
            models.Index(fields=["updated_at"], condition=Q(status=RecoveryStatus.RUNNING), name="recovery_running"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.status}"

    def describe_count(self) -> str:
        """Say how many deliveries it is about, as far as they are counted."""
        return "Very many" if self.count is None else str(self.count)
