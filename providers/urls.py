"""Paths of the providers room."""

from django.urls import URLPattern, URLResolver, path

from providers.views.accounts import (
    AccountView,
    LoginView,
    PasswordResetConfirmView,
    PasswordResetView,
    RefreshView,
    ResendView,
    VerifyView,
)
from providers.views.apps import AppListView, AppView
from providers.views.oauth import IntrospectView, JwksView, MetadataView, RevokeView, TokenView

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/providers/account", AccountView.as_view()),
    path("v1/providers/account/verify", VerifyView.as_view()),
    path("v1/providers/account/verify/resend", ResendView.as_view()),
    path("v1/providers/account/password-reset", PasswordResetView.as_view()),
    path("v1/providers/account/password-reset/confirm", PasswordResetConfirmView.as_view()),
    path("v1/providers/account/login", LoginView.as_view()),
    path("v1/providers/account/token/refresh", RefreshView.as_view()),
    path("v1/providers/apps", AppListView.as_view()),
    path("v1/providers/apps/<str:app_id>", AppView.as_view()),
    path("v1/providers/auth/token", TokenView.as_view()),
    path("v1/providers/auth/revoke", RevokeView.as_view()),
    path("v1/providers/auth/introspect", IntrospectView.as_view()),
    path(".well-known/jwks.json", JwksView.as_view()),
    path(".well-known/oauth-authorization-server", MetadataView.as_view()),
]
