"""`manage.py create_staff`: make a staff user, or add a group to one (spec 2 "Shapes")."""

from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError, CommandParser

from providers.models import User


class Command(BaseCommand):
    """Make a staff user in a reviewer group; a second call adds another group."""

    help = "Make a staff user in a group, or add a group to an existing one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take address, password and group."""
        parser.add_argument("--email", required=True)
        parser.add_argument("--password", help="Needed for a new user only.")
        parser.add_argument("--group", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Find or make the user and add the group."""
        group = Group.objects.filter(name=options["group"]).first()
        if group is None:
            known = ", ".join(Group.objects.order_by("name").values_list("name", flat=True))
            raise CommandError(f"--group: there is no group '{options['group']}'; known: {known}.")
        user = User.objects.filter(email=options["email"].strip().lower()).first()
        if user is None:
            if not options["password"]:
                raise CommandError("--password: a new user needs one.")
            user = User.objects.create_user(options["email"], options["password"], is_email_verified=True)
        user.is_staff = True
        user.save(update_fields=["is_staff"])
        user.groups.add(group)
        self.stdout.write(f"{user.email} is staff in: {', '.join(g.name for g in user.groups.all())}")
