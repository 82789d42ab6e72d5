"""What the views for users share."""

from typing import cast

from capabilities.views.base import CallerView
from providers.models import User
from providers.permissions import IsUser


class UserView(CallerView):
    """A view that admits users alone."""

    permission_classes = [IsUser]

    @property
    def user(self) -> User:
        """Return the user who calls."""
        return cast("User", self.caller.user)
