"""Periodic work of the library."""

from celery import shared_task
from django.utils import timezone

from aiffinity.lib import mail_delivery
from aiffinity.lib.models import IdempotencyRecord


@shared_task
def purge_expired() -> None:
    """Delete idempotency records that are past their 24 hours."""
    IdempotencyRecord.objects.filter(expires_at__lt=timezone.now()).delete()


@shared_task
def send_due_mails() -> None:
    """Send the mails that are due."""
    mail_delivery.send_due()
