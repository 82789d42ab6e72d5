"""The token endpoint and what RFC 7517 and RFC 8414 publish about it."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.parsers import FormParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.json_gate import JsonParser
from aiffinity.lib.views import PlatformView
from providers import oauth
from providers.serializers import OAuthErrorOut, TokenBody, TokenOut
from providers.signing_keys import public_jwks

# A body that is no JSON gets the platform's own error, before the token endpoint sees it.
OAUTH_OR_PLATFORM_ERROR = {
    "oneOf": [{"$ref": "#/components/schemas/OAuthError"}, {"$ref": "#/components/schemas/Error"}]
}


class TokenView(PlatformView):
    """`POST /v1/providers/auth/token`."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []
    parser_classes = [JsonParser, FormParser]
    is_bare = True
    is_idempotent = False
    strict_limit = (60, 60)

    @extend_schema(
        operation_id="issueToken",
        summary="Exchange client credentials for an access token",
        tags=["Authentication"],
        request={"application/json": TokenBody, "application/x-www-form-urlencoded": TokenBody},
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
