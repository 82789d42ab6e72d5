"""Steps that staff takes on versions and packages outside of a review: each is confirmed with a reason, by POST."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from aiffinity.lib.errors import PlatformError
from aiffinity.lib.staff_pages import ReadOnlyAdmin
from packages.console.forms import NeededCommentForm
from packages.console.messages import tell_failure
from packages.reviewing.bulk import blast_radius
from providers.models import User


@dataclass(frozen=True)
class Step:
    """One step: `run` calls the verb for a row with who does it and why; `is_open` says whether it is of use."""

    name: str
    label: str
    permission: str
    hint: str
    run: Callable[[Any, User, str], object]
    is_open: Callable[[Any], bool]
    tone: str = "plain"


class StepAdmin(ReadOnlyAdmin):
    """A read-only page with a button for each step that is of use and that the permissions allow."""

    steps: tuple[Step, ...] = ()
    change_form_outer_before_template = "admin/console/steps.html"

    def reached(self, row: Any) -> list[Any]:
        """Return the versions that a step on a row concerns."""
        return []

    def get_urls(self) -> list[URLPattern]:
        """Add the pages on which a step is confirmed."""
        view = self.admin_site.admin_view(self.take_step)
        return [path("<str:pk>/step/<str:name>/", view, name=self._url_name()), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page with its buttons."""
        row = self.get_object(request, unquote(object_id))
        buttons = [] if row is None else [(step, self._step_url(row, step)) for step in self._open_steps(request, row)]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "step_buttons": buttons})

    def take_step(self, request: HttpRequest, pk: str, name: str) -> HttpResponse:
        """Ask for a reason; with one, call the verb and say what came of it."""
        step = next((step for step in self.steps if step.name == name), None)
        if step is None:
            raise Http404
        if not isinstance(request.user, User) or not request.user.has_perm(step.permission):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        form = NeededCommentForm(request.POST if request.method == "POST" else None, auto_id="step-%s")
        if form.is_bound and form.is_valid():
            return self._run(request, step, row, request.user, form.cleaned_data["comment"])
        context = {
            **self.admin_site.each_context(request),
            "title": f"{step.label}: {row}",
            "opts": self.opts,
            "row": row,
            "step": step,
            "form": form,
            "blast": blast_radius(self.reached(row)),
            "back": self._change_url(row),
        }
        return TemplateResponse(request, "admin/console/step.html", context, status=422 if form.is_bound else 200)

    def _run(self, request: HttpRequest, step: Step, row: Any, user: User, reason: str) -> HttpResponse:
        try:
            step.run(row, user, reason)
        except PlatformError as error:
            tell_failure(request, step.label, error)
        else:
            messages.success(request, f"Done: {step.label.lower()}.")
        return redirect(self._change_url(row))

    def _open_steps(self, request: HttpRequest, row: Any) -> list[Step]:
        return [step for step in self.steps if step.is_open(row) and request.user.has_perm(step.permission)]

    def _step_url(self, row: Any, step: Step) -> str:
        return reverse(f"admin:{self._url_name()}", args=[row.pk, step.name])

    def _change_url(self, row: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])

    def _url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_step"
