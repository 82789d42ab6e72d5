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
that you have seen.

## When it is tried again

Answer any 2xx within `timeout_ms`; every other answer, a redirect too (none is followed), and silence are failed
attempts. A failed delivery is tried again after min(`initial_delay_ms` * 2ⁿ, `max_delay_ms`) ± 20 %, until `max_retries`
or `max_elapsed_hours` is reached, whichever comes first. 429 and 503 may put it off by `Retry-After` (seconds or a date,
at most four hours); 410 disables the endpoint.

| field of the webhook profile | range | default |
| --- | --- | --- |
| `timeout_ms` | 100 to 30,000 | 5,000 |
| `rate_limit_per_second` | 1 to 1,000 | 200 |
| `retry_policy.max_retries` | 0 to 30 | 18 |
| `retry_policy.initial_delay_ms` | 100 to 60,000 | 1,000 |
| `retry_policy.max_delay_ms` | 100 to 14,400,000 | 14,400,000 |
| `retry_policy.max_elapsed_hours` | 1 to 72 | 24 |

An endpoint gets at most `rate_limit_per_second` attempts a second, after a pause at most one second's worth at once. When
five deliveries in a row, or more than half of the last twenty, found it down (no answer, 5xx or 429), it is left alone
for 30 seconds; then a single delivery tries whether it is back. What waits meanwhile uses up no attempt.

## When it stops

After three days without one success the endpoint is disabled; mails come at 50 % and 75 % of that time and at its end.
Mend it and put the webhook profile again, or change the app's `webhook_url`: the endpoint starts with a clean record, and
answers to what was sent before no longer count (a 410 among them is tried again). Retries that were planned for later go
on; deliveries that fell due while it was disabled are failed, and events of that time were not kept for it.

- `GET …/webhook-deliveries` lists deliveries (`status`, `event`, `since`, `cursor`), `GET …/webhook-deliveries/{id}` shows
  one with its attempts: status, latency, the first 2 KiB of the answer, and why it failed. All is kept for 30 days.
- `POST …/webhook-deliveries/{id}/replay` sends one once more.
- `POST …/webhooks/recover` with `since` sends all once more that failed since, at half the rate limit. It answers at
  once with a recovery, `rcv_…`, which workers carry out: `count` is how many there are (null for a moment where they are
  very many), `resent_count` how many are pending again or sent already. What is asked for again while it is running is
  the same recovery, which goes on to what failed meanwhile. It is `stopped` where the endpoint is disabled or the app's
  `webhook_url` is taken out; ask again once it is mended.
- `GET …/webhooks/recoveries` lists recoveries for 30 days, `GET …/webhooks/recoveries/{id}` shows one.
- `POST …/webhooks/test` sends a `platform.ping`.

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
