"""Paths of the runtime room, below /v1/providers/runtime/."""

from django.urls import URLPattern, URLResolver, include, path

from runtime.views.apps import RotateSecretView, RuntimeAppListView, RuntimeAppView
from runtime.views.deliveries import delivery_urls
from runtime.views.health import HealthCheckListView, HealthView
from runtime.views.profiles import AuthProfileView, CredentialSecretView, WebhookProfileView
from runtime.views.secrets import SecretListView, SecretView
from runtime.views.templates import TemplateListView, TemplateView, UpsertTemplateView

urlpatterns: list[URLPattern | URLResolver] = [
    path("apps", RuntimeAppListView.as_view()),
    path("apps/<str:app_id>", RuntimeAppView.as_view()),
    path("apps/<str:app_id>/rotate-secret", RotateSecretView.as_view()),
    path("apps/<str:app_id>/auth-profile", AuthProfileView.as_view()),
    path("apps/<str:app_id>/auth", AuthProfileView.as_view()),
    path("apps/<str:app_id>/capability-template", UpsertTemplateView.as_view()),
    path("apps/<str:app_id>/capabilities", TemplateListView.as_view()),
    path("apps/<str:app_id>/capabilities/<str:name>", TemplateView.as_view()),
    path("apps/<str:app_id>/webhook-profile", WebhookProfileView.as_view()),
    path("apps/<str:app_id>/webhooks", WebhookProfileView.as_view()),
    path("apps/<str:app_id>/credential-secret", CredentialSecretView.as_view()),
    path("apps/<str:app_id>/secrets", SecretListView.as_view()),
    path("apps/<str:app_id>/secrets/<str:key>", SecretView.as_view()),
    path("apps/<str:app_id>/health", HealthView.as_view()),
    path("apps/<str:app_id>/health/checks", HealthCheckListView.as_view()),
    path("apps/", include(delivery_urls)),
]
