"""Paths of the capabilities room, below /v1/providers/capabilities."""

from django.urls import URLPattern, URLResolver, path

from capabilities.views.calls import ActionView, InvokeView, StateView
from capabilities.views.lists import CapabilityListView, HistoryView

urlpatterns: list[URLPattern | URLResolver] = [
    path("", CapabilityListView.as_view()),
    path("/<str:capability_id>/invoke", InvokeView.as_view()),
    path("/<str:capability_id>/action", ActionView.as_view()),
    path("/<str:capability_id>/state", StateView.as_view()),
    path("/<str:capability_id>/history", HistoryView.as_view()),
]
