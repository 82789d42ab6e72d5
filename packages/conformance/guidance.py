"""Dimension guidance: what surfaces and the catalog get to show (spec 3 "Surface guidance")."""

from typing import Any

from aiffinity.lib.texts import check_texts
from packages.conformance.case import Case
from packages.conformance.registry import (
    Finding,
    capability_check,
    failed,
    judge,
    not_applicable,
    passed,
    version_check,
)
from packages.surface import misfit_of
from runtime.descriptors import output_schema

Descriptor = dict[str, Any]

SHORTEST_DESCRIPTION = 12


@version_check("guidance", weight=3, is_blocking=True)
def texts_free_of_payload(case: Case) -> Finding:
    """No text of listing and capabilities holds markup or script in any encoding."""
    listing = {"name": case.package.name, "description": case.package.description, "keywords": case.package.keywords}
    for fault in check_texts({"listing": listing, "changelog": case.version.changelog}):
        return failed(fault.message, fault.pointer)
    for index, item in enumerate(case.capabilities):
        texts = {name: item.get(name) for name in ("description", "surface_guidance", "permissions")}
        for fault in check_texts(texts):
            return failed(fault.message, f"/capabilities/{index}{fault.pointer}")
    return passed("Every text is plain.")


@version_check("guidance", weight=2)
def listing_found_and_understood(case: Case) -> Finding:
    """The listing has a category and keywords, so that it is found."""
    missing = [name for name in ("category", "keywords") if not getattr(case.package, name)]
    return judge(not missing, "The listing is complete.", f"Add {' and '.join(missing)} to the package.")


@version_check("guidance", weight=1)
def listing_has_picture(case: Case) -> Finding:
    """The listing has a logo or an image."""
    has_picture = bool(case.app.logo_url or case.package.images)
    return judge(has_picture, "The listing has a picture.", "Give the app a logo_url, or the package images.")


@capability_check("guidance", weight=1)
def description_tells(case: Case, capability: Descriptor) -> Finding:
    """The description says in words what the capability gives."""
    text = capability["description"].strip()
    tells = len(text) >= SHORTEST_DESCRIPTION and text.casefold() != capability["name"].casefold()
    return judge(tells, "The description tells.", "Describe in a sentence what users get.", "/description")


@capability_check("guidance", weight=2, modes=("state", "history", "realtime"))
def guidance_given(case: Case, capability: Descriptor) -> Finding:
    """What is shown says its intent, where it belongs and as what."""
    guidance = capability.get("surface_guidance") or {}
    missing = [name for name in ("intent", "placement", "preferred_components") if not guidance.get(name)]
    return judge(
        not missing,
        "The surface guidance is complete.",
        f"Add {', '.join(missing)} to the surface guidance.",
        "/surface_guidance",
    )


@capability_check("guidance", weight=2)
def components_fit(case: Case, capability: Descriptor) -> Finding:
    """Every preferred component fits the capability's mode and schema."""
    components = (capability.get("surface_guidance") or {}).get("preferred_components") or []
    if not components:
        return not_applicable("No component is preferred.")
    for index, component in enumerate(components):
        misfit = misfit_of(component, capability)
        if misfit:
            return failed(misfit, f"/surface_guidance/preferred_components/{index}")
    return passed("Every component fits.")


@capability_check("guidance", weight=1, modes=("history",))
def cursor_field_exists(case: Case, capability: Descriptor) -> Finding:
    """The cursor field is a property of the items."""
    field = capability.get("cursor_field")
    if not field:
        return not_applicable("The capability names no cursor field.")
    is_property = field in output_schema(capability).get("properties", {})
    return judge(is_property, "The cursor field exists.", f"{field} is no property of the items.", "/cursor_field")
