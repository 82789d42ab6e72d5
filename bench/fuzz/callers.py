"""Who calls: nobody, a user, an app and a developer, and which operations each of them is refused at the door."""

from typing import Any

# The developer comes last: nobody else can delete what the others call.
CALLERS = ("nobody", "user", "app", "developer")
USERS_TAGS = frozenset({"Capabilities", "Catalog", "Connections", "Space"})
ACCESS_TOKEN = "oauth2"  # noqa: S105 - The name of a scheme.


def closed_to(caller: str, document: dict[str, Any]) -> list[str]:
    """Return the ids of the operations that answer this caller 401, 403 or 404, whatever else the call says."""
    operations = [
        operation
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and "operationId" in operation
    ]
    return [operation["operationId"] for operation in operations if not _is_open(caller, operation)]


def _is_open(caller: str, operation: dict[str, Any]) -> bool:
    schemes = {name for alternative in operation.get("security", []) for name in alternative}
    is_public = {} in operation.get("security", [{}])
    if caller == "developer" or is_public:
        return True
    if caller == "app":
        return ACCESS_TOKEN in schemes
    return caller == "user" and not USERS_TAGS.isdisjoint(operation["tags"])
