"""The OpenAPI document: envelope, errors, headers and security are described once, for every view."""

import inspect
import re
from typing import Any, Literal
from weakref import WeakKeyDictionary

from django.core.validators import RegexValidator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from rest_framework import serializers
from rest_framework.permissions import AllowAny

from aiffinity.lib.conditional import CONDITIONAL_METHODS
from aiffinity.lib.openapi_components import (
    EXAMPLE_REQUEST_ID,
    EXTRA_HEADERS,
    RATE_LIMIT_HEADERS,
    SECURITY_ACCESS_TOKEN,
    SECURITY_ID_TOKEN,
    STATUS_TITLES,
    components,
    header_refs,
    response_ref,
    scope_rules,
)
from aiffinity.lib.openapi_fields import describe_fields
from aiffinity.lib.openapi_links import add_links
from aiffinity.lib.openapi_names import describe_id_parameter, name_enums, shared_enums
from aiffinity.lib.serializers import StrictSerializer

Json = dict[str, Any]
Direction = Literal["request", "response"]

DOCUMENTED_PREFIXES = ("/v1/", "/.well-known/")
CASING_NOTE = "Every field of the body is accepted as snake_case and as camelCase."
WRITE_METHODS = frozenset({"POST", "PUT", "PATCH"})
FORM_BODY = "application/x-www-form-urlencoded"
# Trimming takes what Python calls white space, of which ECMA's \s leaves out the four separators and U+0085.
NOT_BLANK = r"[^\s\u001c-\u001f\u0085]"


# The ids that one generation has given out: which view has each, on which path first.
_operation_ids: WeakKeyDictionary[ComponentRegistry, dict[str, tuple[type, str]]] = WeakKeyDictionary()


