"""Accounts: sign-up, verification, forgotten passwords, login, refresh."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.views import EmptyBody, PlatformView
from providers import accounts
from providers.identity import SignedIn, identity_backend
from providers.password_resets import RESET_LIFE, request_password_reset, reset_password
from providers.permissions import IsAccountHolder
from providers.serializers import (
    AccountOut,
    AccountPatchBody,
    LoginBody,
    NewPasswordBody,
    PasswordResetBody,
    PasswordResetOut,
    RefreshBody,
    SignedInOut,
    SignUpBody,
    SignUpWithTokenBody,
    VerifyBody,
)
from providers.views.base import CallerView


class AccountView(CallerView):
    """The caller's account."""

    strict_limit = (20, 60)

    def get_permissions(self) -> list[BasePermission]:
        """Let anybody sign up."""
        return [AllowAny()] if self.request.method == "POST" else [IsAccountHolder()]

    @extend_schema(
        operation_id="createAccount",
        summary="Create a developer account",
        tags=["Account"],
        request=SignUpBody,
        responses={201: AccountOut},
        examples=[
            OpenApiExample(
                "Acme Weather",
                value={
                    "company_name": "Acme Weather",
                    "email": "dev@acmeweather.com",
                    "password": "a long and unusual one",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Sign up by mail address and password, or make an account for the ID token's user."""
        user = getattr(request.auth, "user", None)
        if user is not None and not (isinstance(request.data, Mapping) and "password" in request.data):
            account = accounts.register_account_for(user, **self.read(SignUpWithTokenBody))
        else:
            account = accounts.register_account(**self.read(SignUpBody))
        return Response(AccountOut(account).data, status=201)

    @extend_schema(operation_id="getAccount", summary="Retrieve your account", tags=["Account"], responses=AccountOut)
    def get(self, request: Request) -> Response:
        """Answer company, address and plan."""
        return Response(AccountOut(self.account).data)

    @extend_schema(
        operation_id="updateAccount",
        summary="Update your account",
        tags=["Account"],
        request=AccountPatchBody,
        responses=AccountOut,
    )
    def patch(self, request: Request) -> Response:
        """Change the given fields."""
        account = accounts.update_account(self.account, actor=self.actor, **self.read(AccountPatchBody))
        return Response(AccountOut(account).data)

    def current(self, request: Request, **kwargs: Any) -> Response:
        """Answer the account as it stands now: since the caller was looked up somebody else may have changed it."""
        self.account.refresh_from_db()
        return self.get(request)


class VerifyView(PlatformView):
    """The token from the verification mail."""

    permission_classes = [AllowAny]
    is_idempotent = False
    strict_limit = (30, 60)

    @extend_schema(
        operation_id="verifyAccount",
        summary="Verify your mail address",
        tags=["Account"],
        request=VerifyBody,
        responses=AccountOut,
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Use up the token."""
        return Response(AccountOut(accounts.verify_email(**self.read(VerifyBody))).data)


class ResendView(CallerView):
    """Another verification mail."""

    permission_classes = [IsAccountHolder]
    is_idempotent = False

    @extend_schema(
        operation_id="resendVerification",
        summary="Send the verification mail again",
        tags=["Account"],
        request=EmptyBody,
        responses=AccountOut,
    )
    def post(self, request: Request) -> Response:
        """Send it, at most once a minute."""
        self.read(EmptyBody)
        return Response(AccountOut(accounts.resend_verification(self.account)).data)


class PasswordResetView(PlatformView):
    """A mail for who forgot the password."""

    permission_classes = [AllowAny]
    is_idempotent = False
    strict_limit = (10, 60)

    @extend_schema(
        operation_id="requestPasswordReset",
        summary="Ask for a new password",
        tags=["Account"],
        request=PasswordResetBody,
        responses={202: PasswordResetOut},
        examples=[
            OpenApiExample("Acme Weather", value={"email": "dev@acmeweather.com"}, request_only=True),
            OpenApiExample("Whoever asks", value={"expires_in": 3600}, response_only=True, status_codes=["202"]),
        ],
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Mail a token, good once and for an hour, if somebody logs in with the address; the answer is always this."""
        request_password_reset(**self.read(PasswordResetBody))
        return Response({"expires_in": int(RESET_LIFE.total_seconds())}, status=202)


class PasswordResetConfirmView(PlatformView):
    """The token from the mail, with a new password."""

    permission_classes = [AllowAny]
    is_idempotent = False
    strict_limit = (30, 60)

    @extend_schema(
        operation_id="confirmPasswordReset",
        summary="Set a new password",
        tags=["Account"],
        request=NewPasswordBody,
        responses=AccountOut,
        examples=[
            OpenApiExample(
                "Acme Weather",
                value={"token": "mt_…", "password": "another long and unusual one"},
                request_only=True,
            )
        ],
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Use up the token and set the password; every login of before ends, and a lock of the login too."""
        return Response(AccountOut(reset_password(**self.read(NewPasswordBody))).data)


class LoginView(PlatformView):
    """Login by mail address and password."""

    permission_classes = [AllowAny]
    is_idempotent = False
    strict_limit = (30, 60)

    @extend_schema(
        operation_id="login",
        summary="Log in",
        tags=["Account"],
        request=LoginBody,
        responses=SignedInOut,
        examples=[
            OpenApiExample(
                "Acme Weather",
                value={"email": "dev@acmeweather.com", "password": "a long and unusual one"},
                request_only=True,
            )
        ],
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Answer an ID token and a refresh token."""
        return Response(render_signed_in(accounts.log_in(**self.read(LoginBody))))


class RefreshView(PlatformView):
    """Exchange of a refresh token."""

    permission_classes = [AllowAny]
    is_idempotent = False
    strict_limit = (60, 60)

    @extend_schema(
        operation_id="refreshToken",
        summary="Exchange a refresh token",
        tags=["Account"],
        request=RefreshBody,
        responses=SignedInOut,
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Answer a new pair; the old refresh token is used up."""
        return Response(render_signed_in(identity_backend().refresh(**self.read(RefreshBody))))


def render_signed_in(signed_in: SignedIn) -> dict[str, Any]:
    """Render a pair of tokens with the user's account."""
    account = getattr(signed_in.user, "account", None)
    return {
        "id_token": signed_in.id_token.reveal(),
        "refresh_token": signed_in.refresh_token.reveal(),
        "expires_in": signed_in.expires_in,
        "account": AccountOut(account).data if account else None,
    }
