"""`manage.py create_staff` makes staff users and adds groups."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from providers.models import User

pytestmark = pytest.mark.django_db

EMAIL = "reviewer@aiffinity.me"


def create_staff(**options):
    output = StringIO()
    call_command("create_staff", stdout=output, **{"email": EMAIL, "group": "reviewer", **options})
    return output.getvalue()


def test_a_second_call_adds_a_group_and_keeps_the_password():
    create_staff(password="correct horse battery")
    said = create_staff(email="Reviewer@Aiffinity.me", password="another one", group="ops")

    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.email) == (True, False, EMAIL)
    assert set(user.groups.values_list("name", flat=True)) == {"reviewer", "ops"}
    assert user.check_password("correct horse battery")
    assert said.startswith(f"{EMAIL} is staff in: ")


@pytest.mark.parametrize("group", ["reviewer", "security_reviewer", "architecture_reviewer", "curator", "ops"])
def test_every_group_of_staff_is_there_after_migrations(group):
    create_staff(password="correct horse battery", group=group)
    assert [each.name for each in User.objects.get().groups.all()] == [group]


def test_a_user_without_a_password_becomes_staff_with_the_given_one():
    user = User.objects.create_user(EMAIL)
    create_staff(password="correct horse battery")
    user.refresh_from_db()
    assert user.is_staff
    assert user.check_password("correct horse battery")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"group": "nobody", "password": "x"}, "--group: there is no group 'nobody'"),
        ({"email": "nobody", "password": "x"}, "--email: "),
        ({}, "--password: "),
    ],
)
def test_what_is_wrong_is_named_and_nobody_is_made(options, said):
    with pytest.raises(CommandError) as refused:
        create_staff(**options)
    assert str(refused.value).startswith(said)
    assert not User.objects.exists()


def test_a_deactivated_user_becomes_no_staff():
    user = User.objects.create_user(EMAIL, is_active=False)
    with pytest.raises(CommandError, match="deactivated"):
        create_staff(password="correct horse battery")
    user.refresh_from_db()
    assert (user.is_staff, user.has_usable_password(), user.groups.count()) == (False, False, 0)
