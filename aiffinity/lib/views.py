"""The base of every API view: authenticate, count, check, run, wrap."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aiffinity.lib import conditional, idempotency
from aiffinity.lib.envelope import Page, Pagination
from aiffinity.lib.errors import InvalidJson, NotFound, PayloadTooLarge, field_error
from aiffinity.lib.json_gate import MAX_BODY_BYTES
from aiffinity.lib.log_context import bind_caller
from aiffinity.lib.serializers import StrictSerializer, json_type

M = TypeVar("M", bound=Model)


class PageQuery(serializers.Serializer[Any]):
    """`limit` and `offset` of a list; wrong values are refused, never clamped."""

    limit = serializers.IntegerField(min_value=1, max_value=100, default=20, help_text="Items on the page.")
    offset = serializers.IntegerField(
        min_value=0, max_value=1_000_000, default=0, help_text="Items to skip before the page."
    )


class PlatformView(APIView):
    """An API view: thin methods that parse, call a verb and serialise.

    `is_bare` leaves the envelope out where an outside standard fixes the body, and `is_page` is for HTML;
    `is_paginated` is for lists in the documentation that are answered whole, and `documented_errors` adds error
    statuses there that not every view of its method has (502, 504): to what writes, or to reading in a view that
    only reads. `is_idempotent` says whether POST honours
    `Idempotency-Key`; `one_time_fields` are left out of the answer that is kept for a replay. `moving_fields` of a
    resource change without a caller's write, so they hold up no `If-Match`; `public_max_age_seconds` lets anybody
    keep the answer to an anonymous GET for so long.
    """

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    is_bare = False
    is_page = False
    is_paginated = True
    is_idempotent = True
    one_time_fields: tuple[str, ...] = ()
    moving_fields: tuple[str, ...] = ()
    public_max_age_seconds: int | None = None
    documented_errors: tuple[int, ...] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate and count before anything else, so that forged tokens count too."""
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        try:
            self.perform_authentication(request)
        except Exception:
            # The call counts against its address, and nothing later tries the credentials again.
            request.user, request.auth = AnonymousUser(), None
            raise
        finally:
            bind_caller(request.auth)
            self.check_throttles(request)
        refuse_unreadable(request)
        self.check_permissions(request)
        if self.is_idempotent and request.method == "POST" and hasattr(self, "post"):
            idempotency.begin(request, is_bare=self.is_bare, one_time_fields=self.one_time_fields)
        if conditional.is_conditional_write(request):
            self._write_on_condition(str(request.method).lower())

    def current(self, request: Request, **kwargs: Any) -> Response:
        """Answer the resource that a write to this path changes: what GET answers, where the view has one."""
        return self.get(request, **kwargs)  # type: ignore[attr-defined,no-any-return]

    def handle_exception(self, exc: Exception) -> Response:
        """Replay a kept answer, or render the error envelope."""
        if isinstance(exc, idempotency.Replay):
            return exc.response
        response: Response = self.get_exception_handler()(exc, self.get_exception_handler_context())
        return response

    def finalize_response(  # type: ignore[override]  # A 304 is an answer of Django's own.
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Add the rate-limit headers and the tag, and keep the answer of an idempotent POST.

        An answer that a stricter limit refused keeps the headers of that limit.
        """
        final = super().finalize_response(request, response, *args, **kwargs)
        for name, value in getattr(request, "rate_limit_headers", {}).items():
            final.headers.setdefault(name, value)
        idempotency.finish(request, final)
        return conditional.add_tag(self, request, final)

    def read(self, serializer_class: type[serializers.Serializer[Any]], **context: Any) -> dict[str, Any]:
        """Validate the body; a PATCH takes any part of the fields. Raises VALIDATION_ERROR (400)."""
        if not isinstance(self.request.data, Mapping):
            raise field_error("", f"Expected a JSON object, not {json_type(self.request.data)}.", code="type")
        is_partial = self.request.method == "PATCH"
        serializer = serializer_class(
            data=self.request.data, partial=is_partial, context={"request": self.request, **context}
        )
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def read_query(self, serializer_class: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """Validate the query parameters. Raises VALIDATION_ERROR (400)."""
        serializer = serializer_class(data=self.request.query_params.dict())
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def paginate(self, queryset: QuerySet[M], render: Callable[[M], Any]) -> Response:
        """Answer one page of an ordered queryset: one count and one select."""
        query = self.read_query(PageQuery)
        limit, offset = query["limit"], query["offset"]
        total = queryset.count()
        items = [render(row) for row in queryset[offset : offset + limit]]
        return Response(Page(items, Pagination(total, limit, offset)))

    def _write_on_condition(self, method: str) -> None:
        """Put the check of the condition before this request's method."""
        handler = getattr(self, method, None)
        if handler is not None:
            setattr(self, method, partial(conditional.write_if_unchanged, self, handler))


def get_owned(queryset: QuerySet[M], pk: str) -> M:
    """Return the row of an owner's queryset, or raise NotFound: what is somebody else's does not exist."""
    row = queryset.filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row


class EmptyBody(StrictSerializer):
    """The body of a POST that takes no fields."""


def refuse_unreadable(request: Request) -> None:
    """Refuse what no view should have to think of.

    Raises NotFound for a NUL in the path, PayloadTooLarge (413) for a body that says so, and INVALID_JSON for
    a body without a length, which the servers don't hand on.
    """
    if "\x00" in request.path:
        raise NotFound
    if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
        raise InvalidJson("Send the body with a Content-Length, not in chunks.")
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if length.isdecimal() and int(length) > MAX_BODY_BYTES:
        raise PayloadTooLarge


class AnyMethodView(PlatformView):
    """A public view that treats every method alike, in `answer`."""

    permission_classes = (AllowAny,)
    schema = None
    is_idempotent = False
    http_method_names: list[str] = []

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Leave `Allow` out, which would be empty."""
        return {}

    def http_method_not_allowed(  # type: ignore[override]  # DRF hands its own request on.
        self, request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        """Take the method, as no method is on the list."""
        return self.answer(request)

    def answer(self, request: Request) -> Response:
        """Answer a request of any method."""
        raise NotFound(f"There is no {request.path[:200]}; see /docs for the paths.")


class UnknownPathView(AnyMethodView):
    """Answers every unknown path under /v1 with the JSON envelope."""
