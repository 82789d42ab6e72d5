"""The words in which a made-up capability is described: fields with a sample, and themes that hold them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """One property of a schema; its type is that of the sample, `most` its maximum where it is a number."""

    name: str
    sample: str | float | bool
    about: str
    most: float | None = None
    options: tuple[str, ...] = ()
    form: str = ""

    def schema(self) -> dict[str, Any]:
        """Return the property's schema."""
        found: dict[str, Any] = {"type": self._type(), "description": self.about}
        if self.options:
            found["enum"] = list(self.options)
        elif self.form:
            found["format"] = self.form
        elif isinstance(self.sample, str):
            found["maxLength"] = 200
        if self.most is not None:
            found |= {"minimum": 0, "maximum": self.most}
        return found

    def _type(self) -> str:
        if isinstance(self.sample, bool):
            return "boolean"
        if isinstance(self.sample, str):
            return "string"
        return "integer" if isinstance(self.sample, int) else "number"


@dataclass(frozen=True)
class Part:
    """The name of a capability, a sentence about it and its fields."""

    name: str
    about: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, eq=False)
class Theme:
    """What companies of one category offer.

    `noun` is one of the things they deal with, `subject` the parameter of reads. `mark` is the sensitivity of
    the first number in the tiers that may hold such data.
    """

    category: str
    noun: str
    pitch: str
    products: tuple[str, ...]
    keywords: tuple[str, ...]
    subject: Field
    state: Part
    action: Part
    history: Part
    mark: str = "financial"
