"""Pages of docs/ that are made from the code, so that they can't lie."""

from collections.abc import Callable

from aiffinity.lib.errors import REGISTRY


def render_errors() -> str:
    """Render the error registry as a Markdown table."""
    lines = [
        "# Errors",
        "",
        "Every error has this body; `message` is the first problem, `details` lists all of them:",
        "",
        "```json",
        '{"error": {"code": "VALIDATION_ERROR", "message": "name: This field is required.",',
        '  "requestId": "req_01J8XKWM3N4QR5STVYZ2BCDEFG",',
        '  "details": [{"field": "name", "code": "required", "message": "This field is required."}]}}',
        "```",
        "",
        "`GET /v1/errors` answers this list too.",
        "",
        "| code | status | meaning | what to do |",
        "| --- | --- | --- | --- |",
    ]
    for entry in REGISTRY.values():
        statuses = ", ".join(str(status) for status in entry.statuses)
        lines.append(f"| `{entry.code}` | {statuses} | {entry.meaning} | {entry.remedy} |")
    return "\n".join([*lines, ""])


# File names below docs/ and what renders them; the rooms above add theirs in AppConfig.ready().
generated_docs: dict[str, Callable[[], str]] = {"errors.md": render_errors}
