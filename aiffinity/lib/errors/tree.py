"""The tree of errors that a caller is told about (spec 2, "Errors")."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Detail(NamedTuple):
    """One problem: the field's path (`capabilities[0].schema`), a stable word and a sentence."""

    field: str
    code: str
    message: str


class PlatformError(Exception):
    """Anything that a caller is told about; subclasses fix code and status.

    `details` lists every problem; `extra` adds members to the error body (`migration` of a 410).
    """

    code = "INTERNAL_ERROR"
    status = 500
    message = "The platform failed."

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Sequence[Detail] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.message = message or self.message
        self.details = list(details)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})
        super().__init__(self.message)


class ValidationFailed(PlatformError):
    """The request's fields are wrong; `details` must name them."""

    code, status = "VALIDATION_ERROR", 400

    def __init__(self, message: str | None = None, *, details: Sequence[Detail] = (), **kwargs: Any) -> None:
        if message is None and details:
            first = details[0]
            message = f"{first.field}: {first.message}" if first.field else first.message
        super().__init__(message, details=details, **kwargs)


def field_error(field: str, message: str, *, code: str = "invalid") -> ValidationFailed:
    """Make the error for one wrong field."""
    return ValidationFailed(details=[Detail(field, code, message)])


class InvalidJson(PlatformError):
    """The body did not pass the JSON gate."""

    code, status = "INVALID_JSON", 400


class InvalidSchema(ValidationFailed):
    """A JSON Schema in the request can't be used."""

    code = "INVALID_SCHEMA"


class Unauthenticated(PlatformError):
    """Credentials are missing or wrong."""

    code, status, message = "UNAUTHENTICATED", 401, "Send `Authorization: Bearer <token>`."


class TokenExpired(PlatformError):
    """A bearer token was good once."""

    code, status, message = "TOKEN_EXPIRED", 401, "The token has expired; get a new one."


class TokenInvalid(PlatformError):
    """A bearer token is forged, foreign or revoked."""

    code, status, message = "TOKEN_INVALID", 401, "The token is not valid; get a new one."


class MailTokenExpired(TokenExpired):
    """A token from a mail came too late."""

    status, message = 400, "token: this link is too old; ask for a new mail."


class MailTokenInvalid(TokenInvalid):
    """A token from a mail is unknown or was used before."""

    status, message = 400, "token: this link is not valid or was used before; ask for a new mail."


class PermissionDenied(PlatformError):
    """The caller is known, but may not do this."""

    code, status, message = "PERMISSION_DENIED", 403, "These credentials may not make this call."


class EmailNotVerified(PlatformError):
    """The account's mail address must be verified first."""

    code, status, message = (
        "EMAIL_NOT_VERIFIED",
        403,
        "Verify the account's mail address first: follow the link in the mail, or ask for another.",
    )


class AccountSuspended(PlatformError):
    """The platform suspended the account."""

    code, status, message = "ACCOUNT_SUSPENDED", 403, "This account is suspended; contact provider support."


class NotFound(PlatformError):
    """There is no such thing for this caller."""

    code, status, message = "NOT_FOUND", 404, "There is no such resource."


class MethodNotAllowed(PlatformError):
    """The path has no such method; the Allow header lists those it has."""

    code, status, message = "METHOD_NOT_ALLOWED", 405, "This path doesn't take this method."


class Conflict(PlatformError):
    """The request clashes with the current state."""

    code, status, message = "CONFLICT", 409, "The request clashes with the current state."


class SlugTaken(PlatformError):
    """Another package has the slug."""

    code, status, message = "SLUG_TAKEN", 409, "slug: another package has this slug; choose another."


class EmailTaken(PlatformError):
    """Another account has the mail address."""

    code, status, message = (
        "EMAIL_TAKEN",
        409,
        "email: an account with this address exists; log in instead.",
    )


class InvalidState(PlatformError):
    """The state of the resource doesn't allow the verb."""

    code, status, message = "INVALID_STATE", 409, "The resource's state doesn't allow this."


class QuotaExceeded(PlatformError):
    """The owner has as many as it may have."""

    code, status, message = "QUOTA_EXCEEDED", 409, "The quota is used up."


class IdempotencyKeyReused(PlatformError):
    """The key came before with another request."""

    code, status, message = (
        "IDEMPOTENCY_KEY_REUSED",
        409,
        "This Idempotency-Key was used for another request; use a new key.",
    )


class Gone(PlatformError):
    """The API was retired."""

    code, status, message = "GONE", 410, "This API was retired."


class PreconditionFailed(PlatformError):
    """The resource is not as the request's If-Match or If-None-Match wants it."""

    code, status, message = (
        "PRECONDITION_FAILED",
        412,
        "The resource has changed since you read it; read it again and repeat your change.",
    )


class PayloadTooLarge(PlatformError):
    """The body is larger than 1 MiB."""

    code, status, message = "PAYLOAD_TOO_LARGE", 413, "The body is larger than 1 MiB."


class UnsupportedMediaType(PlatformError):
    """The body's type is not taken here."""

    code, status, message = "UNSUPPORTED_MEDIA_TYPE", 415, "Send `Content-Type: application/json`."


class GateNotPassed(PlatformError):
    """Policy gates failed; `details` lists them all."""

    code, status, message = "GATE_NOT_PASSED", 422, "The version doesn't pass every gate."


class PolicyViolation(PlatformError):
    """The content breaks a publishing rule."""

    code, status, message = "POLICY_VIOLATION", 422, "The content breaks a publishing rule."


class NotInstallable(PlatformError):
    """The package can't be installed now; `details` lists the reasons."""

    code, status, message = "NOT_INSTALLABLE", 422, "The package can't be installed now."


class ConnectionRequired(PlatformError):
    """The user has to connect their account at the provider."""

    code, status, message = "CONNECTION_REQUIRED", 422, "Connect the install to the provider first."


class RateLimited(PlatformError):
    """Too many requests; headers carry Retry-After."""

    code, status, message = "RATE_LIMITED", 429, "Too many requests; wait and try again."


class UpstreamError(PlatformError):
    """The provider is down or answered with an error."""

    code, status, message = "UPSTREAM_ERROR", 502, "The provider could not be reached or failed."


class UpstreamInvalidResponse(PlatformError):
    """The provider's answer breaks its contract."""

    code, status, message = (
        "UPSTREAM_INVALID_RESPONSE",
        502,
        "The provider's answer doesn't match its contract.",
    )


class CapabilitySuspended(PlatformError):
    """The capability is suspended; `details` gives the reason."""

    code, status, message = "CAPABILITY_SUSPENDED", 503, "The capability is suspended."


class ServiceUnavailable(PlatformError):
    """A part of the platform is missing for the moment."""

    code, status, message = "SERVICE_UNAVAILABLE", 503, "The platform can't serve this right now; try again."

    def __init__(self, message: str | None = None, *, retry_after_seconds: int = 5, **kwargs: Any) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after_seconds)}, **kwargs)


class UpstreamTimeout(PlatformError):
    """The provider did not answer in time."""

    code, status, message = "UPSTREAM_TIMEOUT", 504, "The provider did not answer in time."
