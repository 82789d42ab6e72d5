"""Periodic work of the capabilities room."""

from celery import shared_task

from capabilities import invocation_log


@shared_task
def purge_invocations() -> None:
    """Delete calls that are older than 30 days."""
    invocation_log.purge_invocations()
