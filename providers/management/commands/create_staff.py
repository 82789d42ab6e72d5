"""`manage.py create_staff`: make a staff user, or add a group to one (spec 2 "Shapes")."""

from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from providers.models import User


class Command(BaseCommand):
    """Make a staff user in a reviewer group; a second call adds another group."""

    help = "Make a staff user in a group, or add a group to an existing one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take address, password and group."""
        parser.add_argument("--email", required=True)
        parser.add_argument("--password", help="Needed for a user without one; a password that is set stays.")
        parser.add_argument("--group", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Find or make the user and add the group."""
        group = Group.objects.filter(name=options["group"]).first()
        if group is None:
            known = ", ".join(Group.objects.order_by("name").values_list("name", flat=True))
            raise CommandError(f"--group: there is no group '{options['group']}'; known: {known}.")
        with transaction.atomic():
            user = find_or_make_user(options["email"].strip().lower(), options["password"])
            user.is_staff = True
            user.save(update_fields=["is_staff"])
            user.groups.add(group)
        self.stdout.write(f"{user.email} is staff in: {', '.join(g.name for g in user.groups.all())}")


def find_or_make_user(email: str, password: str | None) -> User:
    """Return the user of an address who can sign in by password; raises CommandError for what is missing."""
    try:
        validate_email(email)
    except ValidationError:
        raise CommandError("--email: this is no mail address.") from None
    user = User.objects.filter(email=email).first() or User(email=email, is_email_verified=True)
    if not user.is_active:
        raise CommandError("--email: this user is deactivated and can't sign in; activate them first.")
    if not (user.password and user.has_usable_password()):
        if not password:
            raise CommandError("--password: a user without a password needs one.")
        user.set_password(password)
        user.identity_uid = user.identity_uid or user.pk
        user.save()
    return user
