"""Validation runs: start one and wait, list, retrieve."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.views import EmptyBody, get_owned
from packages.models import ValidationRun
from packages.runs import OPEN_RUN_STATES
from packages.serializers.validations import ValidationRunOut, ValidationRunSummaryOut, render_run, render_run_summary
from packages.validation import start_validation, wait_for_run
from packages.views.base import TAGS, PackagesView

PREFER = OpenApiParameter(
    "Prefer", str, OpenApiParameter.HEADER, description="`respond-async` answers 202 without waiting (RFC 7240)."
)


class ValidateView(PackagesView):
    """Runs the conformance suite."""

    @extend_schema(
        operation_id="validateVersion",
        summary="Validate a version",
        tags=TAGS,
        parameters=[PREFER],
        request=EmptyBody,
        responses={200: ValidationRunOut, 202: ValidationRunOut},
    )
    def post(self, request: Request, package_id: str, version_id: str) -> Response:
        """Run the suite and answer its result, or after 30 seconds (202) how far it is."""
        version = self.version(package_id, version_id)
        self.read(EmptyBody)
        run = start_validation(version)
        is_async = "respond-async" in request.headers.get("Prefer", "")
        run = run if is_async else wait_for_run(run)
        return Response(render_run(run), status=202 if run.state in OPEN_RUN_STATES else 200)


class ValidationListView(PackagesView):
    """All runs of a version."""

    @extend_schema(
        operation_id="listValidations",
        summary="List validation runs",
        tags=TAGS,
        responses=ValidationRunSummaryOut(many=True),
    )
    def get(self, request: Request, package_id: str, version_id: str) -> Response:
        """List the newest first, without their checks."""
        runs = ValidationRun.objects.filter(version=self.version(package_id, version_id)).defer("checks")
        return self.paginate(runs.order_by("-created_at", "-pk"), render_run_summary)


class ValidationView(PackagesView):
    """One run."""

    @extend_schema(
        operation_id="getValidation", summary="Retrieve a validation run", tags=TAGS, responses=ValidationRunOut
    )
    def get(self, request: Request, package_id: str, version_id: str, run_id: str) -> Response:
        """Answer the run with its checks, or how far it is."""
        version = self.version(package_id, version_id)
        return Response(render_run(get_owned(ValidationRun.objects.filter(version=version), run_id)))
