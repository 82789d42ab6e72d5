"""The first reasons of the policy table and a few canned texts; staff edits them in the admin afterwards."""

from typing import Any, NamedTuple

from django.conf import settings

from packages.models import CannedText, PolicyReason

# The page that describes the API, at the call with which a provider mends it.
DOCS = f"{settings.BASE_URL}/docs#"


class Reason(NamedTuple):
    """A reason: its text is what the provider reads, `call` the tag and operation of the API that mend it."""

    code: str
    title: str
    text: str
    call: str


class Text(NamedTuple):
    """A canned text."""

    title: str
    text: str


REASONS = (
    Reason(
        "listing_incomplete",
        "The listing leaves questions open",
        "Name, description or images don't say what a user gets. Describe what each capability does, for whom, and"
        " what it needs, then submit again.",
        "/Packages/updatePackage",
    ),
    Reason(
        "listing_misleading",
        "The listing promises something else",
        "Name, description or images suggest something that the capabilities don't do, or another company's product."
        " Show only what the package does and what you may use.",
        "/Packages/updatePackage",
    ),
    Reason(
        "capability_description",
        "A capability is described too vaguely",
        "Say in one sentence what the capability answers or does and when it is of use, so that it is called at the"
        " right moment.",
        "/Packages/updateVersion",
    ),
    Reason(
        "schema_too_loose",
        "A schema promises too little",
        "Give every property a type, bounds and a description, and name what is required: users see what the schema"
        " lets through.",
        "/Packages/updateVersion",
    ),
    Reason(
        "permissions_too_broad",
        "More permissions than needed",
        "Ask only for the permissions that the described capabilities need, and drop the rest.",
        "/Packages/updateVersion",
    ),
    Reason(
        "sensitivity_unmarked",
        "Sensitive data is not marked",
        "Mark every field that holds personal, financial or health data or credentials with `x-sensitivity`, and choose"
        " the risk tier that it demands.",
        "/Packages/updateVersion",
    ),
    Reason(
        "risk_tier_too_low",
        "The risk tier is too low",
        "What the capabilities do or touch belongs into a higher tier. Submit it with that tier and what it asks for.",
        "/Packages/updateVersion",
    ),
    Reason(
        "confirmation_missing",
        "An action needs the user's confirmation",
        "The action spends money, sends something or can't be undone; set `confirmation_required` to true.",
        "/Packages/updateVersion",
    ),
    Reason(
        "unreliable_runtime",
        "The service doesn't answer reliably",
        "During the review calls failed or were too slow. Mend what the validation run and the health checks show,"
        " then answer here.",
        "/Packages/getValidation",
    ),
    Reason(
        "privacy_policy",
        "The privacy policy doesn't fit",
        "The privacy policy can't be reached, or doesn't say how the data of these capabilities is used, kept and"
        " deleted.",
        "/Packages/updatePackage",
    ),
    Reason(
        "attestation_insufficient",
        "An attestation is too general",
        "A statement doesn't say how it is met for this package. Sign it again with what you do, where and since when.",
        "/Packages/signAttestations",
    ),
    Reason(
        "configuration_changed",
        "The app's hosts or sign-in changed",
        "The configuration differs from what was approved and the reason is not clear. Explain the change, or restore"
        " the approved one.",
        "/Packages/replyToReview",
    ),
    Reason(
        "deceptive_or_harmful",
        "Deceptive or harmful",
        "The package deceives users, harms them or others, or breaks the law. It can't be listed.",
        "",
    ),
)
CANNED_TEXTS = (
    Text(
        "Welcome and first look",
        "Thank you for this submission. We look at it now and write here if a question comes up.",
    ),
    Text(
        "A test account is needed",
        "We need a test connection to see the capabilities at work. Set one with the auth profile (`test_connection`);"
        " it is write-only. Then answer here.",
    ),
    Text(
        "Explain the change of hosts",
        "The app's addresses changed since the approval. Who runs the new host, and why was it changed?",
    ),
)


def ensure_policy_texts(**kwargs: Any) -> None:
    """Make the reasons and texts that a fresh database starts with; what staff changed stays."""
    for code, title, text, call in REASONS:
        link = f"{DOCS}{call}" if call else ""
        PolicyReason.objects.get_or_create(code=code, defaults={"title": title, "text": text, "link": link})
    for title, text in CANNED_TEXTS:
        CannedText.objects.get_or_create(title=title, defaults={"text": text})
