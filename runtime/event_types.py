"""Every type of event that a provider can subscribe to, with its documented `data` (spec 3, spec 4 "Events").

The webhook documentation and the guard of `post_event` read this one list. A field that is not always there
says so in its text.
"""

from collections.abc import Iterable
from typing import NamedTuple

EVERYTHING = "*"
GROUP_SUFFIX = ".*"


class DataField(NamedTuple):
    """One member of an event's `data`."""

    name: str
    description: str


class EventType(NamedTuple):
    """A type, when it is posted, and what its `data` holds."""

    name: str
    description: str
    data_fields: tuple[DataField, ...]

    @property
    def group(self) -> str:
        """Return the first half of the name, which `group.*` subscribes to."""
        return self.name.partition(".")[0]


PACKAGE_FIELDS = (
    DataField("package_id", "The package."),
    DataField("version_id", "The version; absent where the package as a whole is meant."),
    DataField("version", "The version's number, such as 1.2.0."),
    DataField("name", "The package's name."),
    DataField("risk_tier", "The version's risk tier."),
)
SUBMITTED_BY = DataField("submitted_by", "Who submitted it: the account's user or app.")
REASONS = DataField("reasons", "The reasons out of the policy table, each with `code` and `title`.")
COMMENT = DataField("comment", "What was written beside the reasons; may be empty.")

INSTALL_FIELDS = (
    DataField("install_id", "The install."),
    DataField("package_id", "The package."),
    DataField("version_id", "The version that the install is pinned to."),
    DataField("version", "That version's number."),
    DataField("user_id", "The user's opaque id for this app (`usr_…`)."),
)
CAPABILITY_FIELDS = (
    DataField("capability_id", "The capability; absent where a health check failed."),
    DataField("capability", "The capability's name; absent where a health check failed."),
    DataField("invocation_id", "The call; absent where a health check failed."),
    DataField("install_id", "The install that was served."),
    DataField("user_id", "The user's opaque id for this app (`usr_…`)."),
    DataField("status", "How the call ended: ok, error or pending."),
    DataField("latency_ms", "How long the provider took, in milliseconds."),
    DataField("reason", "Why it failed: an error code, or `health_check_timeout`; absent on success."),
)
CONNECTION_FIELDS = (
    DataField("connection_id", "The connection."),
    DataField("install_id", "The install that it belongs to."),
    DataField("user_id", "The user's opaque id for this app (`usr_…`)."),
)
ALERT_FIELDS = (
    DataField("alert_id", "The alert."),
    DataField("capability_id", "The capability whose figures changed."),
    DataField("capability", "That capability's name."),
    DataField("metric", "The figure: latency_p95, error_rate, availability or schema_violations."),
    DataField("severity", "info, warning or critical."),
    DataField("value", "The figure over the last 15 minutes."),
    DataField("baseline", "The figure that it is compared with."),
)
HEALTH_FIELDS = (
    DataField("reason", "Why, such as `health_check_timeout`."),
    DataField("consecutive_failures", "How many health checks failed in a row."),
)


def _index(types: Iterable[EventType]) -> dict[str, EventType]:
    return {each.name: each for each in types}


EVENT_TYPES: dict[str, EventType] = _index(
    (
        EventType("package.submitted", "A version was submitted for review.", (*PACKAGE_FIELDS, SUBMITTED_BY)),
        EventType("package.approved", "A reviewer approved a version.", (*PACKAGE_FIELDS, REASONS, COMMENT)),
        EventType(
            "package.changes_requested",
            "A reviewer asks for changes before the version can be approved.",
            (*PACKAGE_FIELDS, REASONS, COMMENT),
        ),
        EventType("package.rejected", "A reviewer rejected a version.", (*PACKAGE_FIELDS, REASONS, COMMENT)),
        EventType("package.published", "A version is listed in the catalog.", (*PACKAGE_FIELDS, SUBMITTED_BY)),
        EventType(
            "package.suspended",
            "A version or the whole package was suspended; calls and installs stop at once.",
            (*PACKAGE_FIELDS, REASONS, COMMENT),
        ),
        EventType(
            "package.resumed",
            "A suspension was lifted; calls work again.",
            (*PACKAGE_FIELDS, REASONS, COMMENT),
        ),
        EventType(
            "package.deprecated",
            "The package left the catalog; those who have it keep it.",
            (*PACKAGE_FIELDS, REASONS, COMMENT),
        ),
        EventType(
            "install.created",
            "A user installed a package.",
            (*INSTALL_FIELDS, DataField("permissions", "The permissions that the user consented to.")),
        ),
        EventType("install.removed", "A user removed a package.", INSTALL_FIELDS),
        EventType("capability.invoked", "The provider answered a call.", CAPABILITY_FIELDS),
        EventType(
            "capability.failed",
            "A call failed, or a health check did.",
            (
                *CAPABILITY_FIELDS,
                DataField("consecutive_failures", "How many health checks failed in a row."),
            ),
        ),
        EventType("connection.created", "A user connected their account at the provider.", CONNECTION_FIELDS),
        EventType(
            "connection.failed",
            "The provider refused a stored connection; the user has to connect again.",
            (*CONNECTION_FIELDS, DataField("reason", "Why, as a stable word.")),
        ),
        EventType("connection.revoked", "A connection was revoked and erased.", CONNECTION_FIELDS),
        EventType(
            "webhook.disabled",
            "Deliveries to the app's endpoint stopped; put the webhook profile again to go on.",
            (
                DataField("reason", "`gone` (it answered 410) or `failing` (three days without a success)."),
                DataField("disabled_at", "When, ISO 8601 in UTC."),
            ),
        ),
        EventType("alert.raised", "A capability's figures fell behind its baseline.", ALERT_FIELDS),
        EventType("alert.resolved", "An alert's figures have been good for 15 minutes.", ALERT_FIELDS),
        EventType(
            "certification.changed",
            "A package's certification changed.",
            (
                DataField("package_id", "The package."),
                DataField("from", "The certification of before: certified, warning, revoked or none."),
                DataField("to", "The certification of now."),
                DataField("score", "The overall score of 0 to 100."),
            ),
        ),
        EventType(
            "app.degraded",
            "Three health checks in a row failed; the capabilities are suspended.",
            HEALTH_FIELDS,
        ),
        EventType(
            "app.recovered",
            "The app is degraded no longer: a health check succeeded, or the health URL was removed.",
            HEALTH_FIELDS,
        ),
        EventType(
            "platform.ping",
            "A test that was asked for with POST …/webhooks/test; it comes whatever is subscribed.",
            (DataField("message", "A sentence for whoever reads it."),),
        ),
    )
)
EVENT_GROUPS: frozenset[str] = frozenset(each.group for each in EVENT_TYPES.values())


def is_event_pattern(pattern: str) -> bool:
    """Say whether a webhook profile may list this: a type, `*`, or a group such as `package.*`."""
    is_group = pattern.endswith(GROUP_SUFFIX) and pattern.removesuffix(GROUP_SUFFIX) in EVENT_GROUPS
    return pattern == EVERYTHING or pattern in EVENT_TYPES or is_group


def is_subscribed(patterns: Iterable[str], event_type: str) -> bool:
    """Say whether one of a profile's patterns takes in a type."""
    return not {EVERYTHING, event_type, EVENT_TYPES[event_type].group + GROUP_SUFFIX}.isdisjoint(patterns)
