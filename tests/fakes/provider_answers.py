"""What the fake provider answers, before and after the switches made it wrong."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from examples.acme_weather.capabilities import Call, ProviderError
from examples.acme_weather.provider import VERSION, invalid_signature, not_found, parse_call
from tests.fakes.recording import RecordedRequest
from tests.fakes.switches import Json, Reply

if TYPE_CHECKING:
    from tests.fakes.provider import FakeProvider

GOOD_PARAMS: dict[str, Json] = {"create_task": {"title": "Whatever was asked"}}
PLAIN_ANSWER: Json = {"status": "ok", "data": {}, "ttl": 900, "metadata": {}}


def answer(provider: "FakeProvider", request: RecordedRequest) -> Reply:
    """Act on a request and return the answer that is due."""
    try:
        if request.route == "execute":
            return execute(provider, request)
        if request.route == "webhooks":
            return take_webhook(provider, request)
        if request.route == "health":
            return tell_health(provider)
        raise not_found()
    except ProviderError as error:
        return json_reply(error.status_code, error.body)


def execute(provider: "FakeProvider", request: RecordedRequest) -> Reply:
    """Check and run an execute call; raises ProviderError as Acme Weather does."""
    is_refused = (not request.signatures["hex"] and not provider.accept_bad_signatures) or (
        not request.signatures["timestamp"] and not provider.accept_stale_timestamps
    )
    if is_refused:
        raise invalid_signature()
    content = run_capability(provider, request)
    return content if isinstance(content, Reply) else json_reply(200, falsify(provider, request, content))


def run_capability(provider: "FakeProvider", request: RecordedRequest) -> Json | Reply:
    """Return the answer of `answers`, or else Acme Weather's; raises ProviderError."""
    name = request.path.partition("?")[0].split("/")[-2]
    scripted = provider.answers.get(name)
    if scripted is None and provider.accept_unknown_capabilities and name not in provider.capabilities.modes:
        return dict(PLAIN_ANSWER)
    if scripted is None:
        provider.capabilities.require_known(name)
    call = checked_call(provider, name, request)
    if scripted is None:
        return run_as_acme(provider, call)
    content = scripted(call) if callable(scripted) else scripted
    return content if isinstance(content, Reply) else {**PLAIN_ANSWER, **content}


def checked_call(provider: "FakeProvider", name: str, request: RecordedRequest) -> Call:
    """Parse the call; raises ProviderError. With `act_twice` its idempotency key is forgotten."""
    headers = {
        "X-Aiffinity-User-Id": request.headers.get("x-aiffinity-user-id", ""),
        "Idempotency-Key": None if provider.act_twice else request.headers.get("idempotency-key"),
    }
    try:
        return parse_call(name, headers, request.body)
    except ProviderError as error:
        if provider.accept_bad_params and error.code == "invalid_params":
            mode = provider.capabilities.modes.get(name, "state")
            return Call(name, mode, {}, str(headers["X-Aiffinity-User-Id"]), None, {})
        raise


def run_as_acme(provider: "FakeProvider", call: Call) -> Json:
    """Run a call as Acme Weather does; raises ProviderError."""
    try:
        return provider.capabilities.run(call)
    except ProviderError as error:
        if provider.accept_bad_params and error.code == "invalid_params":
            return provider.capabilities.run(replace(call, params=GOOD_PARAMS.get(call.capability, {})))
        raise


def falsify(provider: "FakeProvider", request: RecordedRequest, content: Json) -> Json:
    """Return the answer as the switches for its content want it."""
    content = dict(content)
    if provider.ttl is not None:
        content["ttl"] = provider.ttl
    if provider.wrong_schema:
        wrong = "not what the schema says"
        content["data"] = [wrong] if isinstance(content.get("data"), list) else wrong
    if provider.echo_secrets:
        context = request.json.get("context", {})
        content["metadata"] = {**content.get("metadata", {}), "echo": {"context": context, "headers": request.headers}}
        if isinstance(content.get("data"), dict):
            # Without the headers, which differ from call to call: a repeated action answers the same.
            content["data"] = {**content["data"], "echo": {"context": context}}
    return content


def distort(provider: "FakeProvider", reply: Reply) -> Reply:
    """Return the reply as the switches for the answer as a whole want it."""
    headers = {**reply.headers, **provider.headers}
    if provider.redirect_to is not None:
        return Reply(provider.status_code or 302, b"{}", {**headers, "Location": provider.redirect_to})
    if provider.malformed_json:
        return Reply(provider.status_code or reply.status_code, b'{"status": "ok", "data": {', headers)
    if provider.oversize:
        padding = "x" * provider.oversize_bytes
        return replace(json_reply(provider.status_code or 200, {**PLAIN_ANSWER, "padding": padding}), headers=headers)
    if provider.status_code is not None:
        is_retryable = provider.status_code == 429 or provider.status_code >= 500
        error = ProviderError(provider.status_code, "forced", "The test wants it.", is_retryable=is_retryable)
        return replace(json_reply(provider.status_code, error.body), headers=headers)
    return replace(reply, headers=headers)


def take_webhook(provider: "FakeProvider", request: RecordedRequest) -> Reply:
    """Answer a delivery by the script, and 401 one whose signatures don't hold."""
    if not request.is_verified and not provider.accept_bad_signatures:
        raise invalid_signature()
    step = provider.next_webhook_step()
    provider.stopping.wait(step.delay_ms / 1000)
    return Reply(step.status_code, step.content, step.headers)


def tell_health(provider: "FakeProvider") -> Reply:
    """Return the health body in the documents' format."""
    capabilities = dict.fromkeys([*provider.capabilities.modes, *provider.answers], "healthy")
    body = {
        "status": "unhealthy" if provider.unhealthy else "ok",
        "version": VERSION,
        "uptime_seconds": 86400,
        "capabilities": {**capabilities, **provider.capability_health},
    }
    return json_reply(provider.health_status, body)


def json_reply(status_code: int, content: Any) -> Reply:
    """Return a reply of that JSON."""
    return Reply(status_code, json.dumps(content).encode())
