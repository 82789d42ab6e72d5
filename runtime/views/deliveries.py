"""Webhook deliveries: what was sent, how it went, once more or all that failed once more, and a test."""

from django.db.models import Prefetch, QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.cursors import newest_page
from aiffinity.lib.views import EmptyBody, PageQuery, get_owned
from runtime.deliveries.recovering import recover_deliveries
from runtime.deliveries.resending import replay_delivery, require_endpoint, send_ping
from runtime.models import Delivery, DeliveryAttempt, Recovery
from runtime.serializers.deliveries import (
    DeliveryDetailOut,
    DeliveryOut,
    DeliveryQuery,
    RecoveryBody,
    RecoveryOut,
)
from runtime.views.base import RuntimeView

FILTERS = {"status": "status", "event": "event__type", "since": "created_at__gte"}


class DeliveryBaseView(RuntimeView):
    """What the views of an app's deliveries share."""

    def deliveries(self, app_id: str) -> QuerySet[Delivery]:
        """Return the deliveries of one of the account's apps; NotFound for another's."""
        endpoint_id = self.runtime_app(app_id).pk
        return Delivery.objects.for_account(self.account).filter(endpoint_id=endpoint_id)


class DeliveryListView(DeliveryBaseView):
    """An app's deliveries."""

    @extend_schema(
        operation_id="listWebhookDeliveries",
        summary="List webhook deliveries",
        tags=["Webhooks"],
        parameters=[DeliveryQuery],
        responses=DeliveryOut(many=True),
    )
    def get(self, request: Request, app_id: str) -> Response:
        """Answer the newest first, filtered by status, type of event and time, page by page or by cursor."""
        query, place = self.read_query(DeliveryQuery), self.read_query(PageQuery)
        cursor = query.pop("cursor", None)
        filters = {FILTERS[name]: value for name, value in query.items()}
        deliveries = self.deliveries(app_id).select_related("event").filter(**filters)
        return Response(newest_page(deliveries, lambda row: DeliveryOut(row).data, cursor=cursor, **place))


class DeliveryView(DeliveryBaseView):
    """One delivery."""

    @extend_schema(
        operation_id="getWebhookDelivery",
        summary="Retrieve a webhook delivery with its attempts",
        tags=["Webhooks"],
        responses=DeliveryDetailOut,
    )
    def get(self, request: Request, app_id: str, delivery_id: str) -> Response:
        """Answer the delivery, the body that it sends and every attempt."""
        attempts = Prefetch("attempts", DeliveryAttempt.objects.order_by("number"))
        deliveries = self.deliveries(app_id).select_related("event").prefetch_related(attempts)
        return Response(DeliveryDetailOut(get_owned(deliveries, delivery_id)).data)


class DeliveryReplayView(DeliveryBaseView):
    """A delivery once more."""

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
        delivery = get_owned(self.deliveries(app_id), delivery_id)
        replayed = replay_delivery(delivery, actor=self.actor)
        return Response(DeliveryOut(replayed).data, status=202)


class WebhookTestView(DeliveryBaseView):
    """A test of the app's endpoint."""

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
        return Response(DeliveryOut(send_ping(self.runtime_app(app_id), actor=self.actor)).data, status=202)


class WebhookRecoverView(DeliveryBaseView):
    """All that failed once more."""

    @extend_schema(
        operation_id="recoverWebhooks",
        summary="Send all failed webhook deliveries again",
        tags=["Webhooks"],
        request=RecoveryBody,
        responses={202: RecoveryOut},
    )
    def post(self, request: Request, app_id: str) -> Response:
        """Have every delivery that failed since a time sent again; they go out at half the endpoint's rate limit.

        GET the recovery to see how far it is. Asked for once more while it is running, it goes on to what failed
        meanwhile.
        """
        runtime_app = self.runtime_app(app_id)
        since = self.read(RecoveryBody)["since"]
        recovery = recover_deliveries(require_endpoint(runtime_app), since=since, actor=self.actor)
        return Response(RecoveryOut(recovery).data, status=202)


class RecoveryBaseView(RuntimeView):
    """What the views of an app's recoveries share."""

    def recoveries(self, app_id: str) -> QuerySet[Recovery]:
        """Return the recoveries of one of the account's apps; NotFound for another's."""
        endpoint_id = self.runtime_app(app_id).pk
        return Recovery.objects.for_account(self.account).filter(endpoint_id=endpoint_id)


class RecoveryListView(RecoveryBaseView):
    """An app's recoveries."""

    @extend_schema(
        operation_id="listWebhookRecoveries",
        summary="List webhook recoveries",
        tags=["Webhooks"],
        responses=RecoveryOut(many=True),
    )
    def get(self, request: Request, app_id: str) -> Response:
        """List the newest first; those that support started are among them."""
        recoveries = self.recoveries(app_id).order_by("-created_at", "-pk")
        return self.paginate(recoveries, lambda row: RecoveryOut(row).data)


class RecoveryView(RecoveryBaseView):
    """One recovery."""

    @extend_schema(
        operation_id="getWebhookRecovery",
        summary="Retrieve a webhook recovery",
        tags=["Webhooks"],
        responses=RecoveryOut,
    )
    def get(self, request: Request, app_id: str, recovery_id: str) -> Response:
        """Answer how far the recovery is."""
        return Response(RecoveryOut(get_owned(self.recoveries(app_id), recovery_id)).data)


delivery_urls = [
    path("<str:app_id>/webhook-deliveries", DeliveryListView.as_view(), name="webhook-deliveries"),
    path("<str:app_id>/webhook-deliveries/<str:delivery_id>", DeliveryView.as_view(), name="webhook-delivery"),
    path(
        "<str:app_id>/webhook-deliveries/<str:delivery_id>/replay",
        DeliveryReplayView.as_view(),
        name="webhook-delivery-replay",
    ),
    path("<str:app_id>/webhooks/test", WebhookTestView.as_view(), name="webhook-test"),
    path("<str:app_id>/webhooks/recover", WebhookRecoverView.as_view(), name="webhook-recover"),
    path("<str:app_id>/webhooks/recoveries", RecoveryListView.as_view(), name="webhook-recoveries"),
    path("<str:app_id>/webhooks/recoveries/<str:recovery_id>", RecoveryView.as_view(), name="webhook-recovery"),
]
