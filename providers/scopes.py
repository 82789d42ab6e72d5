"""OAuth scopes of access tokens; they only ever narrow a token (spec 1 decision 10)."""

from rest_framework.permissions import SAFE_METHODS

SCOPES = {
    "runtime:read": "Read runtime apps, profiles, templates and deliveries.",
    "runtime:write": "Register and configure runtime apps.",
    "capabilities:read": "Read states, history and quality figures of capabilities.",
    "capabilities:invoke": "Invoke capabilities.",
}


def required_scope(path: str, method: str) -> str | None:
    """Return the scope that a call of `/v1/providers/<area>/…` needs, or None outside the two areas."""
    parts = path.split("/")
    area = parts[3] if len(parts) > 3 and parts[2] == "providers" else ""
    is_read = method in SAFE_METHODS
    if area == "runtime":
        return "runtime:read" if is_read else "runtime:write"
    if area == "capabilities":
        return "capabilities:read" if is_read else "capabilities:invoke"
    return None
