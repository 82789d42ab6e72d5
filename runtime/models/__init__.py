"""Tables of the runtime room."""

from runtime.models.apps import (
    CapabilityTemplate,
    HealthCheck,
    HealthStatus,
    NamedSecret,
    RuntimeApp,
    RuntimeStatus,
)
from runtime.models.connections import AuthorizationRequest, Connection, ConnectionStatus
from runtime.models.recoveries import Recovery, RecoveryKind, RecoveryStatus
from runtime.models.webhooks import Delivery, DeliveryAttempt, DeliveryStatus, Event, WebhookEndpoint

__all__ = [
    "AuthorizationRequest",
    "CapabilityTemplate",
    "Connection",
    "ConnectionStatus",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryStatus",
    "Event",
    "HealthCheck",
    "HealthStatus",
    "NamedSecret",
    "Recovery",
    "RecoveryKind",
    "RecoveryStatus",
    "RuntimeApp",
    "RuntimeStatus",
    "WebhookEndpoint",
]
