"""Views of the tests: every promise of the platform's base view, without any room above the library."""

import threading
from typing import Any

from django.db import OperationalError
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.errors import NotFound
from aiffinity.lib.models import IdempotencyRecord
from aiffinity.lib.serializers import JsonObjectField, StrictIntegerField, StrictSerializer, TextField
from aiffinity.lib.views import PlatformView, UnknownPathView


class Counters:
    """Counts the runs of the views below; `gate` holds them back while it is closed."""

    def __init__(self) -> None:
        self.runs = 0
        self.lock = threading.Lock()
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.gate.set()

    def run(self) -> int:
        """Count one run and wait for the gate."""
        with self.lock:
            self.runs += 1
            number = self.runs
        self.entered.set()
        self.gate.wait(timeout=30)
        return number


counters = Counters()


class EchoBody(StrictSerializer):
    """What the echo takes."""

    display_name = TextField(max_length=40)
    count = StrictIntegerField(required=False)
    params = JsonObjectField(required=False)


class PublicView(PlatformView):
    """A view for anybody."""

    permission_classes = (AllowAny,)
    schema = None


class EchoView(PublicView):
    """Answers what it read, and how often it ran."""

    one_time_fields = ("client_secret",)

    def post(self, request: Request) -> Response:
        """Echo the body."""
        data = self.read(EchoBody)
        number = counters.run()
        return Response({**data, "run": number, "client_secret": f"cs_live_{number}"}, status=201)

    def patch(self, request: Request) -> Response:
        """Echo the given part of the body."""
        return Response(self.read(EchoBody))


class BareView(PublicView):
    """Answers without the envelope."""

    is_bare = True

    def post(self, request: Request) -> Response:
        """Answer the number of runs."""
        return Response({"run": counters.run()})


class FailingView(PublicView):
    """Fails in the way that the path names."""

    def post(self, request: Request, how: str) -> Response:
        """Fail after counting the run."""
        counters.run()
        raise OperationalError("gone") if how == "database" else ZeroDivisionError("canary-detail")


class PagesView(PublicView):
    """A list of numbers."""

    def get(self, request: Request) -> Response:
        """Answer one page of idempotency records."""
        records: Any = IdempotencyRecord.objects.order_by("key")
        return self.paginate(records, lambda record: record.key)


class NoteBody(StrictSerializer):
    """A note's text."""

    text = TextField(max_length=40)


class NoteView(PublicView):
    """A note that callers write, in an idempotency record; `reads` is what the platform counts beside it."""

    moving_fields = ("reads",)

    def get(self, request: Request, key: str) -> Response:
        """Answer the note."""
        return Response(self._shown(self._note(key)))

    def put(self, request: Request, key: str) -> Response:
        """Make or replace the note, after the gate."""
        counters.run()
        now = timezone.now()
        note, is_new = IdempotencyRecord.objects.update_or_create(
            caller="notes",
            key=key,
            defaults={"request_hash": self.read(NoteBody)["text"]},
            create_defaults={"request_hash": self.read(NoteBody)["text"], "locked_until": now, "expires_at": now},
        )
        return Response(self._shown(note), status=201 if is_new else 200)

    def delete(self, request: Request, key: str) -> Response:
        """Delete the note."""
        note = self._note(key)
        note.delete()
        return Response(self._shown(note))

    def _note(self, key: str) -> IdempotencyRecord:
        note = IdempotencyRecord.objects.filter(caller="notes", key=key).first()
        if note is None:
            raise NotFound
        return note

    def _shown(self, note: IdempotencyRecord) -> dict[str, Any]:
        return {"text": note.request_hash, "reads": note.status}


urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/test/echo", EchoView.as_view()),
    path("v1/test/bare", BareView.as_view()),
    path("v1/test/fail/<str:how>", FailingView.as_view()),
    path("v1/test/pages", PagesView.as_view()),
    path("v1/test/notes/<str:key>", NoteView.as_view()),
    path("", include("aiffinity.lib.urls")),
    re_path(r"\Av1(?:/.*)?\Z", UnknownPathView.as_view()),
]
handler400 = "aiffinity.lib.error_pages.bad_request"
handler403 = "aiffinity.lib.error_pages.permission_denied"
handler404 = "aiffinity.lib.error_pages.page_not_found"
handler500 = "aiffinity.lib.error_pages.server_error"
