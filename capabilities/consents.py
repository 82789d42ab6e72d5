"""What a user agrees to by installing: the permissions that a version's capabilities ask for."""

from collections.abc import Collection, Iterable
from typing import Any

from aiffinity.lib.errors import field_error

Descriptor = dict[str, Any]


def permissions_of(descriptors: Iterable[Descriptor]) -> list[str]:
    """Return every permission that the descriptors name, once each, in alphabetical order."""
    return sorted({name for descriptor in descriptors for name in descriptor.get("permissions") or ()})


def consented_permissions(asked: list[str], consent: Collection[str] | None) -> list[str]:
    """Return the permissions to record for an install.

    Installing is the consent to all permissions that the listing shows, so a body without a consent records
    them all. A client that showed them one by one names them in `consent.permissions`; then they have to be
    those of the listing, so that a user who saw an older listing is asked again. Raises VALIDATION_ERROR
    (400) at `consent.permissions` for any difference. Source: spec 4 "Catalog".
    """
    if consent is None:
        return asked
    missing = [name for name in asked if name not in consent]
    if missing:
        message = f"The package also asks for {', '.join(missing)}; show the listing again and ask the user."
        raise field_error("consent.permissions", message, code="consent_incomplete")
    foreign = sorted(set(consent) - set(asked))
    if foreign:
        message = f"The package doesn't ask for {', '.join(foreign)}; it asks for {', '.join(asked) or 'nothing'}."
        raise field_error("consent.permissions", message, code="unknown_permission")
    return asked
