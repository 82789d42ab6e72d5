"""What reviewers fill in; the fields say nothing about who may do what, the verbs do."""

from typing import Any

from django import forms

from packages.models import PolicyReason
from packages.reviewing.thread import MAX_TEXT_CHARACTERS

TEXT_LENGTH = MAX_TEXT_CHARACTERS


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
    """A comment that has to be given: the provider reads it, or a colleague, and the audit log keeps it."""

    comment = forms.CharField(max_length=TEXT_LENGTH, label="Why", widget=forms.Textarea(attrs={"rows": 4}))


class BulkForm(forms.Form):
    """One comment for all; `label` says who reads it."""

    comment = forms.CharField(
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say why: the providers and the audit log keep it."},
    )

    def __init__(self, *args: Any, label: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["comment"].label = label


class MessageForm(SeenForm):
    """A message to the provider."""

    text = forms.CharField(max_length=TEXT_LENGTH, label="Message", widget=forms.Textarea(attrs={"rows": 5}))


class NoteForm(SeenForm):
    """A note for colleagues."""

    text = forms.CharField(max_length=TEXT_LENGTH, label="Note", widget=forms.Textarea(attrs={"rows": 5}))


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
