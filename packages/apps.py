"""Django application `packages`."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PackagesConfig(AppConfig):
    """Configuration of the app."""

    name = "packages"

    def ready(self) -> None:
        """Make the groups of staff after migrations, tell runtime which templates versions hold, and what expires."""
        from aiffinity.lib.doctor import register_examination
        from aiffinity.lib.generated_docs import generated_docs
        from aiffinity.lib.retention import register_retention
        from packages import descriptors, generated_pages, groups, policy_reasons
        from packages.examinations import examine_validations
        from packages.run_retention import purge_run_details
        from runtime import templates

        post_migrate.connect(groups.ensure_groups, sender=self, dispatch_uid="packages.groups")
        post_migrate.connect(policy_reasons.ensure_policy_texts, sender=self, dispatch_uid="packages.policy_reasons")
        register_examination("validations", examine_validations)
        register_retention("details of validation runs", purge_run_details)
        templates.holders.append(descriptors.holder_of)
        generated_docs["conformance.md"] = generated_pages.render_conformance
        generated_docs["version-states.md"] = generated_pages.render_states
