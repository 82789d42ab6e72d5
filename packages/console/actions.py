"""The actions of the review page: which form each has, which verb it calls, and what it says when it is done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from packages.console.forms import (
    ClaimForm,
    CommentForm,
    MessageForm,
    NeededCommentForm,
    NoteForm,
    ReasonsForm,
    SeenForm,
)
from packages.console.obstacles import Obstacle
from packages.models import PolicyReason, Review, VersionState
from packages.reviewing.approvers import REVIEW_PERMISSION, SUSPEND_PERMISSION
from packages.reviewing.cases import attempt_of
from packages.reviewing.claims import claim_review, release_claim
from packages.reviewing.decisions import approve, reject, request_changes
from packages.reviewing.thread import add_note, escalate, send_message
from packages.suspension import suspend_version
from providers.models import User

Given = dict[str, Any]


@dataclass(frozen=True)
class Action:
    """One button of the review page.

    `tone` colours it, `hint` says when to use it, `run` calls the verb with the form's clean data, and `done` is
    the message afterwards. What is `is_previewed` is shown once more before it happens.
    """

    name: str
    label: str
    permission: str
    form: type[SeenForm]
    run: Callable[[Review, User, Given], object]
    done: str
    hint: str = ""
    tone: str = "plain"
    icon: str = "check"
    shortcut: str = ""
    is_previewed: bool = False
    needs_claim: bool = False


def _claim(review: Review, user: User, given: Given) -> object:
    return claim_review(review, reviewer=user)


def _release(review: Review, user: User, given: Given) -> object:
    return release_claim(review, reviewer=user)


def _approve(review: Review, user: User, given: Given) -> object:
    return approve(
        review,
        reviewer=user,
        comment=given["comment"],
        seen_content_hash=given["content_hash"],
        seen_config_hash=given["config_hash"],
    )


def _request_changes(review: Review, user: User, given: Given) -> object:
    return request_changes(review, reviewer=user, reasons=_reasons(given), comment=given["comment"])


def _reject(review: Review, user: User, given: Given) -> object:
    return reject(review, reviewer=user, reasons=_reasons(given), comment=given["comment"])


def _escalate(review: Review, user: User, given: Given) -> object:
    return escalate(review, reviewer=user, comment=given["comment"])


def _suspend(review: Review, user: User, given: Given) -> object:
    return suspend_version(review.version, attempt_of(user, given["comment"]))


def _add_note(review: Review, user: User, given: Given) -> object:
    return add_note(review, reviewer=user, text=given["text"])


def _send_message(review: Review, user: User, given: Given) -> object:
    return send_message(review, reviewer=user, text=given["text"])


def _reasons(given: Given) -> list[PolicyReason]:
    return list(given["reasons"])


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action(
            "claim",
            "Claim",
            REVIEW_PERMISSION,
            ClaimForm,
            _claim,
            "You hold this review for 30 minutes.",
            hint="Takes the review for 30 minutes, so that nobody else works on it.",
            tone="good",
            icon="back_hand",
            shortcut="c",
        ),
        Action(
            "release",
            "Release",
            REVIEW_PERMISSION,
            ClaimForm,
            _release,
            "The review is back in the queue.",
            hint="Puts the review back into the queue.",
            icon="undo",
            needs_claim=True,
        ),
        Action(
            "approve",
            "Approve",
            REVIEW_PERMISSION,
            CommentForm,
            _approve,
            "Your approval is recorded.",
            hint="What you see here may be listed. The approval covers exactly this content and configuration.",
            tone="good",
            icon="check_circle",
            shortcut="a",
            is_previewed=True,
            needs_claim=True,
        ),
        Action(
            "request_changes",
            "Request changes",
            REVIEW_PERMISSION,
            ReasonsForm,
            _request_changes,
            "The provider was told what to change.",
            hint="It can be mended. The provider replies, or edits and submits again, and keeps the first date.",
            tone="warn",
            icon="edit_note",
            shortcut="r",
            is_previewed=True,
            needs_claim=True,
        ),
        Action(
            "reject",
            "Reject",
            REVIEW_PERMISSION,
            ReasonsForm,
            _reject,
            "The version is rejected, and the provider was told why.",
            hint="It can't be mended. Something listed that is reviewed again is suspended.",
            tone="bad",
            icon="block",
            shortcut="x",
            is_previewed=True,
            needs_claim=True,
        ),
        Action(
            "message",
            "Message the provider",
            REVIEW_PERMISSION,
            MessageForm,
            _send_message,
            "The message is sent.",
            hint="A question or a hint, without a decision. The provider gets a mail.",
            icon="mail",
            shortcut="m",
            is_previewed=True,
        ),
        Action(
            "note",
            "Private note",
            REVIEW_PERMISSION,
            NoteForm,
            _add_note,
            "The note is kept.",
            hint="For other reviewers; the provider never sees it.",
            icon="lock",
            shortcut="n",
        ),
        Action(
            "escalate",
            "Escalate",
            REVIEW_PERMISSION,
            NeededCommentForm,
            _escalate,
            "The review is marked as escalated.",
            hint="You need another opinion. The queue marks the review, your claim ends, and colleagues read why.",
            icon="priority_high",
            shortcut="e",
        ),
        Action(
            "suspend",
            "Suspend",
            SUSPEND_PERMISSION,
            NeededCommentForm,
            _suspend,
            "The version is suspended.",
            hint="Stops installs and calls everywhere within seconds; reviewers can resume it. The provider reads why.",
            tone="bad",
            icon="pause_circle",
            is_previewed=True,
        ),
    )
}


def shown_actions(review: Review, user: User, obstacle: Obstacle) -> list[Action]:
    """Return the actions that can be of use now; the verbs still refuse what the rules forbid."""
    return [
        action
        for action in ACTIONS.values()
        if action.name not in obstacle.actions and _is_of_use(action, review, user)
    ]


def _is_of_use(action: Action, review: Review, user: User) -> bool:
    if not user.has_perm(action.permission):
        return False
    if action.name == "suspend":
        return review.version.state == VersionState.LISTED
    if review.closed_at is not None:
        return action.name == "note"
    is_mine = review.is_claimed and review.claimed_by_id == user.pk
    if action.name == "claim":
        return not review.is_claimed and not review.is_awaiting_provider
    if action.needs_claim:
        return is_mine
    return True
