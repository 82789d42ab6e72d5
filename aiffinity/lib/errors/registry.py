"""The registry of error codes (spec 2, "Errors"); `GET /v1/errors` and docs/errors.md are made from it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorCode:
    """What one code means; `GET /v1/errors` serves it and the docs page is made from it."""

    code: str
    statuses: tuple[int, ...]
    meaning: str
    remedy: str


REGISTRY: dict[str, ErrorCode] = {
    entry.code: entry
    for entry in (
        ErrorCode(
            "VALIDATION_ERROR",
            (400,),
            "A field of the request is missing, unknown or has a wrong value.",
            "Correct the fields listed in `details`.",
        ),
        ErrorCode(
            "INVALID_JSON",
            (400,),
            "The body is not JSON that the platform accepts.",
            "Send UTF-8 JSON without duplicate keys, NaN, NUL characters or more than 64 levels.",
        ),
        ErrorCode(
            "INVALID_SCHEMA",
            (400,),
            "A capability's JSON Schema can't be used.",
            "Correct the schema at the JSON Pointer in `details`.",
        ),
        ErrorCode(
            "UNAUTHENTICATED",
            (401,),
            "The request carries no credentials, or they are wrong.",
            "Send `Authorization: Bearer <token>`, or correct e-mail and password.",
        ),
        ErrorCode(
            "TOKEN_EXPIRED",
            (400, 401),
            "The token was good once and is too old now.",
            "Get a new token, or ask for a new mail.",
        ),
        ErrorCode(
            "TOKEN_INVALID",
            (400, 401),
            "The token was not issued by this platform, was changed, used before or revoked.",
            "Get a new token.",
        ),
        ErrorCode(
            "PERMISSION_DENIED",
            (403,),
            "These credentials are good, but not for this call.",
            "Use the kind of token that the endpoint names, with the scope it needs.",
        ),
        ErrorCode(
            "EMAIL_NOT_VERIFIED",
            (403,),
            "The account's mail address is not verified yet.",
            "Follow the link in the verification mail, or ask for another.",
        ),
        ErrorCode("ACCOUNT_SUSPENDED", (403,), "The platform suspended this account.", "Contact provider support."),
        ErrorCode(
            "NOT_FOUND",
            (404,),
            "There is no such resource, or it belongs to somebody else.",
            "Check the path and the id.",
        ),
        ErrorCode(
            "METHOD_NOT_ALLOWED",
            (405,),
            "The path exists, but not with this method.",
            "Use one of the methods in the `Allow` header.",
        ),
        ErrorCode(
            "CONFLICT",
            (409,),
            "The request clashes with the current state, or with one that still runs.",
            "Read the current state and try again.",
        ),
        ErrorCode("SLUG_TAKEN", (409,), "Another package has this slug.", "Choose another slug."),
        ErrorCode(
            "EMAIL_TAKEN",
            (409,),
            "An account with this mail address exists.",
            "Log in, or reset the password.",
        ),
        ErrorCode(
            "INVALID_STATE",
            (409,),
            "The resource is in a state that doesn't allow this.",
            "`message` names the state and what it allows.",
        ),
        ErrorCode(
            "QUOTA_EXCEEDED",
            (409,),
            "The account or app has as many of these as it may have.",
            "Delete one that you don't need.",
        ),
        ErrorCode(
            "IDEMPOTENCY_KEY_REUSED",
            (409,),
            "This Idempotency-Key came before with another request.",
            "Use a new key for a new request.",
        ),
        ErrorCode("GONE", (410,), "This API was retired.", "`migration` in the error names what takes its place."),
        ErrorCode(
            "PRECONDITION_FAILED",
            (412,),
            "The resource is not as `If-Match` or `If-None-Match` wants it.",
            "Read it again, repeat your change on what it is now, and send its new `ETag`.",
        ),
        ErrorCode("PAYLOAD_TOO_LARGE", (413,), "The body is larger than 1 MiB.", "Send less."),
        ErrorCode(
            "UNSUPPORTED_MEDIA_TYPE",
            (415,),
            "The body is not of a type that the endpoint takes.",
            "Send `Content-Type: application/json`.",
        ),
        ErrorCode(
            "GATE_NOT_PASSED",
            (422,),
            "The version fails policy gates.",
            "Each failed gate in `details` says what to do.",
        ),
        ErrorCode(
            "POLICY_VIOLATION",
            (422,),
            "The content breaks a publishing rule.",
            "Remove what `details` names.",
        ),
        ErrorCode(
            "NOT_INSTALLABLE",
            (422,),
            "The package can't be installed now.",
            "`details` lists the reasons that installability gives.",
        ),
        ErrorCode(
            "CONNECTION_REQUIRED",
            (422,),
            "The user has to connect their account at the provider first.",
            "Start a connection for the install.",
        ),
        ErrorCode("RATE_LIMITED", (429,), "Too many requests.", "Wait for the seconds in `Retry-After`."),
        ErrorCode(
            "INTERNAL_ERROR",
            (500,),
            "The platform failed.",
            "Try again; if it stays, send us the request id.",
        ),
        ErrorCode(
            "UPSTREAM_ERROR",
            (502,),
            "The provider could not be reached or answered with an error.",
            "Try again later; the provider sees it in the invocation history.",
        ),
        ErrorCode(
            "UPSTREAM_INVALID_RESPONSE",
            (502,),
            "The provider's answer doesn't match its contract.",
            "The provider has to mend its answer; `details` says where it differs.",
        ),
        ErrorCode(
            "CAPABILITY_SUSPENDED",
            (503,),
            "The capability is suspended.",
            "`details` gives the reason; it works again when that ends.",
        ),
        ErrorCode(
            "SERVICE_UNAVAILABLE",
            (503,),
            "A part of the platform, or too many calls at once, stops this one.",
            "Wait for the seconds in `Retry-After`.",
        ),
        ErrorCode(
            "UPSTREAM_TIMEOUT",
            (504,),
            "The provider did not answer in time.",
            "Try again later.",
        ),
    )
}
