"""Webhook endpoints as ops see them; they are enabled, recovered and tested by POST."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.text import Truncator

from aiffinity.lib.staff_steps import SinceForm, Step, StepAdmin
from providers.models import User
from runtime.admin.deliveries import OPERATE, Filters, Values, link_to_list
from runtime.deliveries.enabling import enable_endpoint
from runtime.deliveries.recovering import recover_deliveries
from runtime.deliveries.resending import send_ping
from runtime.models import WebhookEndpoint

LISTED_URL_CHARACTERS = 60
STATE_COLOURS = {"healthy": "success", "failing": "warning", "left alone": "warning", "disabled": "danger"}


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
    list_display = ("app", "state", "state_since", "company", "listed_address", "last_success_at", "all_deliveries")
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

    @admin.display(description="Since")
    def state_since(self, endpoint: WebhookEndpoint) -> datetime | None:
        """Say since when it is disabled, or fails."""
        return endpoint.disabled_at or endpoint.failing_since

    @admin.display(description="URL")
    def address(self, endpoint: WebhookEndpoint) -> str:
        """Show where deliveries go."""
        return endpoint.runtime_app.app.webhook_url or "none"

    @admin.display(description="URL", ordering="runtime_app__app__webhook_url")
    def listed_address(self, endpoint: WebhookEndpoint) -> str:
        """Show as much of where deliveries go as a list has room for."""
        return Truncator(self.address(endpoint)).chars(LISTED_URL_CHARACTERS)

    @admin.display(description="Deliveries")
    def all_deliveries(self, endpoint: WebhookEndpoint) -> str:
        """Link to the endpoint's deliveries."""
        return link_to_list("delivery", f"endpoint={endpoint.pk}", "Show")

    @admin.display(description="Deliveries")
    def deliveries(self, endpoint: WebhookEndpoint) -> str:
        """Link to the endpoint's deliveries: all, those that failed, and those that are yet to come."""
        links = [
            link_to_list("delivery", f"{narrowed}endpoint={endpoint.pk}", text)
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
        return link_to_list("recovery", f"endpoint={endpoint.pk}", "Show")
