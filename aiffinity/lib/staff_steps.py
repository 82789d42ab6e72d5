"""What staff does with a row of the console: each step is confirmed on a page of its own, with a reason, by POST."""

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
from aiffinity.lib.staff_messages import tell_failure
from aiffinity.lib.staff_pages import ReadOnlyAdmin

MAX_REASON_CHARACTERS = 5000


class ReasonForm(forms.Form):
    """Why somebody does it; the audit log keeps it, and where it concerns them, the provider reads it."""

    reason = forms.CharField(max_length=MAX_REASON_CHARACTERS, label="Why", widget=forms.Textarea(attrs={"rows": 4}))


class MomentField(forms.DateTimeField):
    """A time as the console shows it, or as the API does."""

    def to_python(self, value: Any) -> datetime | None:
        """Take the zone that stands behind the console's times."""
        return super().to_python(value.strip().removesuffix("UTC") if isinstance(value, str) else value)


class SinceForm(ReasonForm):
    """From when on, and why."""

    since = MomentField(label="Since (UTC)", help_text="Such as 2026-04-04 10:00.")
    field_order = ["since", "reason"]

    def clean_since(self) -> datetime:
        """Refuse the future."""
        since: datetime = self.cleaned_data["since"]
        if since > timezone.now():
            raise forms.ValidationError("This lies in the future; nothing has failed since.")
        return since


@dataclass(frozen=True)
class Step:
    """One step: `run` calls the verb with the row, the user and the form's values and says what came of it.

    `is_open` says whether it is of use just now; what it returns as text is shown, else that it is done.
    """

    name: str
    label: str
    permission: str
    hint: str
    run: Callable[[Any, Any, dict[str, Any]], object]
    is_open: Callable[[Any], bool]
    form: type[forms.Form] = ReasonForm
    tone: str = "plain"


class StepAdmin(ReadOnlyAdmin):
    """A read-only page with a button for each step that is of use and that the permissions allow."""

    steps: tuple[Step, ...] = ()
    change_form_outer_before_template = "admin/console/steps.html"

    def facts(self, row: Any) -> dict[str, int]:
        """Return the figures that somebody should see before they confirm, by name."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        """Add the pages on which a step is confirmed."""
        view = self.admin_site.admin_view(self.take_step)
        return [path("<str:pk>/step/<str:name>/", view, name=self._url_name("step")), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page with its buttons."""
        row = self.get_object(request, unquote(object_id)) if self._allowed(request) else None
        buttons = [(step, self._step_url(row, step)) for step in self._allowed(request) if row and step.is_open(row)]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "step_buttons": buttons})

    def take_step(self, request: HttpRequest, pk: str, name: str) -> HttpResponse:
        """Ask for what the step needs; with it, call the verb and say what came of it."""
        step = next((step for step in self.steps if step.name == name), None)
        if step is None:
            raise Http404
        if step not in self._allowed(request):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        form = step.form(request.POST if request.method == "POST" else None, auto_id="step-%s")
        if form.is_bound and form.is_valid():
            return self._run(request, step, row, form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{step.label}: {row}",
            "opts": self.opts,
            "row": row,
            "step": step,
            "form": form,
            "facts": self.facts(row),
            "back": self._change_url(row),
        }
        return TemplateResponse(request, "admin/console/step.html", context, status=422 if form.is_bound else 200)

    def _run(self, request: HttpRequest, step: Step, row: Any, values: dict[str, Any]) -> HttpResponse:
        try:
            told = step.run(row, request.user, values)
        except PlatformError as error:
            tell_failure(request, step.label, error)
        else:
            messages.success(request, told if isinstance(told, str) else f"Done: {step.label.lower()}.")
        return redirect(self._change_url(row))

    def _allowed(self, request: HttpRequest) -> list[Step]:
        return [step for step in self.steps if request.user.has_perm(step.permission)]

    def _step_url(self, row: Any, step: Step) -> str:
        return reverse(f"admin:{self._url_name('step')}", args=[row.pk, step.name])

    def _change_url(self, row: Any) -> str:
        return reverse(f"admin:{self._url_name('change')}", args=[row.pk])

    def _url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"
