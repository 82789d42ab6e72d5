"""Reads pictures as a browser would, and says what in them could act or load."""

from html.parser import HTMLParser
from xml.etree import ElementTree as ET

FORBIDDEN_TAGS = {
    "script", "style", "link", "iframe", "object", "embed", "img", "image", "use", "a", "form", "input", "button",
    "foreignobject", "animate", "set", "base", "meta", "audio", "video", "source", "template",
}  # fmt: skip
ADDRESSES = {"href", "xlink:href", "src", "srcset", "action", "formaction", "data", "poster", "background"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in FORBIDDEN_TAGS:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            is_acting = name.startswith("on") or name in ADDRESSES or name in ("style", "id", "name")
            if is_acting or (name != "aria-label" and "url(" in (value or "").lower()):
                self.faults.append(f"{tag} {name}={value}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.faults.append(f"declaration {decl}")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def text_of(html: str) -> str:
    """Return the text of a picture, on one line, after a check that it is well-formed and inert."""
    ET.fromstring(html)  # noqa: S314 - The platform's own output.
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.faults == []
    return " ".join(" ".join(reader.texts).split())


def tags_of(html: str) -> list[str]:
    """Return the names of all elements in order: what a text must not be able to change."""
    return [element.tag for element in ET.fromstring(html).iter()]  # noqa: S314 - The platform's own output.
