"""What the views for users share."""

from typing import cast

from providers.models import User
from providers.permissions import IsUser
from providers.views.base import CallerView


class UserView(CallerView):
    """A view that admits users alone."""

    permission_classes = [IsUser]

    @property
    def user(self) -> User:
        """Return the user who calls."""
        return cast("User", self.caller.user)
