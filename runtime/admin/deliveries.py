"""Events, deliveries and attempts as ops see them; a delivery is replayed by POST."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from aiffinity.lib.staff_pages import ReadOnlyAdmin
from aiffinity.lib.staff_steps import Step, StepAdmin
from providers.models import User
from runtime.deliveries.resending import replay_delivery
from runtime.event_types import EVENT_TYPES
from runtime.models import Delivery, DeliveryAttempt, DeliveryStatus, Event

OPERATE = "runtime.operate_webhooks"
STATUS_COLOURS = {
    DeliveryStatus.PENDING: "warning",
    DeliveryStatus.DELIVERED: "success",
    DeliveryStatus.FAILED: "danger",
}
# Ids are compared as they are: a comparison that ignores case goes through every row.
DELIVERY_SEARCH = ("id__exact", "event__id__exact", "endpoint__runtime_app__app__id__exact")
Filters = list[tuple[str, str]]
Values = dict[str, Any]


def _replay(delivery: Delivery, user: User, values: Values) -> str:
    replay_delivery(delivery, actor=f"user:{user.pk}", reason=values["reason"])
    return "The delivery is sent again."


def link_to_list(model: str, query: str, text: str) -> str:
    """Return a link to a list, narrowed by a query."""
    url = reverse(f"admin:runtime_{model}_changelist")
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}?{}">{}</a>', url, query, text)


class EventTypeFilter(admin.SimpleListFilter):
    """Rows of one type of event; the types are the documented ones, so that nothing is counted."""

    title = "event"
    parameter_name = "event_type"
    field = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Filters:
        """Name the types."""
        return [(name, name) for name in EVENT_TYPES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those of the chosen type."""
        return queryset.filter(**{self.field: self.value()}) if self.value() else queryset


class DeliveryEventTypeFilter(EventTypeFilter):
    """Deliveries of one type of event."""

    field = "event__type"


class OutcomeFilter(admin.SimpleListFilter):
    """Attempts that succeeded, were refused, or got no answer."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Filters:
        """Name the outcomes."""
        return [("success", "2xx"), ("refused", "Another answer"), ("silent", "No answer")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those of the chosen outcome."""
        if self.value() == "success":
            return queryset.filter(status_code__gte=200, status_code__lt=300)
        if self.value() == "refused":
            return queryset.filter(status_code__isnull=False).exclude(status_code__gte=200, status_code__lt=300)
        return queryset.filter(status_code=None) if self.value() == "silent" else queryset


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Events, the newest first, with the exact body that was sent."""

    list_display = ("id", "type", "app", "created_at")
    list_filter = (EventTypeFilter,)
    list_select_related = ("app",)
    search_fields = ("id__exact", "app__id__exact")
    ordering = ("-pk",)
    readonly_fields = ("id",)
    fields = ("id", "type", "app", "created_at", "body")


@admin.register(Delivery)
class DeliveryAdmin(StepAdmin):
    """Deliveries of events, the newest first; one can be replayed."""

    steps = (
        Step(
            "replay",
            "Replay this delivery",
            OPERATE,
            "The same body goes out once more under the same ids, with a fresh series of retries.",
            _replay,
            lambda delivery: delivery.lease_until is None,
        ),
    )
    list_display = (
        *("id", "state", "last_error", "event_type", "app", "attempts_made"),
        *("next_attempt_at", "created_at", "finished_at"),
    )
    list_filter = ("status", DeliveryEventTypeFilter)
    list_select_related = ("event", "endpoint__runtime_app__app")
    search_fields = DELIVERY_SEARCH
    ordering = ("-pk",)
    readonly_fields = ("id", "app", "attempts_log")
    fields = (
        *("id", "event", "app", "endpoint", "status", "last_status_code", "last_error", "attempts_log"),
        *("attempts_made", "next_attempt_at", "created_at", "finished_at"),
        *("series_started_at", "attempts_before_series", "lease_until", "fence"),
    )

    @admin.display(description="Event")
    def event_type(self, delivery: Delivery) -> str:
        """Name the type of the event."""
        return delivery.event.type

    @admin.display(description="App")
    def app(self, delivery: Delivery) -> str:
        """Name the app whose endpoint it is."""
        return str(delivery.endpoint.runtime_app.app)

    @admin.display(description="Status", ordering="status")
    def state(self, delivery: Delivery) -> str:
        """Show the status."""
        return delivery.status

    state.label = STATUS_COLOURS  # type: ignore[attr-defined]  # Unfold reads it.

    @admin.display(description="Attempts")
    def attempts_log(self, delivery: Delivery) -> str:
        """Link to the delivery's attempts."""
        return link_to_list("deliveryattempt", f"delivery={delivery.pk}", "Show")


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(ReadOnlyAdmin):
    """Attempts, the newest first: what was answered, how fast, or why nothing was."""

    list_display = ("attempted_at", "delivery", "number", "outcome", "latency_ms", "error")
    list_filter = (OutcomeFilter,)
    list_select_related = ("delivery",)
    search_fields = DELIVERY_SEARCH
    ordering = ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DeliveryAttempt], search_term: str
    ) -> tuple[QuerySet[DeliveryAttempt], bool]:
        """Find a delivery's attempts by what finds the delivery; conditions on both tables at once use no index."""
        if not search_term:
            return queryset, False
        found, _ = super().get_search_results(request, Delivery.objects.all(), search_term)
        return queryset.filter(delivery__in=found), False

    @admin.display(description="Answer", ordering="status_code")
    def outcome(self, attempt: DeliveryAttempt) -> tuple[str, str]:
        """Show the status, coloured by its kind."""
        if attempt.status_code is None:
            return "silent", "No answer"
        return ("success" if 200 <= attempt.status_code < 300 else "refused"), str(attempt.status_code)

    outcome.label = {"success": "success", "refused": "danger", "silent": "danger"}  # type: ignore[attr-defined]