class PlatformSchema(AutoSchema):
    """Describes a platform view: views name their own body and answer, the rest is added here."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> Json | None:
        """Describe one operation, with envelope, errors, headers and parameters."""
        operation: Json | None = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is None:
            return None
        self._tell_apart(operation)
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                self._complete_success(response)
            else:
                self._complete_error(status, response)
        for status in self._error_statuses():
            operation["responses"].setdefault(status, response_ref(status))
        if self._shows_tags():
            operation["responses"]["304"] = {"$ref": "#/components/responses/NotModified"}
        operation["responses"] = dict(sorted(operation["responses"].items()))
        if operation.get("requestBody") and self._takes_both_casings():
            operation["description"] = f"{operation.get('description', '')}\n\n{CASING_NOTE}".strip()
        given = operation.get("parameters", [])
        for parameter in given:
            describe_id_parameter(parameter)
        operation["parameters"] = [*given, *self._shared_parameters({entry["name"] for entry in given})]
        return operation

    def get_description(self) -> str:  # type: ignore[override]  # As in drf-spectacular.
        """Take the method's docstring, one sentence; the views' own are written for those who read the code."""
        return inspect.getdoc(getattr(self.view, self.method.lower(), None)) or ""

    def get_serializer_name(self, serializer: serializers.Serializer[Any], direction: Direction) -> str:
        """Name `AppOut` App and `AppBody` AppRequest: the suffixes are the code's."""
        return re.sub(r"(Body|Out)\Z", "", type(serializer).__name__)

    def get_auth(self) -> list[Json]:
        """Name the schemes that the view's permissions accept (`openapi_schemes`, ID tokens by default)."""
        if not self.view.get_authenticators():
            return [{}]
        found: list[Json] = []
        permissions = self.view.get_permissions()
        for permission in permissions:
            if not isinstance(permission, AllowAny):
                schemes = getattr(permission, "openapi_schemes", (SECURITY_ID_TOKEN,))
                found.extend({scheme: self._scopes(scheme)} for scheme in schemes)
        if any(isinstance(permission, AllowAny) for permission in permissions):
            found.extend([{}, {SECURITY_ID_TOKEN: []}])
        return found or [{}]

    def get_operation_id(self) -> str:
        """Derive `get_providers_apps_app_id` from method and path where a view names nothing itself."""
        parts = [part.strip("{}") for part in self.path.split("/") if part not in ("", "v1")]
        words = [self.method.lower(), *parts]
        return "_".join("".join(c if c.isalnum() else "_" for c in word).strip("_") for word in words)

    def _scopes(self, scheme: str) -> list[str]:
        if scheme != SECURITY_ACCESS_TOKEN:
            return []
        return [scope for rule in scope_rules if (scope := rule(self.path, self.method))]

    def _tell_apart(self, operation: Json) -> None:
        """Tell the same view's second path (`/auth-profile` beside `/auth`) apart from its first."""
        operation_id = operation["operationId"]
        taken = _operation_ids.setdefault(self.registry, {})
        view, path = taken.setdefault(operation_id, (type(self.view), self.path))
        if view is type(self.view) and path != self.path:
            operation["operationId"] = f"{operation_id}Alias"
            operation["description"] = f"{operation.get('description', '')} The same as `{path}`.".strip()

    def _complete_success(self, response: Json) -> None:
        response.setdefault("headers", {}).update(header_refs(self._header_names()))
        response["description"] = response.get("description") or "Success."
        is_bare = getattr(self.view, "is_bare", False)
        for media_type in response.get("content", {}).values():
            if not is_bare and "schema" in media_type:
                media_type["schema"] = self._enveloped(media_type["schema"])
                for example in media_type.get("examples", {}).values():
                    example["value"] = _enveloped_example(example["value"], is_paginated=self._is_paginated())

    def _complete_error(self, status: str, response: Json) -> None:
        names = ["X-Request-Id", *RATE_LIMIT_HEADERS, *EXTRA_HEADERS.get(int(status), ())]
        response.setdefault("headers", {}).update(header_refs(names))
        response["description"] = response.get("description") or STATUS_TITLES[int(status)]

    def _enveloped(self, schema: Json) -> Json:
        meta = "ListMeta" if self._is_paginated() else "Meta"
        return {
            "type": "object",
            "properties": {"data": schema, "meta": {"$ref": f"#/components/schemas/{meta}"}},
            "required": ["data", "meta"],
        }

    def _is_paginated(self) -> bool:
        """Say whether this GET answers a page: `many=True`, unless the view says `is_paginated = False`."""
        is_list: bool = self.method == "GET" and self._is_list_view()
        return is_list and getattr(self.view, "is_paginated", True)

    def _error_statuses(self) -> list[str]:
        found = ["405", "429", "500", "503"]
        if self.method in WRITE_METHODS or not WRITE_METHODS & set(self.view.allowed_methods):
            found.extend(str(status) for status in getattr(self.view, "documented_errors", ()))
        if self.view.get_authenticators():
            found.append("401")
        if not any(isinstance(permission, AllowAny) for permission in self.view.get_permissions()):
            found.append("403")
        if "{" in self.path:
            found.append("404")
        if self.method in WRITE_METHODS or self.get_override_parameters() or self._is_paginated():
            found.append("400")
        if self.method in CONDITIONAL_METHODS:
            # A condition that is none is a fault of the call, also where nothing else is sent.
            found.extend(("400", "412"))
        if self.method != "GET":
            found.extend(("409", "422"))
        if self.method in WRITE_METHODS:
            found.extend(("413", "415"))
        return found

    def _header_names(self) -> list[str]:
        names = ["X-Request-Id", *RATE_LIMIT_HEADERS]
        if self._is_idempotent():
            names.append("Idempotency-Replayed")
        if self._shows_tags() or self.method in ("PUT", "PATCH"):
            names.append("ETag")
        return names

    def _shows_tags(self) -> bool:
        """Say whether this is a GET of JSON, and not of a page."""
        return self.method == "GET" and not getattr(self.view, "is_page", False)

    def _is_idempotent(self) -> bool:
        return self.method == "POST" and getattr(self.view, "is_idempotent", False)

    def _takes_both_casings(self) -> bool:
        return FORM_BODY not in self.map_parsers()

    def _shared_parameters(self, given: set[str]) -> list[Json]:
        names = ["RequestId"]
        if self._is_idempotent():
            names.append("IdempotencyKey")
        if self._shows_tags():
            names.append("IfNoneMatch")
        if self.method in CONDITIONAL_METHODS:
            names.append("IfMatch")
        if self._is_paginated():
            names.extend(name for name in ("Limit", "Offset") if name.lower() not in given)
        return [{"$ref": f"#/components/parameters/{name}"} for name in names]

    def _map_basic_serializer(self, serializer: serializers.Serializer[Any], direction: str) -> Json:
        schema: Json = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if isinstance(serializer, StrictSerializer) and direction == "request":
            schema["additionalProperties"] = False
            schema.update(serializer.json_schema)
        return schema

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Json:  # noqa: FBT001, FBT002  As in drf-spectacular.
        """Say that a text which must not be blank needs more than white space, which is trimmed."""
        schema: Json = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        is_trimmed = isinstance(field, serializers.CharField) and field.trim_whitespace and not field.allow_blank
        has_pattern = any(isinstance(each, RegexValidator) for each in getattr(field, "validators", ()))
        if is_trimmed and not has_pattern and direction == "request" and "format" not in schema:
            schema.setdefault("pattern", NOT_BLANK)
        return schema

    def _get_serializer_name(
        self,
        serializer: serializers.Serializer[Any],
        direction: Direction,
        bypass_extensions: bool = False,  # noqa: FBT001, FBT002  As in drf-spectacular.
    ) -> str:
        name: str = super()._get_serializer_name(serializer, direction, bypass_extensions)
        patched = re.fullmatch(r"Patched(.+?)(?:Patch)?Request", name)
        return f"{patched[1]}PatchRequest" if patched else name

    def _get_response_bodies(self, direction: Direction = "response") -> Json:
        """Let DELETE answer 200 with the object's final state (spec 2 "Envelope")."""
        found: Json = super()._get_response_bodies(direction)
        if set(found) == {"204"}:
            final = self.get_response_serializers()
            return {"200": self._get_response_for_code(final, "200", direction=direction)}  # type: ignore[no-untyped-call]
        return found


def _enveloped_example(value: Any, *, is_paginated: bool) -> Json:
    meta: Json = {"requestId": EXAMPLE_REQUEST_ID}
    if is_paginated:
        total = len(value) if isinstance(value, list) else 1
        meta["pagination"] = {"total": total, "limit": 20, "offset": 0, "hasMore": False}
    return {"data": value, "meta": meta}


def only_api_paths(endpoints: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Leave the admin, probes and pages out of the document (a hook that runs before generation)."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(DOCUMENTED_PREFIXES)]


def add_components(result: Json, generator: Any, request: Any, public: bool) -> Json:  # noqa: FBT001  A hook.
    """Add what all operations share (a hook that runs after generation)."""
    found = result.setdefault("components", {})
    for kind, entries in components().items():
        found.setdefault(kind, {}).update(entries)
    describe_fields(result)
    add_links(result)
    name_enums(result, shared_enums())
    return result
