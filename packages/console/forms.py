"""What reviewers fill in; the fields say nothing about who may do what, the verbs do."""

from typing import Any

from django import forms

from packages.models import PolicyReason

TEXT_LENGTH = 4_000


class SeenForm(forms.Form):
    """The hashes of what was on the screen."""

    content_hash = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    config_hash = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class ClaimForm(SeenForm):
    """Nothing more than a press of a button."""


class CommentForm(SeenForm):
    """An optional comment."""

    comment = forms.CharField(
        required=False, max_length=TEXT_LENGTH, label="Comment", widget=forms.Textarea(attrs={"rows": 5})
    )


class NeededCommentForm(SeenForm):
    """A comment that has to be given."""

    comment = forms.CharField(max_length=TEXT_LENGTH, label="Why", widget=forms.Textarea(attrs={"rows": 4}))


class TextForm(SeenForm):
    """A note or a message."""

    text = forms.CharField(max_length=TEXT_LENGTH, label="Text", widget=forms.Textarea(attrs={"rows": 5}))


class ReasonsForm(CommentForm):
    """One or more reasons out of the policy table, and a comment."""

    reasons = forms.ModelMultipleChoiceField(
        queryset=PolicyReason.objects.none(),
        label="Reasons",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick at least one reason: the provider has to know which rule it is about."},
    )

    field_order = ["reasons", "comment"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["reasons"]
        if isinstance(field, forms.ModelMultipleChoiceField):
            field.queryset = PolicyReason.objects.filter(is_active=True)
