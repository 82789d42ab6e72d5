"""Which kinds of callers a view admits; each raises the error that says what to send instead."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from aiffinity.lib.errors import AccountSuspended, EmailNotVerified, PermissionDenied, Unauthenticated
from aiffinity.lib.openapi_components import SECURITY_ACCESS_TOKEN, SECURITY_ID_TOKEN
from providers.authentication import Caller
from providers.scopes import required_scope

if TYPE_CHECKING:
    from rest_framework.views import APIView


def _caller(request: Request) -> Caller:
    if not isinstance(request.auth, Caller):
        raise Unauthenticated
    if request.auth.account is not None and request.auth.account.is_suspended:
        raise AccountSuspended
    return request.auth


def _check_scope(request: Request, caller: Caller) -> None:
    scope = required_scope(request.path, str(request.method))
    if caller.app is not None and scope is not None and scope not in caller.scopes:
        raise PermissionDenied(f"The access token lacks the scope '{scope}'.")


class IsUser(BasePermission):
    """Admits any user's ID token."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Raise 401 without a token, 403 for an app's."""
        if _caller(request).user is None:
            raise PermissionDenied("This call needs a user's ID token, not an app's access token.")
        return True


class IsAccountHolder(IsUser):
    """Admits the ID token of a user who has a provider account."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Raise 403 for a user without an account."""
        super().has_permission(request, view)
        if _caller(request).account is None:
            raise PermissionDenied("Create a provider account first: POST /v1/providers/account.")
        return True


class IsVerifiedAccountHolder(IsAccountHolder):
    """Admits an account holder whose mail address is verified."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Raise EMAIL_NOT_VERIFIED (403) on calls that change something."""
        super().has_permission(request, view)
        account = _caller(request).account
        if request.method != "GET" and account is not None and account.email_verified_at is None:
            raise EmailNotVerified
        return True


class IsAccountOrApp(BasePermission):
    """Admits an account holder's ID token or an access token of any app of the account (decision 10)."""

    openapi_schemes = (SECURITY_ID_TOKEN, SECURITY_ACCESS_TOKEN)

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Raise 403 for a user without an account and for a token without the scope."""
        caller = _caller(request)
        if caller.account is None:
            raise PermissionDenied("This call needs a provider account's token.")
        _check_scope(request, caller)
        return True


class IsUserOrAccountOrApp(BasePermission):
    """Admits any user's ID token and any app's access token."""

    openapi_schemes = (SECURITY_ID_TOKEN, SECURITY_ACCESS_TOKEN)

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Raise 403 for an access token without the scope."""
        _check_scope(request, _caller(request))
        return True
