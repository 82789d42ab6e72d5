"""How the console tells what a verb refused."""

from django.contrib import messages
from django.http import HttpRequest

from aiffinity.lib.errors import PlatformError


def tell_failure(request: HttpRequest, label: str, error: PlatformError) -> None:
    """Show a verb's error with every detail; its texts say what to do."""
    messages.error(request, f"{label} did not happen: {error.message}")
    for detail in error.details:
        if detail.message not in error.message:
            messages.error(request, detail.message)
