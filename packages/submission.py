"""The provider's way of a version: submit, withdraw, publish, roll back (spec 3)."""

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from aiffinity.lib.errors import GateNotPassed, InvalidState
from aiffinity.lib.wakeups import wake_on_commit
from packages import policy
from packages.guards import Attempt
from packages.listing import list_submitted_version, list_version
from packages.models import Version, VersionState
from packages.reviewing.cases import close_review, open_review
from packages.states import Verb, transition
from providers.opaque_ids import opaque_user_id


def submit_version(version: Version, attempt: Attempt, *, is_published_on_approval: bool | None = None) -> Version:
    """Submit a validated version, or one with requested changes unchanged; a plain data_only one is listed at once.

    `is_published_on_approval` says whether an approval lists it; None leaves what the version says.
    Listing is a transaction of its own after the one of the submission: where it doesn't come about, the sweep
    makes up for it. Raises INVALID_STATE (409) and GATE_NOT_PASSED (422) with all failed gates. Source: spec 3.
    """
    now = timezone.now()
    submitter = opaque_user_id(attempt.user.pk, version.package.app_id) if attempt.user else ""
    asked = {} if is_published_on_approval is None else {"is_published_on_approval": is_published_on_approval}
    with transaction.atomic():
        submitted = transition(
            version,
            Verb.SUBMIT,
            attempt,
            changes={
                "submitted_by": attempt.user,
                "submitted_at": now,
                "first_submitted_at": Coalesce("first_submitted_at", now),
                **asked,
            },
            event_data={"submitted_by": submitter},
        )
        needs_reviewer = policy.reviewer_reasons(submitted)
        if needs_reviewer:
            open_review(submitted, cause=" ".join(needs_reviewer))
        else:
            wake_on_commit("packages.tasks.list_submitted_versions")
    return submitted if needs_reviewer else _listed_if_possible(submitted)


def _listed_if_possible(version: Version) -> Version:
    try:
        return list_submitted_version(version)
    except (GateNotPassed, InvalidState):
        # The woken worker was faster, or a gate fails since a moment ago; the sweep tries again.
        return Version.objects.select_related("package__app", "package__account").get(pk=version.pk)


def withdraw_version(version: Version, attempt: Attempt) -> Version:
    """Take a submission back; a later one starts a new wait. Raises INVALID_STATE (409)."""
    with transaction.atomic():
        withdrawn = transition(version, Verb.WITHDRAW, attempt, changes={"first_submitted_at": None})
        close_review(withdrawn)
    return withdrawn


def publish_version(version: Version, attempt: Attempt) -> Version:
    """List an approved version; one that is listed already stays as it is (decision 25).

    Raises INVALID_STATE (409) and GATE_NOT_PASSED (422).
    """
    current = Version.objects.select_related("package__app", "package__account").get(pk=version.pk)
    if current.state == VersionState.LISTED:
        return current
    try:
        return list_version(current, Verb.PUBLISH, attempt)
    except InvalidState:
        current = Version.objects.select_related("package__app", "package__account").get(pk=version.pk)
        if current.state == VersionState.LISTED:
            # Another request published it in this moment.
            return current
        raise


def rollback_version(version: Version, attempt: Attempt) -> Version:
    """List a superseded version again. Raises INVALID_STATE (409) and GATE_NOT_PASSED (422)."""
    return list_version(version, Verb.ROLLBACK, attempt)
