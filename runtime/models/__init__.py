"""Tables of the runtime room."""

from runtime.models.apps import (
    CapabilityTemplate,
    HealthCheck,
    HealthStatus,
    NamedSecret,
    RuntimeApp,
    RuntimeStatus,
)
from runtime.models.webhooks import Delivery, DeliveryAttempt, DeliveryStatus, Event, WebhookEndpoint

__all__ = [
    "CapabilityTemplate",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryStatus",
    "Event",
    "HealthCheck",
    "HealthStatus",
    "NamedSecret",
    "RuntimeApp",
    "RuntimeStatus",
    "WebhookEndpoint",
]
