"""Every path of the platform."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from aiffinity.lib.views import UnknownPathView

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("", include("aiffinity.lib.urls")),
    path("", include("providers.urls")),
    path("v1/providers/runtime/", include("runtime.urls")),
    path("v1/providers/packages/manage", include("packages.urls")),
    path("v1/providers/capabilities", include("capabilities.urls")),
    path("v1/", include("catalog.urls")),
    re_path(r"\Av1(?:/.*)?\Z", UnknownPathView.as_view()),
]

handler400 = "aiffinity.lib.error_pages.bad_request"
handler403 = "aiffinity.lib.error_pages.permission_denied"
handler404 = "aiffinity.lib.error_pages.page_not_found"
handler500 = "aiffinity.lib.error_pages.server_error"
