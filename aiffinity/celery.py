"""The Celery application: workers are woken and supervised by it; the database holds what is due."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aiffinity.settings")

celery_app = Celery("aiffinity")
celery_app.config_from_object("django.conf:settings", namespace="CELERY")
celery_app.autodiscover_tasks()
