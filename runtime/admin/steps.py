"""What staff does with webhooks and connections: each step is confirmed on a page of its own, with a reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from aiffinity.lib.errors import PlatformError
from aiffinity.lib.staff_pages import ReadOnlyAdmin
from providers.models import User

PERMISSION = "runtime.operate_webhooks"


class ReasonForm(forms.Form):
    """Why somebody does it; the audit log keeps it."""

    reason = forms.CharField(max_length=400, label="Why", widget=forms.Textarea(attrs={"rows": 3}))


class SinceForm(ReasonForm):
    """From when on, and why."""

    since = forms.DateTimeField(label="Since (UTC)", help_text="Such as 2026-04-04 10:00.")
    field_order = ["since", "reason"]

    def clean_since(self) -> datetime:
        """Refuse the future."""
        since: datetime = self.cleaned_data["since"]
        if since > timezone.now():
            raise forms.ValidationError("This lies in the future; nothing has failed since.")
        return since


@dataclass(frozen=True)
class Step:
    """One step: `run` calls the verb with the row, the actor and the form's values and says what came of it."""

    name: str
    label: str
    hint: str
    run: Callable[[Any, str, dict[str, Any]], str]
    is_open: Callable[[Any], bool]
    form: type[forms.Form] = ReasonForm
    tone: str = "plain"


class StepAdmin(ReadOnlyAdmin):
    """A read-only page with a button for each step that is of use now."""

    permission = PERMISSION
    steps: tuple[Step, ...] = ()
    change_form_outer_before_template = "admin/console/steps.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the pages on which a step is confirmed."""
        view = self.admin_site.admin_view(self.take_step)
        return [path("<str:pk>/step/<str:name>/", view, name=self._url_name("step")), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page with its buttons."""
        row = self.get_object(request, unquote(object_id)) if request.user.has_perm(self.permission) else None
        buttons = [] if row is None else [(step, self._step_url(row, step)) for step in self.steps if step.is_open(row)]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "step_buttons": buttons})

    def take_step(self, request: HttpRequest, pk: str, name: str) -> HttpResponse:
        """Ask for what the step needs; with it, call the verb and say what came of it."""
        step = next((step for step in self.steps if step.name == name), None)
        if step is None:
            raise Http404
        if not isinstance(request.user, User) or not request.user.has_perm(self.permission):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        form = step.form(request.POST if request.method == "POST" else None, auto_id="step-%s")
        if form.is_bound and form.is_valid():
            return self._run(request, step, row, form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{step.label}: {row}",
            "opts": self.opts,
            "step": step,
            "form": form,
            "back": self._change_url(row),
        }
        return TemplateResponse(request, "admin/runtime/step.html", context, status=422 if form.is_bound else 200)

    def _run(self, request: HttpRequest, step: Step, row: Any, values: dict[str, Any]) -> HttpResponse:
        try:
            messages.success(request, step.run(row, f"user:{request.user.pk}", values))
        except PlatformError as error:
            messages.error(request, f"{step.label} did not happen: {error.message}")
        return redirect(self._change_url(row))

    def _step_url(self, row: Any, step: Step) -> str:
        return reverse(f"admin:{self._url_name('step')}", args=[row.pk, step.name])

    def _change_url(self, row: Any) -> str:
        return reverse(f"admin:{self._url_name('change')}", args=[row.pk])

    def _url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"
