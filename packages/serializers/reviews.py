"""Bodies and answers for what reviewers say to the provider."""

from typing import Any

from rest_framework import serializers

from aiffinity.lib.serializers import StrictSerializer
from packages.models import Decision, MessageAuthor, Review, ReviewDecision, ReviewKind, ReviewMessage, ReviewOutcome
from packages.serializers.holds import ReviewReasonOut
from packages.serializers.versions import REVIEW_STATES
from providers.serializers import ProseField


class ReplyBody(StrictSerializer):
    """`POST …/reviews/{id}/reply`."""

    message = ProseField(min_length=1, max_length=5000)


class ReviewDecisionOut(serializers.Serializer[Any]):
    """What a reviewer decided."""

    decision = serializers.ChoiceField(choices=Decision.values)
    reasons = ReviewReasonOut(many=True)
    comment = serializers.CharField()
    created_at = serializers.DateTimeField()


class ReviewMessageOut(serializers.Serializer[Any]):
    """A message of the thread."""

    author = serializers.ChoiceField(choices=MessageAuthor.values)
    text = serializers.CharField()
    created_at = serializers.DateTimeField()


class ReviewOut(serializers.Serializer[Any]):
    """A case before reviewers with its decisions and its thread."""

    id = serializers.CharField()
    version_id = serializers.CharField()
    kind = serializers.ChoiceField(choices=ReviewKind.values)
    state = serializers.ChoiceField(choices=REVIEW_STATES)
    outcome = serializers.ChoiceField(choices=ReviewOutcome.values, allow_null=True)
    cause = serializers.CharField(help_text="Why a reviewer decides.")
    opened_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(help_text="The first submission; an answer keeps it.")
    due_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    decisions = ReviewDecisionOut(many=True)
    messages = ReviewMessageOut(many=True)


def render_review(review: Review) -> dict[str, Any]:
    """Render a case as its provider sees it: without private notes and without the reviewers' names."""
    return {
        "id": review.pk,
        "version_id": review.version_id,
        "kind": review.kind,
        "state": review.state,
        "outcome": review.outcome or None,
        "cause": review.cause,
        "opened_at": review.opened_at,
        "submitted_at": review.first_submitted_at,
        "due_at": review.due_at,
        "closed_at": review.closed_at,
        "decisions": [_render_decision(each) for each in review.decisions.all() if _is_told(review, each)],
        "messages": [_render_message(each) for each in review.messages.all() if not each.is_private],
    }


def _is_told(review: Review, decision: ReviewDecision) -> bool:
    # The first of two approvals says nothing to the provider: the case is still open.
    return decision.decision != Decision.APPROVE or review.outcome == ReviewOutcome.APPROVED


def _render_decision(decision: ReviewDecision) -> dict[str, Any]:
    return {
        "decision": decision.decision,
        "reasons": decision.reasons,
        "comment": decision.comment,
        "created_at": decision.created_at,
    }


def _render_message(message: ReviewMessage) -> dict[str, Any]:
    return {"author": message.author, "text": message.text, "created_at": message.created_at}
