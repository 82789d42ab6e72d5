"""Webhook endpoints, events, deliveries and attempts as ops see them; verbs change them, by POST."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator

from aiffinity.lib.staff_pages import ReadOnlyAdmin
from aiffinity.lib.staff_steps import SinceForm, Step, StepAdmin
from providers.models import User
from runtime.deliveries.enabling import enable_endpoint
from runtime.deliveries.recovering import recover_deliveries
from runtime.deliveries.resending import replay_delivery, send_ping
from runtime.event_types import EVENT_TYPES
from runtime.models import Delivery, DeliveryAttempt, DeliveryStatus, Event, WebhookEndpoint

OPERATE = "runtime.operate_webhooks"
STATUS_COLOURS = {
    DeliveryStatus.PENDING: "warning",
    DeliveryStatus.DELIVERED: "success",
    DeliveryStatus.FAILED: "danger",
}
LISTED_URL_CHARACTERS = 60
STATE_COLOURS = {"healthy": "success", "failing": "warning", "left alone": "warning", "disabled": "danger"}
# Ids are compared as they are: a comparison that ignores case goes through every row.
DELIVERY_SEARCH = ("id__exact", "event__id__exact", "endpoint__runtime_app__app__id__exact")
Filters = list[tuple[str, str]]
Values = dict[str, Any]


def _enable(endpoint: WebhookEndpoint, user: User, values: Values) -> str:
    enable_endpoint(endpoint, actor=f"user:{user.pk}", reason=values["reason"])
    return "The endpoint is enabled."


def _recover(endpoint: WebhookEndpoint, user: User, values: Values) -> str:
    actor, reason = f"user:{user.pk}", values["reason"]
    recovery = recover_deliveries(endpoint, since=values["since"], actor=actor, reason=reason)
    return f"{recovery.describe_count()} deliveries are sent again; {recovery.pk} shows how far it is."


def _ping(endpoint: WebhookEndpoint, user: User, values: Values) -> str:
    delivery = send_ping(endpoint.runtime_app, actor=f"user:{user.pk}", reason=values["reason"])
    return f"The test is on its way: {delivery.pk}."


def _replay(delivery: Delivery, user: User, values: Values) -> str:
    replay_delivery(delivery, actor=f"user:{user.pk}", reason=values["reason"])
    return "The delivery is sent again."


def _link(model: str, query: str, text: str) -> str:
    url = reverse(f"admin:runtime_{model}_changelist")
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}?{}">{}</a>', url, query, text)


class StateFilter(admin.SimpleListFilter):
    """Endpoints that are disabled, fail, or do neither."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Filters:
        """Name the states."""
        return [("disabled", "Disabled"), ("failing", "Failing"), ("healthy", "Healthy")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those of the chosen state."""
        if self.value() == "disabled":
            return queryset.exclude(disabled_at=None)
        if self.value() in ("failing", "healthy"):
            return queryset.filter(disabled_at=None, failing_since__isnull=self.value() == "healthy")
        return queryset


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


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(StepAdmin):
    """Webhook endpoints with their standing; their deliveries can be recovered, and a disabled one enabled."""

    steps = (
        Step(
            "enable",
            "Enable this endpoint",
            OPERATE,
            "It starts over with a clean record. What was stopped meanwhile stays failed until it is recovered.",
            _enable,
            lambda endpoint: endpoint.disabled_at is not None,
        ),
        Step(
            "recover",
            "Recover failed deliveries",
            OPERATE,
            "Everything that failed since then is sent again, at half the endpoint's rate limit, with the same ids.",
            _recover,
            lambda endpoint: endpoint.disabled_at is None,
            form=SinceForm,
        ),
        Step(
            "ping",
            "Send a test",
            OPERATE,
            "A platform.ping goes to the provider's endpoint.",
            _ping,
            lambda endpoint: endpoint.disabled_at is None,
        ),
    )
    list_display = (
        *("app", "company", "listed_address", "state", "failing_since", "last_success_at", "disabled_at"),
        "deliveries",
    )
    list_filter = (StateFilter, "disabled_reason")
    list_select_related = ("runtime_app__app__account",)
    search_fields = (
        *("=runtime_app__app__id", "runtime_app__app__name", "runtime_app__app__account__company_name"),
        "runtime_app__app__webhook_url",
    )
    readonly_fields = ("app", "company", "address", "state", "deliveries", "recoveries")
    # What ops look for comes first, the settings next, and what the engine remembers last.
    fields = (
        *("app", "company", "address", "state", "deliveries", "recoveries"),
        *("failing_since", "last_success_at", "disabled_at", "disabled_reason"),
        *("events", "signature_header", "timeout_ms", "rate_limit_per_second"),
        *("max_retries", "initial_delay_ms", "max_delay_ms", "max_elapsed_hours"),
        *("warned_percent", "recent_outcomes", "breaker_open_until", "paced_until", "runtime_app"),
    )

    @admin.display(description="App", ordering="runtime_app__app__name")
    def app(self, endpoint: WebhookEndpoint) -> str:
        """Name the app whose endpoint it is."""
        return str(endpoint.runtime_app.app)

    @admin.display(description="Company", ordering="runtime_app__app__account__company_name")
    def company(self, endpoint: WebhookEndpoint) -> str:
        """Name the company behind the app."""
        return endpoint.runtime_app.app.account.company_name

    @admin.display(description="State")
    def state(self, endpoint: WebhookEndpoint) -> str:
        """Say how the endpoint stands."""
        if endpoint.disabled_at is not None:
            return "disabled"
        if endpoint.breaker_open_until is not None:
            return "left alone"
        return "failing" if endpoint.failing_since is not None else "healthy"

    state.label = STATE_COLOURS  # type: ignore[attr-defined]  # Unfold reads it.

    @admin.display(description="URL")
    def address(self, endpoint: WebhookEndpoint) -> str:
        """Show where deliveries go."""
        return endpoint.runtime_app.app.webhook_url or "none"

    @admin.display(description="URL", ordering="runtime_app__app__webhook_url")
    def listed_address(self, endpoint: WebhookEndpoint) -> str:
        """Show as much of where deliveries go as a list has room for."""
        return Truncator(self.address(endpoint)).chars(LISTED_URL_CHARACTERS)

    @admin.display(description="Deliveries")
    def deliveries(self, endpoint: WebhookEndpoint) -> str:
        """Link to the endpoint's deliveries: all, those that failed, and those that are yet to come."""
        links = [
            _link("delivery", f"{narrowed}endpoint={endpoint.pk}", text)
            for text, narrowed in (
                ("All", ""),
                ("Failed", "status__exact=failed&"),
                ("Pending", "status__exact=pending&"),
            )
        ]
        return format_html_join(" · ", "{}", ((link,) for link in links))

    @admin.display(description="Recoveries")
    def recoveries(self, endpoint: WebhookEndpoint) -> str:
        """Link to what was asked to be sent again."""
        return _link("recovery", f"endpoint={endpoint.pk}", "Show")


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
        *("id", "event_type", "app", "state", "attempts_made", "last_status_code", "last_error"),
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
        return _link("deliveryattempt", f"delivery={delivery.pk}", "Show")


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
