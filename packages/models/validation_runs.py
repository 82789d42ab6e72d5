"""Runs of the conformance suite."""

from django.db import models
from django.db.models import Q

from aiffinity.lib.ids import IdField
from packages.models.choices import RunState
from packages.models.packages import Version


class ValidationRun(models.Model):
    """One run of the conformance suite over a version's content."""

    id = IdField("run")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="validation_runs")
    state = models.CharField(max_length=20, choices=RunState.choices, default=RunState.QUEUED)
    content_hash = models.CharField(max_length=64)
    score = models.FloatField(null=True)
    dimensions = models.JSONField(default=dict)
    checks = models.JSONField(default=list)
    checks_done = models.PositiveSmallIntegerField(default=0)
    checks_total = models.PositiveSmallIntegerField(default=0)
    attempts_made = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(state__in=["queued", "running"]),
                name="validation_run_one_open_per_version",
            ),
        ]
        indexes = [models.Index(fields=["version", "-created_at"], name="validation_run_version_created")]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"
