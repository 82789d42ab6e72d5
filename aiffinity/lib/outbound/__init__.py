"""The platform's one way out: every request to a provider, webhook endpoint or token server leaves through
here.

A URL is judged by its text alone when it is saved and again when it is sent, and the address behind it is
judged by libcurl's socket callback at the moment of the connection, so that no second look-up can lead
elsewhere. Every request has one deadline by the wall clock, a cap on the decompressed body and one on the
headers, and no redirect, cookie, netrc file or proxy of the environment is ever followed.
`OutboundClient.request` blocks and shares kept connections between threads; `send_many` drives many requests
on one thread and yields each outcome as it ends. Failures are one tree of `OutboundError` whose messages hold
no secret; headers and bodies are never logged. Nothing here retries: when to try again, and whether a
`CircuitBreaker` lets a call through, is up to the caller.
"""

from aiffinity.lib.outbound.addresses import refusal_of
from aiffinity.lib.outbound.breaker import CircuitBreaker
from aiffinity.lib.outbound.client import OutboundClient, client
from aiffinity.lib.outbound.errors import (
    AddressRefused,
    AnswerTooLarge,
    BreakerOpen,
    ConnectFailed,
    OutboundError,
    OutboundRefused,
    OutboundTimeout,
    PlaceholderRefused,
    ProtocolFailed,
    TlsFailed,
    UrlRefused,
)
from aiffinity.lib.outbound.messages import Headers, OutboundRequest, OutboundResponse, check_header
from aiffinity.lib.outbound.policy import EgressPolicy, policy_from_settings
from aiffinity.lib.outbound.templates import check_url_template, render_url_template
from aiffinity.lib.outbound.urls import check_url

__all__ = [
    "AddressRefused",
    "AnswerTooLarge",
    "BreakerOpen",
    "CircuitBreaker",
    "ConnectFailed",
    "EgressPolicy",
    "Headers",
    "OutboundClient",
    "OutboundError",
    "OutboundRefused",
    "OutboundRequest",
    "OutboundResponse",
    "OutboundTimeout",
    "PlaceholderRefused",
    "ProtocolFailed",
    "TlsFailed",
    "UrlRefused",
    "check_header",
    "check_url",
    "check_url_template",
    "client",
    "policy_from_settings",
    "refusal_of",
    "render_url_template",
]
