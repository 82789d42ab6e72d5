"""Installing and uninstalling, and what a user has (spec 1 decision 12, spec 2 "Catalog")."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.errors import NotFound
from aiffinity.lib.views import PageQuery, get_owned
from capabilities.installs import install_package, uninstall_package
from capabilities.models import Install
from capabilities.updates import change_install
from catalog.installed import install_document, installs_of, with_what_is_shown
from catalog.listings import find_package
from catalog.serializers import InstallBody, InstallOut, InstallPatchBody
from catalog.views.base import UserView

# What the provider, the package and the connection bring about, beside the user's own choices.
MOVING_FIELDS = ("package", "connection", "badges")


class InstallView(UserView):
    """A user's install of one package, under both paths."""

    moving_fields = MOVING_FIELDS

    @extend_schema(
        operation_id="installPackage",
        summary="Install a package",
        description=(
            "Installing is the consent to the permissions that the listing shows; they are recorded. A second "
            "call answers 200 with the same install."
        ),
        tags=["Catalog"],
        request=InstallBody,
        responses={200: InstallOut, 201: InstallOut},
    )
    def post(self, request: Request, id_or_slug: str) -> Response:
        """Install for the caller."""
        consent = self.read(InstallBody).get("consent")
        install, is_new = install_package(
            self.user,
            find_package(id_or_slug),
            actor=self.actor,
            consent=consent["permissions"] if consent else None,
        )
        return Response(install_document(get_owned(installs_of(self.user), install.pk)), status=201 if is_new else 200)

    @extend_schema(
        operation_id="uninstallPackage", summary="Uninstall a package", tags=["Catalog"], responses=InstallOut
    )
    def delete(self, request: Request, id_or_slug: str) -> Response:
        """Remove the caller's install and answer its final state."""
        removed = uninstall_package(self.user, find_package(id_or_slug), actor=self.actor)
        return Response(install_document(with_what_is_shown(Install.objects.filter(pk=removed.pk)).get()))

    def current(self, request: Request, **kwargs: Any) -> Response:
        """Answer the caller's install of the package."""
        package = find_package(kwargs["id_or_slug"])
        install = installs_of(self.user).filter(package=package).first()
        if install is None:
            raise NotFound
        return Response(install_document(install))


class InstallListView(UserView):
    """All installs of the user."""

    @extend_schema(
        operation_id="listInstalls",
        summary="List your installs",
        tags=["Space"],
        parameters=[PageQuery],
        responses=InstallOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """List the newest first."""
        return self.paginate(installs_of(self.user), install_document)


class InstallSettingsView(UserView):
    """One install of the user."""

    moving_fields = MOVING_FIELDS

    @extend_schema(operation_id="getInstall", summary="Retrieve an install", tags=["Space"], responses=InstallOut)
    def get(self, request: Request, install_id: str) -> Response:
        """Answer the install with its version, its connection and what keeps it from working."""
        return Response(install_document(get_owned(installs_of(self.user), install_id)))

    @extend_schema(
        operation_id="updateInstall",
        summary="Consent to an update, or set the params with which an install is refreshed",
        tags=["Space"],
        request=InstallPatchBody,
        responses=InstallOut,
    )
    def patch(self, request: Request, install_id: str) -> Response:
        """Take the install to the listed version that the user agrees to, and store params per capability."""
        body = self.read(InstallPatchBody)
        install = get_owned(installs_of(self.user), install_id)
        consent = body["consent"]["permissions"] if "consent" in body else None
        change_install(install, actor=self.actor, params=body.get("params"), consent=consent)
        return Response(install_document(get_owned(installs_of(self.user), install_id)))
