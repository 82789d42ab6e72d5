"""What reviewers choose from: the policy's reasons and their own canned texts; staff edits both in the admin."""

from django.db import models


class PolicyReason(models.Model):
    """A reason for requested changes, a rejection or a suspension."""

    code = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    text = models.TextField(help_text="What is wrong and what to do, as the provider reads it.")
    link = models.URLField(max_length=500, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title

    def as_dict(self) -> dict[str, str]:
        """Return what a decision freezes of the reason."""
        return {"code": self.code, "title": self.title, "text": self.text, "link": self.link}


class CannedText(models.Model):
    """A text that reviewers paste into comments and messages."""

    title = models.CharField(max_length=120, unique=True)
    text = models.TextField()

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title
