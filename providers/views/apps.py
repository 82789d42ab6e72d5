"""Apps of the caller's account."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.views import get_owned
from providers import applications
from providers.models import App
from providers.permissions import IsVerifiedAccountHolder
from providers.serializers import AppBody, AppCreatedOut, AppDeletedOut, AppOut
from providers.views.base import CallerView


class AppListView(CallerView):
    """All apps of the account."""

    permission_classes = [IsVerifiedAccountHolder]
    one_time_fields = ("client_secret",)

    @extend_schema(
        operation_id="createApp",
        summary="Create an app",
        tags=["Apps"],
        request=AppBody,
        responses={201: AppCreatedOut},
        examples=[
            OpenApiExample(
                "Acme Weather",
                value={
                    "name": "Acme Weather",
                    "description": "Real-time weather data and forecasts",
                    "redirect_uris": ["https://acmeweather.com/callback"],
                    "webhook_url": "https://acmeweather.com/webhooks/aiffinity",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Make an app; its client secret is in this answer alone."""
        app, secret = applications.create_app(self.account, actor=self.actor, **self.read(AppBody))
        return Response({**AppOut(app).data, "client_secret": secret.reveal()}, status=201)

    @extend_schema(operation_id="listApps", summary="List your apps", tags=["Apps"], responses=AppOut(many=True))
    def get(self, request: Request) -> Response:
        """List the newest first."""
        apps = App.objects.for_account(self.account).order_by("-created_at", "-pk")
        return self.paginate(apps, lambda app: AppOut(app).data)


class AppView(CallerView):
    """One app."""

    permission_classes = [IsVerifiedAccountHolder]

    @extend_schema(operation_id="getApp", summary="Retrieve an app", tags=["Apps"], responses=AppOut)
    def get(self, request: Request, app_id: str) -> Response:
        """Answer the app without its secrets."""
        return Response(AppOut(get_owned(App.objects.for_account(self.account), app_id)).data)

    @extend_schema(
        operation_id="updateApp",
        summary="Update an app",
        tags=["Apps"],
        request=AppBody,
        responses=AppOut,
    )
    def patch(self, request: Request, app_id: str) -> Response:
        """Change the given fields."""
        app = get_owned(App.objects.for_account(self.account), app_id)
        return Response(AppOut(applications.update_app(app, actor=self.actor, **self.read(AppBody))).data)

    @extend_schema(operation_id="deleteApp", summary="Delete an app", tags=["Apps"], responses=AppDeletedOut)
    def delete(self, request: Request, app_id: str) -> Response:
        """Delete the app; its tokens die at once."""
        app = get_owned(App.objects.for_account(self.account), app_id)
        return Response(AppDeletedOut(applications.delete_app(app, actor=self.actor)).data)
