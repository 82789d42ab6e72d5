curl -X PUT $BASE/v1/providers/runtime/apps/$APP_ID/webhooks \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "url": "https://acmeweather.com/webhooks/aiffinity",
    "events": [
      "package.submitted",
      "package.published",
      "package.suspended",
      "install.created",
      "install.removed",
      "capability.invoked",
      "capability.failed"
    ],
    "signature": {
      "algorithm": "hmac-sha256",
      "header": "X-Aiffinity-Signature",
      "secret": "whsec_your-signing-secret"
    },
    "timeout_ms": 5000,
    "retry_policy": {
      "max_retries": 5,
      "backoff": "exponential",
      "initial_delay_ms": 1000,
      "max_delay_ms": 300000,
      "max_elapsed_hours": 24
    }
  }'
