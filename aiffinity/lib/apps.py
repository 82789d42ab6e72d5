"""The library below all apps: it has tables of its own (idempotency, audit, mails) and imports no app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LibConfig(AppConfig):
    """Configuration of the library."""

    name = "aiffinity.lib"
    label = "lib"
    verbose_name = "Platform"

    def ready(self) -> None:
        """Fill the registries with what the library has of each, and hear what Celery's processes and migrate tell."""
        from celery import signals

        from aiffinity.lib import checks, deployment, expiry, startup, task_context
        from aiffinity.lib.doctor import registration
        from aiffinity.lib.models import OutgoingMail
        from aiffinity.lib.rewrapping import SealedColumn, sealed_columns

        checks.register_all()
        expiry.register_all()
        registration.register_all()
        sealed_columns.append(SealedColumn(OutgoingMail, "sealed_body", lambda mail: mail.pk))
        task_context.connect_all()
        post_migrate.connect(deployment.remember_environment, sender=self)
        signals.worker_init.connect(startup.refuse_misconfiguration)
        signals.beat_init.connect(startup.refuse_misconfiguration)
