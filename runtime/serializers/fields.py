"""Fields that several bodies share: base addresses and names of headers."""

from typing import Any

from rest_framework import serializers

from aiffinity.lib.outbound import OutboundRefused, check_header
from aiffinity.lib.serializers import TextField
from providers.serializers import UrlField

# The platform sets these on execute calls, or a proxy on the way reads them; a provider's own header must not hide one.
PLATFORM_HEADERS = frozenset(
    {
        *("accept", "content-type", "idempotency-key", "traceparent", "tracestate", "user-agent"),
        *("content-encoding", "forwarded", "proxy-authenticate", "range", "set-cookie", "via", "x-real-ip"),
        *("x-http-method-override", "x-method-override", "x-original-url", "x-rewrite-url", "x-request-id"),
    }
)
PLATFORM_PREFIXES = ("x-aiffinity-", "x-forwarded-", "webhook-")


class BaseUrlField(UrlField):
    """An address that paths are appended to, so that it has no query."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse a query too."""
        url = super().to_internal_value(data)
        if "?" in url:
            raise serializers.ValidationError("The URL must not have a query: paths are appended.", code="query")
        return url


class HeaderNameField(TextField):
    """The name of a request header that the platform fills for the provider."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse names that can't be sent and those that the platform sets by itself."""
        name = super().to_internal_value(data)
        if name.lower() in PLATFORM_HEADERS or name.lower().startswith(PLATFORM_PREFIXES):
            raise serializers.ValidationError(f"The platform sets {name} by itself; choose another.", code="header")
        try:
            check_header(name, "")
        except OutboundRefused as refused:
            raise serializers.ValidationError(refused.message, code=refused.rule) from None
        return name
