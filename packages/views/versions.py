"""Versions: create, list, retrieve, edit, compare, and every step of their way into the catalog."""

from collections.abc import Callable

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.views import EmptyBody, get_owned
from packages.drift import compare
from packages.guards import Attempt
from packages.models import Version
from packages.policy import listed_base_of
from packages.serializers.versions import (
    DiffQuery,
    DriftOut,
    ReasonBody,
    SubmitBody,
    VersionCreateBody,
    VersionOut,
    VersionPatchBody,
    VersionSummaryOut,
    render_drift,
    render_version_summary,
)
from packages.submission import publish_version, rollback_version, submit_version, withdraw_version
from packages.suspension import resume_version, suspend_version
from packages.versions import add_version, edit_version
from packages.views.base import TAGS, PackagesView


class VersionListView(PackagesView):
    """All versions of a package."""

    @extend_schema(
        operation_id="createVersion",
        summary="Create a version",
        tags=TAGS,
        request=VersionCreateBody,
        responses={201: VersionOut},
    )
    def post(self, request: Request, package_id: str) -> Response:
        """Make a draft; its number is derived from the drift report unless it is given."""
        version = add_version(self.package(package_id), self.attempt(), self.read(VersionCreateBody))
        return Response(self.render(version), status=201)

    @extend_schema(
        operation_id="listVersions", summary="List versions", tags=TAGS, responses=VersionSummaryOut(many=True)
    )
    def get(self, request: Request, package_id: str) -> Response:
        """List the newest first."""
        versions = Version.objects.filter(package=self.package(package_id)).defer("capabilities")
        return self.paginate(versions.order_by("-created_at", "-pk"), render_version_summary)


class VersionView(PackagesView):
    """One version."""

    moving_fields = ("gates", "review", "hold")

    @extend_schema(operation_id="getVersion", summary="Retrieve a version", tags=TAGS, responses=VersionOut)
    def get(self, request: Request, package_id: str, version_id: str) -> Response:
        """Answer the version with descriptors and gates."""
        return Response(self.render(self.version(package_id, version_id)))

    @extend_schema(
        operation_id="updateVersion",
        summary="Edit a version",
        tags=TAGS,
        request=VersionPatchBody,
        responses=VersionOut,
    )
    def patch(self, request: Request, package_id: str, version_id: str) -> Response:
        """Change the given fields in draft, validated and changes_requested; the version is a draft then."""
        version = self.version(package_id, version_id)
        return Response(self.render(edit_version(version, self.attempt(), self.read(VersionPatchBody))))


class VersionDiffView(PackagesView):
    """The drift report."""

    @extend_schema(
        operation_id="diffVersion",
        summary="Compare two versions",
        tags=TAGS,
        parameters=[DiffQuery],
        responses=DriftOut,
    )
    def get(self, request: Request, package_id: str, version_id: str) -> Response:
        """Answer what changed, how grave it is and which number it asks for."""
        version, query = self.version(package_id, version_id), self.read_query(DiffQuery)
        against = (
            get_owned(Version.objects.filter(package=package_id), query["against"])
            if "against" in query
            else listed_base_of(version)
        )
        report = compare((against or version).capabilities, version.capabilities)
        return Response(render_drift(version, against, report))


class _StepView(PackagesView):
    """A POST that takes a version one step further."""

    step: Callable[[Version, Attempt], Version]
    body: type[EmptyBody] | type[ReasonBody] = EmptyBody

    def take(self, package_id: str, version_id: str) -> Response:
        """Take the step and answer the version."""
        version = self.version(package_id, version_id)
        reason = self.read(self.body).get("reason", "")
        return Response(self.render(type(self).step(version, self.attempt(reason))))


class SubmitView(PackagesView):
    """Submit for listing or review."""

    @extend_schema(
        operation_id="submitVersion", summary="Submit a version", tags=TAGS, request=SubmitBody, responses=VersionOut
    )
    def post(self, request: Request, package_id: str, version_id: str) -> Response:
        """List a data_only version when every gate passes, put any other one into the queue of its tier."""
        version, given = self.version(package_id, version_id), self.read(SubmitBody)
        submitted = submit_version(version, self.attempt(), is_published_on_approval=given.get("publish_on_approval"))
        return Response(self.render(submitted))


class WithdrawView(_StepView):
    """Take a submission back."""

    step, body = staticmethod(withdraw_version), ReasonBody

    @extend_schema(
        operation_id="withdrawVersion",
        summary="Withdraw a version",
        tags=TAGS,
        request=ReasonBody,
        responses=VersionOut,
    )
    def post(self, request: Request, package_id: str, version_id: str) -> Response:
        """Take a submitted version out of the queue; it is a draft then."""
        return self.take(package_id, version_id)


class PublishView(_StepView):
    """List an approved version."""

    step = staticmethod(publish_version)

    @extend_schema(
        operation_id="publishVersion", summary="Publish a version", tags=TAGS, request=EmptyBody, responses=VersionOut
    )
    def post(self, request: Request, package_id: str, version_id: str) -> Response:
        """List an approved version at once; one that is listed stays as it is."""
        return self.take(package_id, version_id)


class SuspendView(_StepView):
    """Stop a listed version."""

    step, body = staticmethod(suspend_version), ReasonBody

    @extend_schema(
        operation_id="suspendVersion", summary="Suspend a version", tags=TAGS, request=ReasonBody, responses=VersionOut
    )
    def post(self, request: Request, package_id: str, version_id: str) -> Response:
        """Stop installs and calls of a listed version at once; its data stays."""
        return self.take(package_id, version_id)


class ResumeView(_StepView):
    """List a suspended version again."""

    step, body = staticmethod(resume_version), ReasonBody

    @extend_schema(
        operation_id="resumeVersion", summary="Resume a version", tags=TAGS, request=ReasonBody, responses=VersionOut
    )
    def post(self, request: Request, package_id: str, version_id: str) -> Response:
        """List a version that you suspended yourself."""
        return self.take(package_id, version_id)


class RollbackView(_StepView):
    """List a superseded version again."""

    step, body = staticmethod(rollback_version), ReasonBody

    @extend_schema(
        operation_id="rollbackVersion",
        summary="Roll back to a version",
        tags=TAGS,
        request=ReasonBody,
        responses=VersionOut,
    )
    def post(self, request: Request, package_id: str, version_id: str) -> Response:
        """List this superseded version again; the listed one is superseded."""
        return self.take(package_id, version_id)
