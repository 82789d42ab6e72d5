"""Every route of the platform as the URL resolver knows it, so that no test can forget one."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
BODY_METHODS = ("POST", "PUT", "PATCH")
# Pages for a browser below /v1; what they show depends on the state alone.
PAGES = {"/v1/space/connections/callback/{app_id}"}


@dataclass(frozen=True)
class Route:
    """One path such as `/v1/providers/apps/{app_id}` with the methods that its view has."""

    path: str
    methods: tuple[str, ...]

    @property
    def parameters(self) -> list[str]:
        """Return the names in the path, first to last."""
        return re.findall(r"{(\w+)}", self.path)


def api_routes() -> list[Route]:
    """Return the routes of the API; the admin has sessions of its own, and regex routes answer all alike."""
    return [
        Route(path, tuple(method for method in METHODS if hasattr(view_class, method.lower())))
        for path, view_class in _patterns(get_resolver().url_patterns)
        if path.startswith(("/v1/", "/.well-known/"))
    ]


def routes_with_ids() -> list[Route]:
    """Return the routes whose path names a thing that somebody owns."""
    return [route for route in api_routes() if route.parameters and route.path not in PAGES]


def _patterns(patterns: Iterable[Any], prefix: str = "/") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        path = prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and isinstance(pattern.pattern, RoutePattern):
            yield path, getattr(pattern.callback, "view_class", getattr(pattern.callback, "cls", None))
