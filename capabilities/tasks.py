"""Periodic work of the capabilities room."""

from celery import shared_task

from capabilities import cached_states, invocation_log, package_figures, updates


@shared_task
def purge_invocations() -> None:
    """Delete calls that are older than 30 days."""
    invocation_log.purge_invocations()


@shared_task
def purge_states() -> None:
    """Delete cached states that can't be served any more."""
    cached_states.purge_states()


@shared_task
def follow_updates() -> None:
    """Take installs to newly listed versions that ask for nothing more."""
    updates.follow_updates()


@shared_task
def push_call_counts() -> None:
    """Tell the packages room how often packages are called."""
    package_figures.push_call_counts()
