"""A user's access at the provider, for one install (spec 2 "Shapes", spec 4 "Auth profiles and connections")."""

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.views import get_owned
from capabilities.connections import (
    complete_connection,
    connect_install,
    disconnect_install,
    standing_connection_of,
)
from capabilities.models import Install
from catalog.connected import authorization_document, connection_document
from catalog.connection_examples import COMPLETE, CONNECT, CONNECTED, NOT_YET, REVOKING
from catalog.connection_serializers import AuthorizationOut, CompleteBody, ConnectBody, ConnectionOut
from catalog.views.base import UserView
from runtime.connections.authorization import Authorization


class OwnInstallView(UserView):
    """A view of one of the user's installs that asks the provider."""

    documented_errors = (502, 504)

    def install(self, install_id: str) -> Install:
        """Return one of the user's installs with its app."""
        rows = Install.objects.for_user(self.user).select_related(
            "user", "version", "package__account", "package__app__runtime_app__app"
        )
        return get_owned(rows, install_id)


class InstallConnectionView(OwnInstallView):
    """The connection of one of the user's installs."""

    one_time_fields = ("authorization_url", "state")
    moving_fields = ("expires_at",)

    @extend_schema(
        operation_id="getConnection",
        summary="See an install's connection, or what it takes to make one",
        tags=["Connections"],
        examples=[NOT_YET, CONNECTED],
        responses=ConnectionOut,
    )
    def get(self, request: Request, install_id: str) -> Response:
        """Answer how the connection stands; `none` where there is none yet."""
        install = self.install(install_id)
        return Response(connection_document(install, standing_connection_of(install)))

    @extend_schema(
        operation_id="connectInstall",
        summary="Connect an install to the user's account at the provider",
        description=(
            "With the strategy oauth2 send `{}`; the answer says where the user goes next, and `/complete` ends it. "
            "With api_key send the user's key, with credential the fields that the provider asks for; they are "
            "checked at the provider and kept encrypted."
        ),
        tags=["Connections"],
        examples=CONNECT,
        request=ConnectBody,
        responses={
            200: PolymorphicProxySerializer(
                component_name="AuthorizationOrConnection",
                serializers=[AuthorizationOut, ConnectionOut],
                resource_type_field_name=None,
            ),
        },
    )
    def post(self, request: Request, install_id: str) -> Response:
        """Begin or make a connection."""
        install = self.install(install_id)
        made = connect_install(install, self.read(ConnectBody), actor=self.actor)
        if isinstance(made, Authorization):
            return Response(authorization_document(install, made))
        return Response(connection_document(install, made))

    @extend_schema(
        operation_id="disconnectInstall",
        summary="Disconnect an install",
        description="The connection can't be used from now on; it is revoked at the provider and then erased.",
        tags=["Connections"],
        examples=[REVOKING],
        responses=ConnectionOut,
    )
    def delete(self, request: Request, install_id: str) -> Response:
        """Give the connection back and answer its final state."""
        install = self.install(install_id)
        return Response(connection_document(install, disconnect_install(install, actor=self.actor)))


class CompleteConnectionView(OwnInstallView):
    """The end of an authorization."""

    @extend_schema(
        operation_id="completeConnection",
        summary="Complete a connection with what the provider handed out",
        description="`code` and `state` as the callback page handed them on; the state counts once, for ten minutes.",
        tags=["Connections"],
        examples=COMPLETE,
        request=CompleteBody,
        responses=ConnectionOut,
    )
    def post(self, request: Request, install_id: str) -> Response:
        """Exchange the code and keep the tokens."""
        install, body = self.install(install_id), self.read(CompleteBody)
        connection = complete_connection(install, state=body["state"], code=body["code"], actor=self.actor)
        return Response(connection_document(install, connection))
