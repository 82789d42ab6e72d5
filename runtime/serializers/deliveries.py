"""Queries and answers about webhook deliveries."""

import json
from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from aiffinity.lib.cursors import cursor_field
from aiffinity.lib.serializers import GivenTimeField, StrictSerializer
from runtime.event_types import EVENT_TYPES
from runtime.models import Delivery, DeliveryAttempt, DeliveryStatus, Recovery


class DeliveryQuery(serializers.Serializer[Any]):
    """Filters of the list of deliveries."""

    status = serializers.ChoiceField(
        choices=DeliveryStatus.choices,
        required=False,
        help_text="One state alone.",
        error_messages={"invalid_choice": f"Use one of {', '.join(DeliveryStatus.values)}."},
    )
    event = serializers.ChoiceField(
        choices=sorted(EVENT_TYPES),
        required=False,
        help_text="A type of event.",
        error_messages={"invalid_choice": "Use one type of event, such as install.created; groups are for profiles."},
    )
    since = serializers.DateTimeField(required=False, help_text="Deliveries made at this time or later.")
    cursor = cursor_field()


class RecoveryBody(StrictSerializer):
    """Which failed deliveries are sent again."""

    since = serializers.DateTimeField(help_text="Every delivery that failed at this time or later.")

    def validate_since(self, since: datetime) -> datetime:
        """Refuse the future, in which nothing has failed."""
        if since > timezone.now():
            raise serializers.ValidationError("This lies in the future; nothing has failed since.", code="future")
        return since


class RecoveryOut(serializers.ModelSerializer[Recovery]):
    """How far a recovery is; its deliveries keep their ids and bodies and start a fresh series of attempts."""

    app_id = serializers.CharField(source="endpoint_id")
    event = serializers.SerializerMethodField(help_text="The one type of event that it is about; null for all.")
    since = GivenTimeField(help_text="As it was asked for.")
    stop_reason = serializers.SerializerMethodField(help_text="Why it was stopped; null where it wasn't.")

    class Meta:
        model = Recovery
        fields = [
            "id",
            "app_id",
            "kind",
            "event",
            "since",
            "until",
            "status",
            "count",
            "resent_count",
            "stop_reason",
            "created_at",
            "finished_at",
        ]
        extra_kwargs = {
            "kind": {
                "help_text": "`failed`: what failed from `since` to `until`; `posted`: what was posted then, delivered "
                "or not; `posted_and_failed`: what was posted then and failed."
            },
            "until": {"help_text": "When it was asked for last; what fails later is not sent again."},
            "status": {"help_text": "`running`, `finished`, or `stopped` where the endpoint gets nothing any more."},
            "count": {"help_text": "How many deliveries are sent again; null for a moment where they are very many."},
            "resent_count": {"help_text": "How many of them are pending again, or sent already."},
        }

    @extend_schema_field({"type": ["string", "null"]})
    def get_event(self, recovery: Recovery) -> str | None:
        """Answer the type, null where there is none."""
        return recovery.event_type or None

    @extend_schema_field({"type": ["string", "null"]})
    def get_stop_reason(self, recovery: Recovery) -> str | None:
        """Answer the reason, null where there is none."""
        return recovery.stop_reason or None


class DeliveryAttemptOut(serializers.ModelSerializer[DeliveryAttempt]):
    """One attempt; `error` says why it failed, `response_excerpt` is the answer's first 2 KiB."""

    class Meta:
        model = DeliveryAttempt
        fields = ["number", "attempted_at", "status_code", "latency_ms", "response_excerpt", "error"]
        extra_kwargs = {"error": {"help_text": "Why it failed; empty where it didn't."}}


class DeliveryOut(serializers.ModelSerializer[Delivery]):
    """A delivery: one event on its way to the app's endpoint."""

    app_id = serializers.CharField(source="endpoint_id")
    event_id = serializers.CharField()
    event = serializers.CharField(source="event.type")
    next_attempt_at = serializers.SerializerMethodField(
        help_text="When it is tried next; null while it is being sent and once it is over."
    )

    class Meta:
        model = Delivery
        fields = [
            "id",
            "app_id",
            "event_id",
            "event",
            "status",
            "attempts_made",
            "next_attempt_at",
            "last_status_code",
            "last_error",
            "created_at",
            "finished_at",
        ]
        extra_kwargs = {"last_error": {"help_text": "Why it failed last or was stopped; empty where it didn't."}}

    @extend_schema_field({"type": ["string", "null"], "format": "date-time"})
    def get_next_attempt_at(self, delivery: Delivery) -> str | None:
        """Leave out the end of a lease, which stands in the same column."""
        is_waiting = delivery.next_attempt_at is not None and delivery.lease_until is None
        return self.fields["created_at"].to_representation(delivery.next_attempt_at) if is_waiting else None


class DeliveryDetailOut(DeliveryOut):
    """A delivery with the body that it sends and every attempt, oldest first."""

    payload = serializers.SerializerMethodField(help_text="The event's body, as it is sent.")
    attempts = DeliveryAttemptOut(many=True)

    class Meta(DeliveryOut.Meta):
        fields = [*DeliveryOut.Meta.fields, "payload", "attempts"]

    def get_payload(self, delivery: Delivery) -> dict[str, Any]:
        """Parse the frozen body."""
        payload: dict[str, Any] = json.loads(delivery.event.body)
        return payload
