"""Paths of the catalog room, below /v1."""

from django.urls import URLPattern, URLResolver, path

from catalog.views.browse import (
    CatalogView,
    CategoryListView,
    InstallabilityView,
    MarketplacePackageView,
    MarketplaceView,
    PackageView,
)
from catalog.views.connection_page import ConnectionCallbackView
from catalog.views.connections import CompleteConnectionView, InstallConnectionView
from catalog.views.installs import InstallListView, InstallSettingsView, InstallView

urlpatterns: list[URLPattern | URLResolver] = [
    path("providers/packages/catalog", CatalogView.as_view()),
    path("providers/packages/<str:id_or_slug>", PackageView.as_view()),
    path("providers/packages/<str:id_or_slug>/installability", InstallabilityView.as_view()),
    path("providers/packages/<str:id_or_slug>/install", InstallView.as_view()),
    path("space/marketplace", MarketplaceView.as_view()),
    path("space/marketplace/<str:id_or_slug>", MarketplacePackageView.as_view()),
    path("space/marketplace/<str:id_or_slug>/install", InstallView.as_view()),
    path("space/installs", InstallListView.as_view()),
    path("space/installs/<str:install_id>", InstallSettingsView.as_view()),
    path("space/installs/<str:install_id>/connection", InstallConnectionView.as_view()),
    path("space/installs/<str:install_id>/connection/complete", CompleteConnectionView.as_view()),
    path("space/connections/callback/<str:app_id>", ConnectionCallbackView.as_view()),
    # No visit that the platform began ends here, so nothing is handed on.
    path("space/connections/callback", ConnectionCallbackView.as_view(schema=None), {"app_id": ""}),
    path("space/categories", CategoryListView.as_view()),
]
