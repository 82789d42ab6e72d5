"""The retired Widget Platform API, `/v1/partners/*`: 410 with the way to what took its place (decision 20)."""

from datetime import UTC, datetime

from django.conf import settings
from django.utils.http import http_date
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.errors import Gone
from aiffinity.lib.views import AnyMethodView

DEPRECATED_AT = datetime(2025, 1, 1, tzinfo=UTC)
SUNSET_AT = datetime(2026, 1, 1, tzinfo=UTC)
REPLACEMENT = "/v1/providers"
GUIDE = (
    ("/v1/partners/account", "/v1/providers/account"),
    ("/v1/partners/apps", "/v1/providers/apps"),
    ("/v1/partners/auth/token", "/v1/providers/auth/token"),
    ("/v1/partners/widgets", "/v1/providers/packages/manage"),
    ("/v1/partners/webhooks", "/v1/providers/runtime/apps/{id}/webhook-profile"),
)


class RetiredPartnersView(AnyMethodView):
    """Answers every method on every path below `/v1/partners`, whatever credentials come along."""

    authentication_classes = ()

    def answer(self, request: Request) -> Response:
        """Raise GONE (410) with `migration`, and the headers of RFC 9745 and RFC 8594."""
        raise Gone(
            f"The Widget Platform API was retired; use {REPLACEMENT} instead.",
            headers={
                "Deprecation": f"@{int(DEPRECATED_AT.timestamp())}",
                "Sunset": http_date(SUNSET_AT.timestamp()),
                "Link": f'<{settings.BASE_URL}{REPLACEMENT}>; rel="successor-version"',
            },
            extra={"migration": migration()},
        )


def migration() -> dict[str, object]:
    """Return `error.migration` as decision 20 prints it."""
    return {
        "replacement": REPLACEMENT,
        "documentation_url": f"{settings.BASE_URL}/docs",
        "sunset_at": SUNSET_AT.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "guide": [{"from": old, "to": new} for old, new in GUIDE],
    }
