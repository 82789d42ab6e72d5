"""Health of a runtime app."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from runtime.health.history import recent_checks, uptime_percent
from runtime.health.on_demand import check_health_if_due
from runtime.models import CapabilityTemplate
from runtime.serializers.health import HealthCheckOut, HealthOut, render_health
from runtime.views.base import RuntimeView

TAGS = ["Health"]
LAST_CHECKS = 10


class HealthView(RuntimeView):
    """The health of an app now."""

    @extend_schema(operation_id="getHealth", summary="Check the health", tags=TAGS, responses=HealthOut)
    def get(self, request: Request, app_id: str) -> Response:
        """Answer the health, after one check where the last one is older than 60 seconds."""
        runtime_app = self.runtime_app(app_id)
        check_health_if_due(runtime_app)
        runtime_app = self.runtime_app(app_id)
        answer = render_health(
            runtime_app,
            checks=list(recent_checks(runtime_app)[:LAST_CHECKS]),
            uptime_percent=uptime_percent(runtime_app),
            templates=list(CapabilityTemplate.objects.filter(runtime_app=runtime_app)),
        )
        return Response(answer)


class HealthCheckListView(RuntimeView):
    """The health checks of the last 24 hours."""

    @extend_schema(
        operation_id="listHealthChecks",
        summary="List the health checks of 24 hours",
        tags=TAGS,
        responses=HealthCheckOut(many=True),
    )
    def get(self, request: Request, app_id: str) -> Response:
        """List the newest first."""
        return self.paginate(recent_checks(self.runtime_app(app_id)), lambda check: check.as_dict())
