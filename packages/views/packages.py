"""Packages: create, list, retrieve, change, take away."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from packages.models import Package, PackageStatus, Version
from packages.publishing import create_package, delete_package, update_package
from packages.serializers.packages import (
    DELETED,
    DeprecationBody,
    PackageCreateBody,
    PackageListQuery,
    PackageOut,
    PackagePatchBody,
    render_package,
)
from packages.views.base import TAGS, PackagesView

STATUS_FILTER = OpenApiParameter("status", str, enum=PackageStatus.values, description="Only packages of this status.")
SUCCESSOR = OpenApiParameter(
    "successor",
    {"type": "string", "minLength": 1, "maxLength": 64},
    description="Id or slug of your published package that replaces this one; a body takes it too.",
)
CREATE_EXAMPLE = OpenApiExample(
    "Acme Weather",
    request_only=True,
    value={
        "appId": "app_01J8XKWM3N4QR5STVYZ2BCDEFG",
        "name": "Acme Weather",
        "slug": "acme-weather",
        "description": "Current conditions and forecasts for any place.",
        "riskTier": "data_only",
        "capabilities": ["current_weather"],
    },
)


def complete(packages: QuerySet[Package]) -> QuerySet[Package]:
    """Read packages with status and versions, the newest first, without the versions' descriptors."""
    versions = Version.objects.defer("capabilities").order_by("-created_at", "-pk")
    return (
        Package.objects.filter(pk__in=packages.values("pk"))
        .with_status()
        .prefetch_related(Prefetch("versions", queryset=versions))
    )


def render(package: Package) -> dict[str, Any]:
    """Render a package as `complete` reads it."""
    return render_package(package, list(package.versions.all()), status=getattr(package, "status", ""))


class PackageListView(PackagesView):
    """All packages of the account."""

    documented_errors = (404,)

    @extend_schema(
        operation_id="createPackage",
        summary="Create a package with version 1.0.0",
        tags=TAGS,
        request=PackageCreateBody,
        responses={201: PackageOut},
        examples=[CREATE_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Make a package and its first version, a draft."""
        package = create_package(self.account, self.attempt(), self.read(PackageCreateBody))
        return Response(render(complete(Package.objects.filter(pk=package.pk)).get()), status=201)

    @extend_schema(
        operation_id="listPackages",
        summary="List your packages",
        tags=TAGS,
        parameters=[STATUS_FILTER],
        responses=PackageOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """List the newest first."""
        packages = complete(Package.objects.for_account(self.account)).order_by("-created_at", "-pk")
        query = self.read_query(PackageListQuery)
        return self.paginate(packages.filter(**query), render)


class PackageView(PackagesView):
    """One package."""

    moving_fields = ("install_count", "versions")

    @extend_schema(operation_id="getPackage", summary="Retrieve a package", tags=TAGS, responses=PackageOut)
    def get(self, request: Request, package_id: str) -> Response:
        """Answer the package with all versions, install count and status."""
        return Response(render(complete(self._own(package_id)).get()))

    @extend_schema(
        operation_id="updatePackage",
        summary="Update a package's listing",
        tags=TAGS,
        request=PackagePatchBody,
        responses=PackageOut,
    )
    def patch(self, request: Request, package_id: str) -> Response:
        """Change the given listing fields; versions stay as they are."""
        update_package(self.package(package_id), self.attempt(), self.read(PackagePatchBody))
        return Response(render(complete(self._own(package_id)).get()))

    @extend_schema(
        operation_id="deletePackage",
        summary="Delete a package, or deprecate one that was listed",
        tags=TAGS,
        parameters=[SUCCESSOR],
        responses=PackageOut,
    )
    def delete(self, request: Request, package_id: str) -> Response:
        """Take the package away and answer its final state; a deprecated one may name its successor."""
        last = complete(self._own(self.package(package_id).pk)).get()
        versions = list(last.versions.all())
        given = {**self.read_query(DeprecationBody), **self.read(DeprecationBody)}
        if delete_package(self.package(package_id), self.attempt(), successor=given.get("successor")):
            return Response(render_package(last, versions, status=DELETED))
        return Response(render(complete(self._own(package_id)).get()))

    def _own(self, package_id: str) -> QuerySet[Package]:
        return Package.objects.for_account(self.account).filter(pk=self.package(package_id).pk)
