"""Tables of the library: idempotency, audit log with its heads, queued mails, heartbeats, the environment."""

from django.db import models

from aiffinity.lib.ids import IdField


class IdempotencyRecord(models.Model):
    """The first answer to a POST with an Idempotency-Key, kept 24 hours per caller."""

    caller = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    locked_until = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "key"], name="idempotency_record_unique_key"),
        ]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"


class AuditEntry(models.Model):
    """One decision or transition: append-only, chained by hash per subject (spec 3, spec 6 "audit")."""

    id = IdField("aud")
    subject = models.CharField(max_length=40)
    sequence = models.PositiveIntegerField()
    action = models.CharField(max_length=60)
    actor = models.CharField(max_length=80)
    from_state = models.CharField(max_length=40, blank=True)
    to_state = models.CharField(max_length=40, blank=True)
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    content_hash = models.CharField(max_length=64, blank=True)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "audit entries"
        constraints = [
            models.UniqueConstraint(fields=["subject", "sequence"], name="audit_entry_unique_sequence"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} #{self.sequence} {self.action}"


class AuditHead(models.Model):
    """The newest audit entry of a subject; a trigger writes it, so that a chain that was cut short shows."""

    subject = models.CharField(max_length=40, primary_key=True)
    sequence = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.subject} #{self.sequence}"


class Deployment(models.Model):
    """The one row that remembers which environment this database belongs to (spec 1, decision 19)."""

    environment = models.CharField(max_length=20)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.environment


class Heartbeat(models.Model):
    """When a periodic process was last heard."""

    name = models.CharField(max_length=40, primary_key=True)
    heard_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class OutgoingMail(models.Model):
    """A mail that waits to be sent; the row goes once the mail server took it."""

    id = IdField("mail")
    to = models.EmailField()
    subject = models.CharField(max_length=200)
    sealed_body = models.TextField(help_text="Sealed JSON of `text` and `html`: mails carry tokens.")
    attempts_made = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.pk} to {self.to}"
