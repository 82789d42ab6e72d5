"""Links in the OpenAPI document: which calls an answer's id can be used for, derived from the routes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
PARAMETER = re.compile(r"\{(\w+)\}")


def add_links(document: Json) -> None:
    """Link what makes or lists things to the operations on one of them (OpenAPI 3.1 "Link Object").

    A POST to a collection links to all operations under its items, a list to those that read its first one. An
    answer that is named like a parameter (`ValidationRun`, `run_id`) links to the operations with that one too.
    """
    operations = list(_operations(document))
    for path, method, operation in operations:
        for response in operation["responses"].values():
            answered = _answered(response, document)
            if answered is not None and (method == "post" or answered.is_list):
                links = dict(_links(path, answered, operations))
                if links:
                    response["links"] = links


class _Answered:
    """The data of an answer: one thing, or a list of them."""

    def __init__(self, data: Json, schemas: Mapping[str, Json]) -> None:
        self.is_list = data.get("type") == "array"
        self.name = (data["items"] if self.is_list else data).get("$ref", "").rpartition("/")[2]
        self.fields: Json = schemas.get(self.name, {}).get("properties", {})

    def expression(self, parameter: str) -> str | None:
        """Return where the answer has the value of the parameter that names the thing."""
        field = parameter if parameter in self.fields else "id"
        place = "data/0" if self.is_list else "data"
        return f"$response.body#/{place}/{field}" if field in self.fields else None


def _links(path: str, answered: _Answered, operations: list[tuple[str, str, Json]]) -> Iterator[tuple[str, Json]]:
    given = {name: f"$request.path.{name}" for name in PARAMETER.findall(path)}
    for target, method, operation in operations:
        own = _own_parameter(path, target, answered)
        expression = answered.expression(own) if own else None
        if own is None or expression is None or (answered.is_list and method != "get"):
            continue
        values, names = {**given, own: expression}, PARAMETER.findall(target)
        if own not in given and values.keys() >= set(names):
            yield (
                operation["operationId"],
                {"operationId": operation["operationId"], "parameters": {name: values[name] for name in names}},
            )


def _own_parameter(path: str, target: str, answered: _Answered) -> str | None:
    """Return which parameter of the target names the answered thing."""
    item = re.match(re.escape(path) + r"/\{(\w+)\}", target)
    if item:
        return item[1]
    words = re.findall("[A-Z][a-z]+", answered.name)
    named = f"{words[-1].lower()}_id" if words and not answered.is_list else None
    return named if named in PARAMETER.findall(target) else None


def _answered(response: Json, document: Json) -> _Answered | None:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    data = schema.get("properties", {}).get("data")
    return _Answered(data, document["components"]["schemas"]) if data else None


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]
