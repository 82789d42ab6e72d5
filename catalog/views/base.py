"""What the views for users share."""

from typing import Any, cast

from rest_framework.permissions import AllowAny

from aiffinity.lib.views import PlatformView
from providers.models import User
from providers.permissions import IsUser
from providers.views.base import CallerView

# Spec 4 "Catalog": short public caching.
PUBLIC_MAX_AGE_SECONDS = 30


class PublicView(PlatformView):
    """A view of the catalog that needs no token; caches on the way may keep what it answers without one."""

    permission_classes: list[Any] = [AllowAny]
    public_max_age_seconds = PUBLIC_MAX_AGE_SECONDS


class UserView(CallerView):
    """A view that admits users alone."""

    permission_classes = [IsUser]

    @property
    def user(self) -> User:
        """Return the user who calls."""
        return cast("User", self.caller.user)
