"""Webhook deliveries: what was sent, how it went, once more, and a test."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.views import EmptyBody, PlatformView, get_owned
from providers.permissions import IsAccountOrApp
from runtime.deliveries.resending import replay_delivery, send_ping
from runtime.models import Delivery, DeliveryAttempt, RuntimeApp
from runtime.serializers.deliveries import DeliveryDetailOut, DeliveryOut, DeliveryQuery


class DeliveryListView(PlatformView):
    """An app's deliveries."""

    permission_classes = [IsAccountOrApp]

    @extend_schema(
        operation_id="listWebhookDeliveries",
        summary="List webhook deliveries",
        tags=["Webhooks"],
        parameters=[DeliveryQuery],
        responses=DeliveryOut(many=True),
    )
    def get(self, request: Request, app_id: str) -> Response:
        """Answer the newest first, filtered by status, type of event and time."""
        deliveries = owned_deliveries(request, app_id).select_related("event").order_by("-created_at", "-id")
        filters = {
            FILTERS[name]: value for name, value in self.read_query(DeliveryQuery).items() if name in FILTERS
        }
        return self.paginate(deliveries.filter(**filters), lambda delivery: DeliveryOut(delivery).data)


class DeliveryView(PlatformView):
    """One delivery."""

    permission_classes = [IsAccountOrApp]

    @extend_schema(
        operation_id="getWebhookDelivery",
        summary="Retrieve a webhook delivery with its attempts",
        tags=["Webhooks"],
        responses=DeliveryDetailOut,
    )
    def get(self, request: Request, app_id: str, delivery_id: str) -> Response:
        """Answer the delivery, the body that it sends and every attempt."""
        attempts = Prefetch("attempts", DeliveryAttempt.objects.order_by("number"))
        deliveries = owned_deliveries(request, app_id).select_related("event").prefetch_related(attempts)
        return Response(DeliveryDetailOut(get_owned(deliveries, delivery_id)).data)


class DeliveryReplayView(PlatformView):
    """A delivery once more."""

    permission_classes = [IsAccountOrApp]

    @extend_schema(
        operation_id="replayWebhookDelivery",
        summary="Send a webhook delivery again",
        tags=["Webhooks"],
        request=EmptyBody,
        responses={202: DeliveryOut},
    )
    def post(self, request: Request, app_id: str, delivery_id: str) -> Response:
        """Start a fresh series of attempts with the same body."""
        self.read(EmptyBody)
        delivery = get_owned(owned_deliveries(request, app_id), delivery_id)
        replayed = replay_delivery(delivery, actor=request.auth.actor)
        return Response(DeliveryOut(replayed).data, status=202)


class WebhookTestView(PlatformView):
    """A test of the app's endpoint."""

    permission_classes = [IsAccountOrApp]

    @extend_schema(
        operation_id="testWebhook",
        summary="Send a platform.ping to the webhook endpoint",
        tags=["Webhooks"],
        request=EmptyBody,
        responses={202: DeliveryOut},
    )
    def post(self, request: Request, app_id: str) -> Response:
        """Answer the delivery on its way; GET it to see how it went."""
        self.read(EmptyBody)
        runtime_app = get_owned(RuntimeApp.objects.for_account(request.auth.account), app_id)
        return Response(DeliveryOut(send_ping(runtime_app, actor=request.auth.actor)).data, status=202)


FILTERS = {"status": "status", "event": "event__type", "since": "created_at__gte"}


def owned_deliveries(request: Any, app_id: str) -> QuerySet[Delivery]:
    """Return the deliveries of one of the account's apps; NotFound for another's."""
    runtime_app = get_owned(RuntimeApp.objects.for_account(request.auth.account), app_id)
    return Delivery.objects.for_account(request.auth.account).filter(endpoint_id=runtime_app.pk)


delivery_urls = [
    path("<str:app_id>/webhook-deliveries", DeliveryListView.as_view(), name="webhook-deliveries"),
    path(
        "<str:app_id>/webhook-deliveries/<str:delivery_id>", DeliveryView.as_view(), name="webhook-delivery"
    ),
    path(
        "<str:app_id>/webhook-deliveries/<str:delivery_id>/replay",
        DeliveryReplayView.as_view(),
        name="webhook-delivery-replay",
    ),
    path("<str:app_id>/webhooks/test", WebhookTestView.as_view(), name="webhook-test"),
]
