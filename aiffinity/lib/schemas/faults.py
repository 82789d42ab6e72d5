"""What a check of a schema or of a value finds: a place, a code and a sentence that says what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """One fault: `pointer` is an RFC 6901 JSON Pointer into the checked value, `code` a snake_case word."""

    pointer: str
    code: str
    message: str


def child_pointer(pointer: str, *segments: str | int) -> str:
    """Append segments to a JSON Pointer, escaped as RFC 6901 section 3 says."""
    escaped = (str(segment).replace("~", "~0").replace("/", "~1") for segment in segments)
    return "".join([pointer, *(f"/{segment}" for segment in escaped)])


def pointer_segments(pointer: str) -> list[str]:
    """Split a JSON Pointer into its unescaped segments; the whole document has none."""
    return [segment.replace("~1", "/").replace("~0", "~") for segment in pointer.split("/")[1:]]
