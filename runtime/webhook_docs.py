"""docs/webhooks.md, made from the list of event types."""

from runtime.event_types import EVENT_TYPES

INTRODUCTION = """# Webhooks

Every event that an app subscribed to (`events` of its webhook profile: types, groups such as `package.*`, or `*`) is
posted to the app's `webhook_url` as JSON:

```json
{"id": "evt_…", "type": "install.created", "created_at": "2026-04-04T10:00:00Z", "app_id": "app_…",
 "idempotency_key": "…", "data": {}}
```

The body's bytes and the id are the same in every attempt; deliveries may come twice and in any order, so keep the ids
that you have seen. Answer any 2xx within `timeout_ms`; everything else is tried again by the profile's retry policy. A
410 disables the endpoint; 429 and 503 may name a `Retry-After`.

## Verify before you read

| header | value |
| --- | --- |
| `X-Aiffinity-Signature` (or the profile's `signature.header`) | hex HMAC-SHA256 of the raw body; the key is the whole secret, `whsec_…` included, as UTF-8 |
| `webhook-id`, `webhook-timestamp`, `webhook-signature` | Standard Webhooks: `v1,` + base64 HMAC-SHA256 of `id.timestamp.body`; the key is the base64 after `whsec_`; two signatures while a rotation's 24 hours last |
| `X-Aiffinity-Event`, `X-Aiffinity-Delivery`, `X-Aiffinity-Timestamp` | type, delivery id, time of the attempt in epoch seconds |

```python
import hashlib, hmac


def is_genuine(secret: str, signature: str, body: bytes) -> bool:
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, signature)
```

## Events
"""


def render_webhooks() -> str:
    """Render the introduction and every event type with its `data`."""
    lines = [INTRODUCTION]
    for event_type in EVENT_TYPES.values():
        lines += [f"### {event_type.name}", "", event_type.description, ""]
        if event_type.data_fields:
            lines += ["| data | |", "| --- | --- |"]
            lines += [f"| `{field.name}` | {field.description} |" for field in event_type.data_fields]
            lines.append("")
    return "\n".join(lines)
