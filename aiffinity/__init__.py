"""The Aiffinity provider platform: the project package."""

from aiffinity.celery import celery_app

__all__ = ["celery_app"]
