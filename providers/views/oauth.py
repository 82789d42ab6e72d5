"""The endpoints of OAuth clients, and what RFC 7517 and RFC 8414 publish about them."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.parsers import FormParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from aiffinity.lib.json_gate import JsonParser
from aiffinity.lib.views import PlatformView
from providers import oauth
from providers.serializers import IntrospectionOut, OAuthErrorOut, OwnTokenBody, RevokedOut, TokenBody, TokenOut
from providers.signing_keys import public_jwks

# A body that is no JSON gets the platform's own error, before the token endpoint sees it.
OAUTH_OR_PLATFORM_ERROR = {
    "oneOf": [{"$ref": "#/components/schemas/OAuthError"}, {"$ref": "#/components/schemas/Error"}]
}

OWN_TOKEN_EXAMPLE = OpenApiExample(
    "A token of one's own",
    value={
        "token": "eyJhbGciOiJSUzI1NiIs...",
        "client_id": "ci_acmeweather_a1b2c3d4",
        "client_secret": "cs_live_…",
    },
    request_only=True,
)
GOOD_TOKEN = {
    "active": True,
    "scope": "runtime:read capabilities:read",
    "client_id": "ci_acmeweather_a1b2c3d4",
    "sub": "ci_acmeweather_a1b2c3d4",
    "aud": "https://api.aiffinity.me",
    "iss": "https://api.aiffinity.me",
    "exp": 1775300400,
    "iat": 1775296800,
    "jti": "jti_01J8XKWM3N4QR5STVYZ2BCDEFG",
    "token_type": "Bearer",
}


def json_or_form(body: type[Serializer[Any]]) -> dict[str, type[Serializer[Any]]]:
    """Describe a body that both encodings take."""
    return {"application/json": body, "application/x-www-form-urlencoded": body}


class OAuthView(PlatformView):
    """What the three endpoints for clients share: the client's credentials in the body or as HTTP Basic."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []
    parser_classes = [JsonParser, FormParser]
    is_bare = True
    is_idempotent = False
    strict_limit = (60, 60)


class TokenView(OAuthView):
    """`POST /v1/providers/auth/token`."""

    @extend_schema(
        operation_id="issueToken",
        summary="Exchange client credentials for an access token",
        tags=["Authentication"],
        request=json_or_form(TokenBody),
        responses={200: TokenOut, 400: OAUTH_OR_PLATFORM_ERROR, 401: OAuthErrorOut},
        auth=[],
        examples=[
            OpenApiExample(
                "Client credentials",
                value={
                    "grant_type": "client_credentials",
                    "client_id": "ci_acmeweather_a1b2c3d4",
                    "client_secret": "cs_live_…",
                },
                request_only=True,
            ),
            OpenApiExample(
                "An access token",
                value={
                    "access_token": "eyJhbGciOiJSUzI1NiIs...",
                    "token_type": "Bearer",
                    "expires_in": 3600,
                    "scope": "runtime:read runtime:write capabilities:read capabilities:invoke",
                },
                response_only=True,
                status_codes=["200"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Answer as RFC 6749 fixes it, errors included."""
        response: Response = oauth.make_server().create_token_response(request)
        return response


class RevokeView(OAuthView):
    """`POST /v1/providers/auth/revoke`."""

    @extend_schema(
        operation_id="revokeToken",
        summary="Revoke an access token",
        tags=["Authentication"],
        request=json_or_form(OwnTokenBody),
        responses={200: RevokedOut, 400: OAUTH_OR_PLATFORM_ERROR, 401: OAuthErrorOut},
        auth=[],
        examples=[
            OWN_TOKEN_EXAMPLE,
            OpenApiExample("Revoked, or nothing to revoke", value={}, response_only=True, status_codes=["200"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Refuse one of the client's own tokens from now on; of any other, and of what is none, answer 200 too."""
        response: Response = oauth.make_server().create_endpoint_response("revocation", request)
        return response


class IntrospectView(OAuthView):
    """`POST /v1/providers/auth/introspect`."""

    @extend_schema(
        operation_id="introspectToken",
        summary="Ask whether an access token is good",
        tags=["Authentication"],
        request=json_or_form(OwnTokenBody),
        responses={200: IntrospectionOut, 400: OAUTH_OR_PLATFORM_ERROR, 401: OAuthErrorOut},
        auth=[],
        examples=[
            OWN_TOKEN_EXAMPLE,
            OpenApiExample("A good token", value=GOOD_TOKEN, response_only=True, status_codes=["200"]),
            OpenApiExample("No good token", value={"active": False}, response_only=True, status_codes=["200"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Answer what one of the client's own tokens says; any other, and what is none, is not active."""
        response: Response = oauth.make_server().create_endpoint_response("introspection", request)
        return response


class JwksView(PlatformView):
    """`GET /.well-known/jwks.json`."""

    permission_classes = [AllowAny]
    is_bare = True

    @extend_schema(
        operation_id="getJwks",
        summary="Keys that verify the platform's tokens",
        tags=["Authentication"],
        responses={200: {"type": "object"}},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """Answer the JWK set."""
        return Response(public_jwks(), headers={"Cache-Control": "public, max-age=300"})


class MetadataView(PlatformView):
    """`GET /.well-known/oauth-authorization-server`."""

    permission_classes = [AllowAny]
    is_bare = True

    @extend_schema(
        operation_id="getOAuthMetadata",
        summary="What the token endpoint supports",
        tags=["Authentication"],
        responses={200: {"type": "object"}},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """Answer the server metadata."""
        return Response(oauth.metadata(), headers={"Cache-Control": "public, max-age=300"})
