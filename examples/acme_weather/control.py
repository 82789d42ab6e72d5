"""What the demo and tests do to a running Acme Weather; a real provider has none of this."""

from dataclasses import replace
from typing import TYPE_CHECKING

from examples.acme_weather.capabilities import Json, ProviderError

if TYPE_CHECKING:
    from examples.acme_weather.provider import AcmeServer


def change(server: "AcmeServer", wanted: Json) -> None:
    """Do what the body of POST /control asks for; raises ProviderError `invalid_request` (400).

    `signing_secret` is a text; `oauth_client` and `oauth` name fields of OAuthClient and Switches; `refuse_calls`
    takes every access token for ended until it is false again, `end_access_tokens` ends those of now for good, and
    `forget` makes the authorization server anew before anything else.
    """
    known = {"signing_secret", "oauth_client", "oauth", "refuse_calls", "end_access_tokens", "forget"}
    if not wanted or set(wanted) - known:
        raise ProviderError(400, "invalid_request", f"signing_secret: is required, or one of {sorted(known)}.")
    secret = wanted.get("signing_secret", server.signing_secret)
    if not isinstance(secret, str) or ("signing_secret" in wanted and not secret):
        raise ProviderError(400, "invalid_request", "signing_secret: is required.")
    server.signing_secret = secret
    store = server.oauth_store
    if wanted.get("forget"):
        store.forget()
    with store.lock:
        try:
            store.client = replace(store.client, **wanted.get("oauth_client", {}))
            store.switches = replace(store.switches, **wanted.get("oauth", {}))
        except TypeError as error:
            raise ProviderError(400, "invalid_request", f"oauth: {error}") from error
        if wanted.get("end_access_tokens"):
            for pair in store.tokens:
                pair.lifetime_seconds = 0
    server.access.refuses_calls = bool(wanted.get("refuse_calls", server.access.refuses_calls))


def received(server: "AcmeServer") -> Json:
    """Return what GET /control/received tells: webhooks, tasks, and the authorization server's state."""
    store = server.store
    return {"events": store.deliveries(), "tasks": store.count_tasks(), "oauth": server.oauth_store.state()}
