"""Django application `packages`."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PackagesConfig(AppConfig):
    """Configuration of the app."""

    name = "packages"

    def ready(self) -> None:
        """Make the groups of staff after migrations, and tell runtime which templates versions hold."""
        from packages import descriptors, groups
        from runtime import templates

        post_migrate.connect(groups.ensure_groups, sender=self, dispatch_uid="packages.groups")
        templates.holders.append(descriptors.holder_of)
