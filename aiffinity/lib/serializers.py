"""Serializers that take a closed set of fields, in both casings (decision 3, spec 2 "Unknown fields")."""

import difflib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

# Booleans come first: Python counts them among the integers.
_JSON_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (str, "a string"),
    (int, "a number"),
    (float, "a number"),
    (list, "an array"),
    (Mapping, "an object"),
)
_CAPITAL = re.compile(r"(?<!\A)([A-Z])")


def snake_case(name: str) -> str:
    """Turn `refreshIntervalSeconds` into `refresh_interval_seconds`; other names stay as they are."""
    return _CAPITAL.sub(r"_\1", name).lower() if name[:1].islower() else name


class StrictSerializer(serializers.Serializer[Any]):
    """Accepts each of its fields as snake_case or camelCase and refuses every other key.

    Only the names of its own fields are translated, never what a JSON field holds: schemas, params and
    secrets are the user's data. Read-only fields are refused as well. `json_schema` is what the OpenAPI document
    says of a body beyond its fields.
    """

    json_schema: dict[str, Any] = {}

    def to_internal_value(self, data: Any) -> Any:
        """Rename the keys, refuse what is unknown, then validate as usual."""
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(
                {"non_field_errors": [f"Expected an object, not {json_type(data)}."]}, code="type"
            )
        return super().to_internal_value(self._rename(data))

    def _rename(self, data: Mapping[str, Any]) -> dict[str, Any]:
        writable = {name for name, field in self.fields.items() if not field.read_only}
        renamed: dict[str, Any] = {}
        faults: dict[str, list[serializers.ErrorDetail]] = {}
        for key, value in data.items():
            name = key if key in writable else snake_case(key)
            if name not in writable:
                faults[key] = [self._unknown(key, name, writable)]
            elif name in renamed:
                faults[key] = [serializers.ErrorDetail("This field is given twice.", code="duplicate")]
            else:
                renamed[name] = value
        if faults:
            raise serializers.ValidationError(faults)
        return renamed

    def _unknown(self, key: str, name: str, writable: set[str]) -> serializers.ErrorDetail:
        if name in self.fields:
            return serializers.ErrorDetail("This field is read-only; leave it out.", code="read_only")
        return serializers.ErrorDetail(f"Unknown field. {_hint(name, sorted(writable))}", code="unknown_field")


def _hint(name: str, known: list[str]) -> str:
    if near := difflib.get_close_matches(name, known, n=1):
        return f"Did you mean '{near[0]}'?"
    return f"Known fields: {', '.join(known)}." if known else "This body has no fields; send {}."


class TextField(serializers.CharField):
    """A text of the user: a JSON string (never a number), trimmed, without control characters."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse other JSON types, which DRF would convert."""
        if not isinstance(data, str):
            raise serializers.ValidationError(f"Expected a string, not {json_type(data)}.", code="type")
        return super().to_internal_value(data)


class GivenTimeField(serializers.DateTimeField):
    """A time that a caller chose; strftime, with which DRF answers the others, writes the year 201 in three digits."""

    def to_representation(self, value: datetime) -> str:
        """Answer RFC 3339 in UTC, to the second."""
        return value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


@extend_schema_field({"type": "object", "additionalProperties": {}})
class JsonObjectField(serializers.JSONField):
    """A JSON object that belongs to the user; its keys are never touched."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Refuse what is not an object."""
        if not isinstance(data, dict):
            raise serializers.ValidationError(f"Expected an object, not {json_type(data)}.", code="type")
        return data


class StrictIntegerField(serializers.IntegerField):
    """A JSON integer, `5.0` included (JSON Schema 6.1.1): neither a text nor true, which DRF would convert."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse other JSON types and numbers with a fraction."""
        if isinstance(data, float) and data.is_integer():
            return super().to_internal_value(int(data))
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError(f"Expected an integer, not {json_type(data)}.", code="type")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """A JSON boolean: neither 0 nor "yes", which DRF would convert."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse other JSON types."""
        if not isinstance(data, bool):
            raise serializers.ValidationError(f"Expected true or false, not {json_type(data)}.", code="type")
        return data


def json_type(value: Any) -> str:
    """Name the JSON type of a parsed value for a message."""
    if value is None:
        return "null"
    return next((name for kind, name in _JSON_TYPES if isinstance(value, kind)), type(value).__name__)
