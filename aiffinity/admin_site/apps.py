"""The configuration that puts the platform's admin site in the place of Django's."""

from django.contrib.admin.apps import AdminConfig


class StaffConsoleConfig(AdminConfig):
    """Django's admin with the platform's own site."""

    default_site = "aiffinity.admin_site.site.StaffSite"
