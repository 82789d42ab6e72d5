"""Periodic work of the library."""

import logging

from celery import shared_task

from aiffinity.lib import heartbeats, mail_delivery
from aiffinity.lib.retention import purge_all

logger = logging.getLogger(__name__)


@shared_task
def purge_expired() -> None:
    """Delete everything whose time is over."""
    deleted = {purged.name: purged.deleted for purged in purge_all() if purged.deleted}
    if deleted:
        logger.info("purged", extra={"deleted": deleted})


@shared_task
def send_due_mails() -> None:
    """Send the mails that are due."""
    mail_delivery.send_due()


@shared_task
def note_heartbeat() -> None:
    """Write down that the beat, the broker and a worker work together."""
    heartbeats.note_heartbeat()
