"""What a schema says about one place of a value, seen through references and branches."""

from collections.abc import Iterator
from typing import Any

from aiffinity.lib.schemas import SENSITIVITY_KEYWORD, SENSITIVITY_LEVELS
from aiffinity.lib.schemas.structure import Document, references

MAX_PARTS = 200

_LIST_BRANCHES = ("allOf", "anyOf", "oneOf")
_SINGLE_BRANCHES = ("if", "then", "else")
_ITEM_KEYWORDS = ("items", "contains", "unevaluatedItems")
_OTHER_PROPERTIES = ("additionalProperties", "unevaluatedProperties")


class Place:
    """All subschemas that may speak about one place of a value, the nearest first.

    Branches of anyOf, oneOf and if count as if they all held: good enough to show a value, and on the safe
    side for marks of sensitivity, which a place inherits from the places around it.
    """

    def __init__(self, document: Document, schemas: list[Any], level: str = SENSITIVITY_LEVELS[0]) -> None:
        self._document = document
        # An answer asks for the same places row by row.
        self._children: dict[str, Place] = {}
        self._items: Place | None = None
        self.parts = list(_in_place(document, schemas))
        marks = [level, *(part.get(SENSITIVITY_KEYWORD) for part in self.parts)]
        self.level = max((mark for mark in marks if mark in SENSITIVITY_LEVELS), key=SENSITIVITY_LEVELS.index)

    @classmethod
    def of(cls, schema: Any) -> "Place":
        """Return the place of the whole value that a schema describes."""
        return cls(Document(schema), [schema])

    @property
    def is_masked(self) -> bool:
        """Whether what stands here is marked as sensitive, and so shown to its user alone."""
        return self.level != SENSITIVITY_LEVELS[0]

    def keyword(self, name: str, kind: type | tuple[type, ...] = object) -> Any:
        """Return the nearest value of a keyword that is of a kind, None where there is none."""
        found = (part[name] for part in self.parts if name in part and isinstance(part[name], kind))
        return next(found, None)

    def types(self) -> frozenset[str]:
        """Return the types that are named for the value, none where any may come."""
        given = (part["type"] for part in self.parts if "type" in part)
        return frozenset(name for item in given for name in ([item] if isinstance(item, str) else item))

    def is_only(self, *types: str) -> bool:
        """Whether the value is of one of these types, or null, and of no other."""
        named = self.types() - {"null"}
        return bool(named) and named <= set(types)

    def names(self) -> list[str]:
        """Return the names of the properties in the order of the schema."""
        return list(dict.fromkeys(name for part in self.parts for name in _mapping(part.get("properties"))))

    def required(self) -> frozenset[str]:
        """Return the names of the properties that are required."""
        return frozenset(name for part in self.parts for name in _sequence(part.get("required")))

    def child(self, name: str) -> "Place":
        """Return the place of a property; patterns of names count for every name that is not listed."""
        if name not in self._children:
            self._children[name] = Place(self._document, self._schemas_of(name), self.level)
        return self._children[name]

    def children(self) -> list["Place"]:
        """Return the places of all named properties."""
        return [self.child(name) for name in self.names()]

    def items(self) -> "Place":
        """Return the place of an item of an array; items that differ by position count together."""
        if self._items is None:
            schemas: list[Any] = []
            for part in self.parts:
                schemas += [part[keyword] for keyword in _ITEM_KEYWORDS if keyword in part]
                schemas += _sequence(part.get("prefixItems"))
            self._items = Place(self._document, schemas, self.level)
        return self._items

    def _schemas_of(self, name: str) -> list[Any]:
        schemas: list[Any] = []
        for part in self.parts:
            properties = _mapping(part.get("properties"))
            if name in properties:
                schemas.append(properties[name])
                continue
            schemas += _mapping(part.get("patternProperties")).values()
            schemas += [part[keyword] for keyword in _OTHER_PROPERTIES if keyword in part]
        return schemas


def _in_place(document: Document, schemas: list[Any]) -> Iterator[dict[str, Any]]:
    pending, seen = list(schemas), set[int]()
    while pending and len(seen) < MAX_PARTS:
        schema = pending.pop(0)
        if not isinstance(schema, dict) or id(schema) in seen:
            continue
        seen.add(id(schema))
        yield schema
        targets = (document.target_of(reference) for _, reference in references(schema))
        pending += [document.schema_at(target) for target in targets if target is not None]
        for keyword in _LIST_BRANCHES:
            pending += _sequence(schema.get(keyword))
        pending += [schema[keyword] for keyword in _SINGLE_BRANCHES if keyword in schema]
        pending += _mapping(schema.get("dependentSchemas")).values()


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
