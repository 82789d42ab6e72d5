"""What can go wrong with an outbound request; no message carries a URL's path, a header or a body."""

from typing import ClassVar


class OutboundError(Exception):
    """A request that brought no usable answer: `kind` is a stable word, `message` a sentence that a provider
    may see.
    """

    kind: ClassVar[str] = "protocol"

    def __init__(self, message: str, *, elapsed_ms: float = 0.0) -> None:
        super().__init__(message)
        self.message = message
        self.elapsed_ms = elapsed_ms


class OutboundRefused(OutboundError):
    """The platform's own rules forbid the request; `rule` is a stable snake_case word that names the rule."""

    kind = "refused"

    def __init__(self, *, rule: str, message: str, elapsed_ms: float = 0.0) -> None:
        super().__init__(message, elapsed_ms=elapsed_ms)
        self.rule = rule


class UrlRefused(OutboundRefused):
    """The text of a URL is refused, at save as at send."""


class PlaceholderRefused(UrlRefused):
    """The value for the placeholder `name` of a URL template is refused."""

    def __init__(self, *, rule: str, message: str, name: str) -> None:
        super().__init__(rule=rule, message=message)
        self.name = name


class AddressRefused(OutboundRefused):
    """The name resolved to an address that is not globally routable; nothing was sent to it."""


class OutboundTimeout(OutboundError):
    """No connection, or no complete answer, in time."""

    kind = "timeout"


class ConnectFailed(OutboundError):
    """The name does not resolve or nobody accepts the connection."""

    kind = "connect"


class TlsFailed(OutboundError):
    """No trustworthy TLS session came about."""

    kind = "tls"


class AnswerTooLarge(OutboundError):
    """The answer's body or headers exceed the cap."""

    kind = "too_large"


class ProtocolFailed(OutboundError):
    """The answer is not whole or not HTTP."""

    kind = "protocol"


class BreakerOpen(OutboundError):
    """The circuit breaker keeps the request from being tried."""

    kind = "breaker_open"
