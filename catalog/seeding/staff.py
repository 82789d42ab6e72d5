"""The reviewers and the curator in whose names made-up cases were decided."""

from dataclasses import dataclass
from random import Random

from django.contrib.auth.models import Group

from packages.groups import ensure_groups
from packages.reviewing.approvers import ANY, ARCHITECTURE, SECURITY, TIER_SLOTS
from providers.models import User

# They have no password; `create_staff` can give them one.
_STAFF = {
    "reviewer": ("ada.reviewer@staff.example", "bo.reviewer@staff.example", "cleo.reviewer@staff.example"),
    "security_reviewer": ("dana.security@staff.example", "eli.security@staff.example"),
    "architecture_reviewer": ("fay.architecture@staff.example",),
    "curator": ("gus.curator@staff.example",),
}


@dataclass(frozen=True)
class Staff:
    """Who decides, by what their approval counts as."""

    by_slot: dict[str, list[User]]
    curator: User

    def approvers(self, rng: Random, tier: str) -> list[tuple[User, str]]:
        """Return whose approvals a tier needs, each with what it counts as."""
        return [(rng.choice(self.by_slot[slot]), slot) for slot in TIER_SLOTS[tier]]


def find_or_make_staff() -> Staff:
    """Return the staff, making who is missing."""
    ensure_groups()
    users = {group: [_member(email, group) for email in emails] for group, emails in _STAFF.items()}
    by_slot = {
        ANY: users["reviewer"],
        SECURITY: users["security_reviewer"],
        ARCHITECTURE: users["architecture_reviewer"],
    }
    return Staff(by_slot, users["curator"][0])


def _member(email: str, group: str) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, None, is_staff=True, is_email_verified=True)
    user.groups.add(Group.objects.get(name=group))
    return user
