"""Periodic work of the capabilities room."""

from celery import shared_task

from capabilities import package_figures, updates


@shared_task
def follow_updates() -> None:
    """Take installs to newly listed versions that ask for nothing more."""
    updates.follow_updates()


@shared_task
def push_call_counts() -> None:
    """Tell the packages room how often packages are called."""
    package_figures.push_call_counts()
