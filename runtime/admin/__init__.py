"""Admin pages of the runtime room."""

from runtime.admin.apps import CapabilityTemplateAdmin, HealthCheckAdmin, NamedSecretAdmin, RuntimeAppAdmin
from runtime.admin.deliveries import DeliveryAdmin, DeliveryAttemptAdmin, EventAdmin
from runtime.admin.recoveries import RecoveryAdmin
from runtime.admin.webhooks import WebhookEndpointAdmin

__all__ = [
    "CapabilityTemplateAdmin",
    "DeliveryAdmin",
    "DeliveryAttemptAdmin",
    "EventAdmin",
    "HealthCheckAdmin",
    "NamedSecretAdmin",
    "RecoveryAdmin",
    "RuntimeAppAdmin",
    "WebhookEndpointAdmin",
]
