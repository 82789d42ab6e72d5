"""Paths of the library: probes, the API about itself, and the retired API."""

from django.urls import URLPattern, URLResolver, path, re_path
from django.views.generic import RedirectView

from aiffinity.lib.api_docs import DocsView, ErrorsView, OpenApiView
from aiffinity.lib.probes import healthz, readyz
from aiffinity.lib.retired import RetiredPartnersView

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/docs")),
    path("healthz", healthz),
    path("readyz", readyz),
    path("docs", DocsView.as_view()),
    path("v1/errors", ErrorsView.as_view()),
    path("v1/openapi.json", OpenApiView.as_view()),
    re_path(r"\Av1/partners(?:/.*)?\Z", RetiredPartnersView.as_view()),
]
