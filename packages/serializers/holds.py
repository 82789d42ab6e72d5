"""What an answer says of why something is held."""

from typing import Any

from rest_framework import serializers


class ReviewReasonOut(serializers.Serializer[Any]):
    """A reason of the policy, as it read when it was given."""

    code = serializers.CharField(help_text="The reason's stable word.")
    title = serializers.CharField(help_text="The reason in a few words.")
    text = serializers.CharField(help_text="What is wrong, and what to do.")
    link = serializers.CharField(help_text="Where the rule is explained.")


class HoldOut(serializers.Serializer[Any]):
    """Why a version isn't in the catalog or not running, and what to do."""

    why = serializers.CharField(help_text="Why it is held, in a sentence.")
    what_to_do = serializers.CharField(help_text="What the provider can do now.")
    until = serializers.DateTimeField(
        allow_null=True, help_text="When a decision is due, or when an approval lapses; else null."
    )
    reasons = ReviewReasonOut(many=True, help_text="The reviewer's reasons, where a decision holds it.")
    comment = serializers.CharField(help_text="What the reviewer wrote, or the reason of a suspension.")
