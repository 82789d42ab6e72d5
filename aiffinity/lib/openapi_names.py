"""Names in the OpenAPI document: enums that many schemas share, and the parameters in paths."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from django.utils.module_loading import import_string
from drf_spectacular.settings import spectacular_settings

Json = dict[str, Any]

ULID = "01J8XKWM3N4QR5STVYZ2BCDEFG"
ID_PARAMETERS = {
    "app_id": ("An app's id.", f"app_{ULID}"),
    "capability_id": ("A capability's id.", f"cap_{ULID}"),
    "delivery_id": ("A delivery's id.", f"dlv_{ULID}"),
    "id_or_slug": ("A package's id or its slug.", "acme-weather"),
    "install_id": ("An install's id.", f"inst_{ULID}"),
    "key": ("A secret's key: 2 to 64 capital letters, digits and underscores, a letter first.", "WEATHER_API_KEY"),
    "name": ("A capability's name within its app.", "current_weather"),
    "package_id": ("A package's id.", f"pkg_{ULID}"),
    "recovery_id": ("A webhook recovery's id.", f"rcv_{ULID}"),
    "review_id": ("A review's id.", f"rev_{ULID}"),
    "run_id": ("A validation run's id.", f"run_{ULID}"),
    "version_id": ("A version's id.", f"ver_{ULID}"),
}
PATTERNS = {"key": "^[A-Z][A-Z0-9_]{1,63}$"}


def describe_id_parameter(parameter: Json) -> None:
    """Add description, example and pattern to a parameter that names a thing, where it has no description yet."""
    known = ID_PARAMETERS.get(parameter["name"])
    if parameter.get("description") or known is None:
        return
    parameter["description"], parameter["example"] = known
    if parameter["name"] in PATTERNS:
        parameter["schema"] = {**parameter["schema"], "pattern": PATTERNS[parameter["name"]]}


def shared_enums() -> dict[str, list[str]]:
    """Return the values of every named enum, from the choices, mappings and sequences that the settings name."""
    return {name: _values(import_string(path)) for name, path in spectacular_settings.ENUM_NAME_OVERRIDES.items()}


def name_enums(document: Json, enums: Mapping[str, list[str]]) -> None:
    """Make a component of each named enum and point at it from every schema with just its values.

    Raises ValueError for a name that a schema has already.
    """
    names = {frozenset(values): name for name, values in enums.items()}
    used: set[str] = set()
    for schema in list(_enum_schemas(document)):
        name = names.get(frozenset(schema["enum"]))
        if name is not None:
            for key in ("type", "enum", "x-spec-enum-id"):
                schema.pop(key, None)
            schema["$ref"] = f"#/components/schemas/{name}"
            used.add(name)
    schemas = document["components"]["schemas"]
    if taken := used & set(schemas):
        raise ValueError(f"Enums need other names than schemas: {sorted(taken)}")
    schemas.update({name: {"type": "string", "enum": enums[name]} for name in sorted(used)})


def _values(choices: Any) -> list[str]:
    is_choices = isinstance(choices, type) and issubclass(choices, Enum)
    return [member.value for member in choices] if is_choices else list(choices)


def _enum_schemas(node: Any) -> Iterator[Json]:
    """Yield every schema of texts with `enum`, wherever it stands."""
    if isinstance(node, dict):
        if isinstance(node.get("enum"), list) and node.get("type") == "string":
            yield node
        for key, child in node.items():
            if key not in ("example", "examples"):
                yield from _enum_schemas(child)
    elif isinstance(node, list):
        for child in node:
            yield from _enum_schemas(child)
