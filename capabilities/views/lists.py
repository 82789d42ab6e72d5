"""The account's capabilities, and the log of calls (spec 2 "Capabilities")."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.cursors import newest_page
from aiffinity.lib.ids import is_id
from aiffinity.lib.views import PageQuery
from capabilities.invocation_log import render_invocation, visible_invocations
from capabilities.serializers import CapabilityOut, CapabilityQuery, HistoryQuery, InvocationOut
from providers.permissions import IsAccountOrApp, IsUserOrAccountOrApp
from providers.views.base import CallerView
from runtime.models import CapabilityTemplate


class CapabilityListView(CallerView):
    """All capabilities of the account's apps."""

    permission_classes = [IsAccountOrApp]

    @extend_schema(
        operation_id="listCapabilities",
        summary="List your capabilities",
        tags=["Capabilities"],
        parameters=[CapabilityQuery, PageQuery],
        responses=CapabilityOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """List the newest first, of one app with `app_id`."""
        query = self.read_query(CapabilityQuery)
        templates = CapabilityTemplate.objects.for_account(self.account).order_by("-created_at", "-pk")
        if "app_id" in query:
            is_known = is_id(query["app_id"], "app")
            templates = templates.filter(runtime_app_id=query["app_id"]) if is_known else templates.none()
        return self.paginate(templates, render_capability)


class HistoryView(CallerView):
    """The log of a capability's calls."""

    permission_classes = [IsUserOrAccountOrApp]

    @extend_schema(
        operation_id="listInvocations",
        summary="List a capability's invocations",
        tags=["Capabilities"],
        parameters=[HistoryQuery],
        responses=InvocationOut(many=True),
    )
    def get(self, request: Request, capability_id: str) -> Response:
        """List the newest first: all for the account, their own for a user."""
        query = self.read_query(HistoryQuery)
        found = visible_invocations(self.caller, capability_id, since=query.pop("since", None))
        return Response(newest_page(found, render_invocation, **query))


def render_capability(template: CapabilityTemplate) -> dict[str, object]:
    """Render a template with its descriptor."""
    return {
        **template.descriptor,
        "id": template.pk,
        "app_id": template.runtime_app_id,
        "name": template.name,
        "mode": template.mode,
        "created_at": template.created_at,
        "updated_at": template.updated_at,
    }
